"""Time against the rows of a Parquet file, up to more than one would hold in memory; the file goes however it ends."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .processes import file_engines, write
from .timing import clock, record

BYTES = 8.2  # a row takes, uncompressed: random digits do not become shorter, and decoding is not what is timed
HELD = 100_000_000  # rows up to which an engine that holds the column in memory is asked too
SPARE = 1 << 30  # bytes of disk left to others


def room(rows: int, folder: str) -> None:
    """Raises DataError where the disk has no room for a file of so many rows."""
    free, needed = shutil.disk_usage(folder).free, int(BYTES * rows)
    if free < needed + SPARE:
        raise DataError(
            f"a file of {rows:,} rows takes {needed / 1e9:.1f} GB and 1 GB shall stay free, but {folder} has {free / 1e9:.1f} GB: "
            "choose a smaller --scaling, or another place by the variable TMPDIR"
        )


def engines_for(rows: int) -> dict[str, Callable[[str], Any]]:
    """All that read files; beyond HELD rows only those that read in pieces."""
    return {name: engine for name, engine in file_engines().items() if rows <= HELD or name != "polars"}


def larger(most: int) -> Iterator[dict[str, Any]]:
    """Time against rows of an uncompressed file, up to `most`, in row groups of a million; the last read finds it in the
    system's cache, as far as that reaches. Raises DataError where there is no room, AssertionError where answers differ."""
    room(most, tempfile.gettempdir())
    rows = 1000
    while rows <= most:
        with tempfile.TemporaryDirectory(prefix="fastmle-bench-") as folder:
            file = Path(folder) / "x.parquet"
            write(rows, file, "uncompressed")
            expected = None
            for name, engine in engines_for(rows).items():
                found = engine(str(file))  # which warms it, too
                expected = found if expected is None else expected
                np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=name)
                times = clock(partial(engine, str(file)), rounds=3 if rows > HELD else 7, warm=False)
                yield record("time against rows of a Parquet file", name, times, at=rows, bytes=file.stat().st_size)
        rows *= 10
