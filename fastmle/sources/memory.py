"""Which reader takes which data: held in memory (or mapped, or read by slabs), or the result of a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import ArrayReader, sequence_array
from fastmle.sources.base import Reader, guarded
from fastmle.sources.chunked import ChunkedReader
from fastmle.sources.frames import DictReader, PandasReader


def package_of(data: Any) -> str:
    """The package that made the data: asked before importing anything of it."""
    return type(data).__module__.partition(".")[0]


def lies_on_device(data: Any) -> bool:
    """Whether the data are an array in a GPU's memory; asked without importing anything."""
    if hasattr(data, "__cuda_array_interface__"):
        return True
    try:
        where = getattr(data, "__dlpack_device__", None)
        return where is not None and int(where()[0]) in (2, 13)
    except TypeError:  # Arrow's columns with nulls or of other types than numbers, which do not say
        if not hasattr(data, "__arrow_c_array__"):
            raise
        return False


def query_reader(data: Any) -> Reader | None:
    """The reader for a query, which runs anew for each pass; None for other data."""
    return guarded(type(data).__name__, lambda: _query_reader(data))


def _query_reader(data: Any) -> Reader | None:
    package = package_of(data)
    if package == "polars" and hasattr(data, "collect_batches"):
        from fastmle.sources.polars_ import LazyReader

        return LazyReader(data)
    if package in ("duckdb", "_duckdb") and hasattr(data, "project"):
        from fastmle.sources.duckdb_ import RelationReader

        return RelationReader(data)
    if package == "pyarrow" and hasattr(data, "scanner"):
        from fastmle.sources.dataset import DatasetReader

        return DatasetReader(data)
    return None


def memory_reader(data: Any) -> Reader | None:
    """The reader for data which are there; None for other data."""
    return guarded(type(data).__name__, lambda: _memory_reader(data))


def _memory_reader(data: Any) -> Reader | None:
    if isinstance(data, np.ndarray):
        return ArrayReader(np.asarray(data) if isinstance(data, np.matrix) else data)  # its columns have two dimensions
    package = package_of(data)
    if package == "cudf" and hasattr(data, "columns"):  # each column lies on the device
        return DictReader({name: data[name] for name in data.columns}, column_reader)
    if lies_on_device(data):
        from fastmle.sources.device import DeviceReader

        return DeviceReader(data)
    if package == "polars" and hasattr(data, "to_numpy"):
        from fastmle.sources.polars_ import FrameReader

        return FrameReader(data)
    if package == "pandas" and hasattr(data, "iloc"):
        return PandasReader(data)
    if type(data).__module__.startswith("scipy.sparse"):
        raise DataError("a sparse matrix was given: make it dense with .toarray(), a part of its rows at a time if it is large")
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        from fastmle.sources.arrow import ArrowReader

        return ArrowReader(data)
    if isinstance(data, Mapping):
        return DictReader(data, column_reader)
    if isinstance(data, (list, tuple, range)):
        values = sequence_array(data)
        return ArrayReader(values, description="" if values.ndim == 2 else f"list of {len(values)} numbers")
    if hasattr(data, "__array_interface__") or hasattr(data, "__dlpack__"):
        return ArrayReader(np.asarray(data))
    if hasattr(data, "shape") and hasattr(data, "__getitem__"):
        return ChunkedReader(data)
    return None


def column_reader(data: Any) -> Reader:
    """The reader for one column of a dict, for the values of a role, for a chunk."""
    reader = memory_reader(data)
    if reader is None:
        raise DataError(f"an array or another column held in memory is wanted, not {type(data).__name__}")
    return reader
