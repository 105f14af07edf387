"""What a fresh process pays: importing fastmle, and reaching the first fit with kernels on disk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CACHED_NJIT = """
from numba import njit
@njit("float64(float64[::1])", cache=True)
def total(x):
    s = 0.0
    for i in range(x.size):
        s += x[i]
    return s
if __name__ == "__main__":
    import numpy as np
    total(np.ones(1000))
"""
IMPORTS = {"numpy": "import numpy", "fastmle": "import fastmle", "nothing": "pass"}
FIRST = "import numpy as np, fastmle; fastmle.fit('gaussian', np.arange(1000.0))"


def run(*args: str) -> None:
    subprocess.run([sys.executable, *args], check=True)


@pytest.mark.benchmark(group="import")
@pytest.mark.parametrize("engine", IMPORTS)
def bench_import(engine: str, benchmark: Any) -> None:
    benchmark.pedantic(run, ("-c", IMPORTS[engine]), rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="first fit of a process")
@pytest.mark.parametrize("engine", ["numba: import and one cached call", "fastmle"])
def bench_first_fit(engine: str, benchmark: Any, tmp_path: Path) -> None:
    script = tmp_path / "cached.py"
    script.write_text(CACHED_NJIT)
    args = ("-c", FIRST) if engine == "fastmle" else (str(script),)
    benchmark.pedantic(run, args, rounds=7, warmup_rounds=2)
