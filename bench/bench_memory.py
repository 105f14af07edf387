"""Peak memory of a gamma fit of a Parquet column: it must not grow with the file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROWS
from make_parquet import make

SMALL, LARGE = ROWS * 2 // 5, ROWS * 4  # by default 20 and 200 million
FIT = """
import sys, fastmle
fit = fastmle.fit("gamma", sys.argv[1], column="x")
assert abs(fit.params.shape - 2.5) < 0.1, fit
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak[0]) * 1024)
"""


def peak_bytes(file: Path) -> int:
    """The most memory that a fresh process held while it fitted the file."""
    done = subprocess.run([sys.executable, "-c", FIT, str(file)], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.benchmark(group="peak memory of a gamma fit from Parquet")
def bench_peak_memory(benchmark: Any, tmp_path: Path) -> None:
    small = peak_bytes(make(SMALL, tmp_path / "small.parquet"))
    large_file = make(LARGE, tmp_path / "large.parquet")
    large = benchmark.pedantic(peak_bytes, (large_file,), rounds=1)
    benchmark.extra_info |= {"rows": LARGE, "peak_MB": large / 1e6, "peak_MB_of_a_tenth": small / 1e6}
    assert large < 600e6
    if SMALL >= 5_000_000:  # a few row groups
        assert large < 1.2 * small
