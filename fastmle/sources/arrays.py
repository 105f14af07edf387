"""NumPy arrays (masked, structured, mapped from a file), lists and ranges."""

from __future__ import annotations

import mmap
import numbers
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.base import Array, Batch, Column, output_dtype, rows_text
from fastmle.sources.columns import ArrayColumn, MappedColumn, NullableColumn


class ArrayReader:
    """A 1-D array is the column "x"; an (n, k) array x0 .. x{k-1}; a structured array has its fields."""

    reopenable = True
    waits = False  # a map is read where it is used, right after the look at its file

    def __init__(self, values: Array, *, description: str = "") -> None:
        self._values = values
        self._map = mapping_of(values)
        self.in_memory = self._map is None
        self.names = array_names(values.shape, values.dtype)
        self.rows = len(values)
        self.description = description or f"array of {rows_text(self.rows)}"
        if values.ndim == 2 and not description:
            self.description += f" and {values.shape[1]} columns"

    def _column(self, name: str) -> Array:
        if self._values.dtype.names:
            return self._values[name]
        return self._values if self._values.ndim == 1 else self._values[:, self.names.index(name)]

    def unsuitable(self, name: str) -> str | None:
        values = self._column(name)
        if values.ndim > 1:
            return f"array of {values.shape[1:]}"
        return None if output_dtype(values.dtype) else type_text(values)

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        columns = [array_column(self._column(name), strided=self._values.ndim == 2) for name in names]
        if self._map is not None:
            check = partial(check_size, *self._map)
            columns = [MappedColumn(column, check) for column in columns]
        yield Batch(self.rows, columns)


def plain(data: Any) -> Array | None:
    """An array of one column as the kernels take it, in a read-only view; None for other data."""
    if type(data) is not np.ndarray or data.ndim != 1 or output_dtype(data.dtype) is None:
        return None
    column = ArrayColumn(data)
    return column.piece(0, column.length) if column.direct and mapping_of(data) is None else None


def array_names(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[str, ...]:
    if len(shape) not in (1, 2) or (dtype.names and len(shape) == 2):
        raise DataError(
            f"an array of shape {shape} was given; rows are wanted: one dimension, or two (rows, columns)"
        )
    if dtype.names:
        return dtype.names
    return ("x",) if len(shape) == 1 else tuple(f"x{j}" for j in range(shape[1]))


def dtype_problem(dtype: np.dtype[Any]) -> str | None:
    return None if output_dtype(dtype) else str(dtype)


def array_column(values: Array, *, strided: bool = False) -> Column:
    if not isinstance(values, np.ma.MaskedArray):
        return ArrayColumn(values, strided=strided)
    column = ArrayColumn(values.data, strided=strided)
    mask: Any = np.ma.getmask(values)
    if mask is np.ma.nomask or not mask.any():
        return column
    return NullableColumn(column, lambda start, stop: mask[start:stop])


def sequence_array(values: Sequence[Any]) -> Array:
    """A list, tuple or range of numbers (None is null), or a list of rows, as an array."""
    if isinstance(values, range):
        return np.arange(values.start, values.stop, values.step)
    first = next((v for v in values if v is not None), 0.0)
    if isinstance(first, np.ndarray) and first.ndim:
        raise DataError(
            "a list of arrays was given: columns go into a dict or an (n, k) array, "
            "chunks into a callable which returns an iterator over them"
        )
    try:
        array = np.asarray(values)
        if array.dtype == object and all(v is None or isinstance(v, numbers.Real) for v in values):
            array = np.array([np.nan if v is None else float(v) for v in values])
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"the list cannot be read as numbers: {error}") from error
    return array if array.size else array.astype(np.float64)


def type_text(values: Array) -> str:
    """The dtype, and for objects the type of the first one, for a message."""
    if values.dtype == object and len(values):
        return f"object ({type(values[0]).__name__} in its first row)"
    return str(values.dtype)


def mapping_of(values: Array) -> tuple[mmap.mmap, int] | None:
    """The memory map below an array, and the size its file must have for every element to be there."""
    root: Any = values
    while isinstance(root, np.ndarray) and not isinstance(root.base, mmap.mmap):
        root = root.base
    if not isinstance(root, np.memmap) or not isinstance(root.base, mmap.mmap):
        return None
    before = root.offset - root.offset % mmap.ALLOCATIONGRANULARITY
    begin = np.frombuffer(root.base, np.uint8).ctypes.data
    last = sum(max(0, (n - 1) * s) for n, s in zip(values.shape, values.strides, strict=True))
    return root.base, before + values.ctypes.data - begin + last + values.itemsize


def check_size(source: mmap.mmap, end: int) -> None:
    """A read behind the end of a mapped file kills the process: look before reading."""
    size = source.size()
    if size < end:
        raise DataError(f"the memory-mapped file was cut short: {size} bytes are left of {end}")
