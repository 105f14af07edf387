"""Write Parquet files of one column of gamma data, a row group of a million rows at a time.

python bench/make_parquet.py 200e6 gamma.parquet
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 1_000_000


def group(start: int, rows: int, nulls: float = 0.0) -> pa.Table:
    """Values of Gamma(2.5, rate 0.25) in the column `x`, a share of them null."""
    rng = np.random.default_rng([7, start])
    values = rng.gamma(2.5, 4.0, rows)
    return pa.table({"x": pa.array(values, mask=rng.random(rows) < nulls if nulls else None)})


def make(rows: int, path: Path, *, first: int = 0, nulls: float = 0.0, compression: str = "snappy") -> Path:
    """`rows` values from number `first` on; Parquet, or Arrow IPC if the name ends so."""
    schema = pa.schema([("x", pa.float64())])
    if path.suffix == ".arrow":
        with pa.ipc.new_file(path, schema) as file:
            for start in range(first, first + rows, GROUP):
                file.write_table(group(start, min(GROUP, first + rows - start), nulls))
        return path
    with pq.ParquetWriter(path, schema, compression=compression, use_dictionary=False) as writer:
        for start in range(first, first + rows, GROUP):
            writer.write_table(group(start, min(GROUP, first + rows - start), nulls), row_group_size=GROUP)
    return path


if __name__ == "__main__":
    make(int(float(sys.argv[1])), Path(sys.argv[2]))
