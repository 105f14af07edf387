"""What a fresh process pays: importing fastmle, and reaching the first fit with kernels on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fastmle.bench.processes import CACHED_CALL, FIRST_FIT, started

IMPORTS = {"numpy": "import numpy", "fastmle": "import fastmle", "nothing": "pass"}


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("engine", IMPORTS)
def bench_import(engine: str, benchmark: Any) -> None:
    benchmark.pedantic(started, ("-c", IMPORTS[engine]), rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="first fit of a process")
@pytest.mark.parametrize("engine", ["numba: import and one cached call", "fastmle"])
def bench_first_fit(engine: str, benchmark: Any, tmp_path: Path) -> None:
    script = tmp_path / "cached.py"
    script.write_text(CACHED_CALL)
    args = ("-c", FIRST_FIT) if engine == "fastmle" else (str(script),)
    benchmark.pedantic(started, args, rounds=7, warmup_rounds=2)
