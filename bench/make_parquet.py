"""Write a Parquet file of one column of gamma data, a row group of a million rows at a time.

python bench/make_parquet.py 200e6 gamma.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 1_000_000


def make(rows: int, path: Path) -> Path:
    """`rows` values of Gamma(2.5, rate 0.25) in the column `x`."""
    rng = np.random.default_rng(7)
    with pq.ParquetWriter(path, pa.schema([("x", pa.float64())])) as writer:
        for start in range(0, rows, GROUP):
            values = rng.gamma(2.5, 4.0, min(GROUP, rows - start))
            writer.write_table(pa.table({"x": values}), row_group_size=GROUP)
    return path


if __name__ == "__main__":
    make(int(float(sys.argv[1])), Path(sys.argv[2]))
