"""Data held in memory (or mapped, or read by slabs): which reader takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import ArrayReader, sequence_array
from fastmle.sources.base import Reader
from fastmle.sources.frames import DictReader, PandasReader


def memory_reader(data: Any) -> Reader | None:
    """The reader for data in memory, or None if `data` is of no such kind."""
    package = type(data).__module__.partition(".")[0]
    if isinstance(data, np.ndarray):
        return ArrayReader(data)
    if package == "polars":
        from fastmle.sources.polars_ import FrameReader, LazyReader, is_polars

        if is_polars(data):
            return LazyReader(data) if type(data).__name__ == "LazyFrame" else FrameReader(data)
    if package == "pandas" and hasattr(data, "iloc"):
        return PandasReader(data)
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        from fastmle.sources.arrow import ArrowReader

        return ArrowReader(data)
    if isinstance(data, Mapping):
        return DictReader(data, column_reader)
    if isinstance(data, (list, tuple, range)):
        values = sequence_array(data)
        return ArrayReader(values, description="" if values.ndim == 2 else f"list of {len(values)} numbers")
    if hasattr(data, "__array_interface__") or hasattr(data, "__dlpack__"):
        try:
            return ArrayReader(np.asarray(data))
        except (TypeError, RuntimeError, ValueError) as error:
            raise DataError(f"{type(data).__name__} cannot be read as an array: {error}") from error
    return None


def column_reader(data: Any) -> Reader:
    """The reader for one column of a dict, for the values of a role, for a chunk."""
    reader = memory_reader(data)
    if reader is None or type(reader).__name__ == "LazyReader":
        raise DataError(f"an array or another column held in memory is wanted, not {type(data).__name__}")
    return reader
