"""A logistic regression of a Parquet file larger than memory: time, peak memory and full reads, printed and checked.

python bench/out_of_core.py [rows]     # default 100e6 rows of 8 features; the file is deleted afterwards
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fastmle.pool import cores

GROUP = 1_000_000
BETA = np.array([-0.4, 0.3, -0.5, 0.2, 0.0, 0.8, -0.1, 0.4, 0.05])
NAMES = [f"x{j}" for j in range(8)]
MOST_MEMORY, MOST_READS = 900e6, 5
FIT = """
import json, sys, time
import fastmle as fm
start = time.perf_counter()
fit = fm.fit("logistic", sys.argv[1], target="y", features=[f"x{j}" for j in range(8)])
seconds = time.perf_counter() - start
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps({"seconds": seconds, "peak_MB": int(peak[0]) * 1024 / 1e6, **fit.to_dict()}))
"""


def group(seed: int, rows: int) -> pa.Table:
    """Correlated features of several scales, and a target from a logistic model."""
    rng = np.random.default_rng([11, seed])
    common = rng.standard_normal(rows)
    columns = [0.5 * common + rng.standard_normal(rows) for _ in NAMES]
    eta = BETA[0] + sum(b * x for b, x in zip(BETA[1:], columns, strict=True))
    y = rng.random(rows) * (1.0 + np.exp(-eta)) < 1.0
    scaled = {name: x * 10.0 ** (j % 3) + j for j, (name, x) in enumerate(zip(NAMES, columns, strict=True))}
    return pa.table({**scaled, "y": y.astype(np.int8)})


def make(rows: int, path: Path) -> Path:
    """A Parquet file of row groups of a million rows, without compression: 6.4 GB for 100 million rows."""
    tasks = [(at, min(GROUP, rows - at)) for at in range(0, rows, GROUP)]
    schema = group(0, 1).schema
    with pq.ParquetWriter(path, schema, compression="NONE", use_dictionary=False) as writer, ThreadPoolExecutor(cores()) as pool:
        for lo in range(0, len(tasks), cores()):  # a few row groups in memory at a time
            for table in pool.map(lambda task: group(*task), tasks[lo : lo + cores()]):
                writer.write_table(table, row_group_size=GROUP)
    return path


def run(rows: int) -> dict[str, Any]:
    """Make the file, fit it in a fresh process, check the answer."""
    import json

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        file = make(rows, Path(folder) / "data.parquet")
        print(f"{os.stat(file).st_size / 1e9:.2f} GB written in {time.perf_counter() - start:.0f} s")
        done = subprocess.run([sys.executable, "-c", FIT, str(file)], check=True, capture_output=True, text=True)
    fit: dict[str, Any] = json.loads(done.stdout)
    scale = 10.0 ** (np.arange(8) % 3)
    found = np.array([fit["params"][name] for name in NAMES])
    errors = np.array([fit["bse"][name] for name in NAMES])
    assert fit["status"] == "ok" and fit["score_norm"] < 1e-6 and fit["nobs"] == rows
    assert np.abs((found - BETA[1:] / scale) / errors).max() < 5.0
    print(f"{rows:,} rows x {len(NAMES)} columns: {fit['seconds']:.1f} s, {fit['n_passes']} full reads, peak {fit['peak_MB']:.0f} MB")
    assert fit["n_passes"] <= MOST_READS and fit["peak_MB"] * 1e6 < MOST_MEMORY
    return fit


if __name__ == "__main__":
    run(int(float(sys.argv[1])) if len(sys.argv) > 1 else 100_000_000)
