"""The regressions of `fastmle bench --part regressions` under pytest-benchmark: the same engines, the same checks."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from conftest import ROWS

from fastmle.bench.regressions import ENGINES, NAMES, SIZES, available, checked, data

SMALLER = min(1.0, ROWS / 2_000_000)  # FASTMLE_BENCH_ROWS below two million makes all of it smaller
PAIRS = [(model, engine) for model, engines in ENGINES.items() for engine in engines]


@pytest.mark.parametrize(("model", "engine"), PAIRS)
@pytest.mark.parametrize("size", SIZES)
def bench_regression(size: str, model: str, engine: str, benchmark: Any) -> None:
    if not available(engine):
        pytest.skip(f"{engine} is not installed")
    x, targets = data(size, SMALLER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left = checked(model, engine, x, targets[model])
        benchmark.group = f"{NAMES[model]}, {len(x):,} x {x.shape[1]}"
        benchmark.pedantic(ENGINES[model][engine], (x, targets[model]), rounds=5 if engine == "fastmle" else 2)
    benchmark.extra_info |= {"rows": len(x), "gradient": left}
