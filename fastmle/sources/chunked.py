"""Array-like objects that are read by slices: h5py, zarr, netCDF, dask. Slabs follow their own chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import array_column, array_names, dtype_problem
from fastmle.sources.base import BATCH_ROWS, Array, Batch, guarded, rows_text

SLAB_BYTES = 1 << 25


class ChunkedReader:
    """One or two dimensions, or records; a slab is read once, whatever is then taken of it."""

    reopenable = True
    in_memory = False
    waits = True

    def __init__(self, data: Any) -> None:
        self._data = data
        shape = tuple(data.shape)
        self.rows: int = shape[0] if shape else 0
        self.description = f"{type(data).__name__} of {rows_text(self.rows)}"
        self._dtype = self._find_dtype()
        self.names = array_names(shape, self._dtype)
        self._width = shape[1] if len(shape) == 2 else 1

    def _find_dtype(self) -> np.dtype[Any]:
        try:
            dtype: np.dtype[Any] = np.dtype(self._data.dtype)
        except (AttributeError, TypeError):
            dtype = np.asarray(self._data[:1]).dtype
        return dtype

    def unsuitable(self, name: str) -> str | None:
        return dtype_problem(self._dtype[name] if self._dtype.names else self._dtype)

    def _slab_rows(self, chunk_rows: int | None) -> int:
        """About 32 MB, or `chunk_rows`, rounded to a whole number of the object's own chunks."""
        row_bytes = max(1, self._width * self._dtype.itemsize)
        rows = chunk_rows or max(1, min(BATCH_ROWS, SLAB_BYTES // row_bytes))
        own = getattr(self._data, "shards", None) or getattr(self._data, "chunks", None)
        first: Any = own[0] if isinstance(own, tuple) and own else 1
        step = int(max(first, default=1) if isinstance(first, tuple) else first)  # dask lists every chunk
        return max(1, rows // max(1, step)) * max(1, step)

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        slabs = Slabs(self._data, self.rows, self._slab_rows(chunk_rows), self.description)
        columns = [SlabColumn(slabs, name if self._dtype.names else self.names.index(name)) for name in names]
        yield Batch(self.rows, columns)


class Slabs:
    """The slab read last is kept: its columns, and its pieces, are asked for one after the other."""

    def __init__(self, data: Any, rows: int, step: int, description: str) -> None:
        self._data = data
        self._description = description
        self._kept: Array | None = None
        self._start = 0
        self.rows = rows
        self.step = step

    def read(self, start: int, stop: int) -> Array:
        kept = self._kept
        if kept is None or start < self._start or stop > self._start + len(kept):
            self._start = start - start % self.step
            end = max(stop, min(self._start + self.step, self.rows))
            self._kept = kept = guarded(
                self._description, lambda: np.asanyarray(self._data[self._start : end])
            )
            if len(kept) != end - self._start:
                raise DataError(f"{self._description} gave {rows_text(len(kept))} of {end - self._start}")
        return kept[start - self._start : stop - self._start]


class SlabColumn:
    """A column of the slabs: a field of records, or a number."""

    direct = True  # no block is smaller than a slab

    def __init__(self, slabs: Slabs, place: str | int) -> None:
        self._slabs = slabs
        self._place: Any = place
        self.length = slabs.rows
        self.breaks = range(slabs.step, slabs.rows, slabs.step)

    def piece(self, start: int, stop: int) -> Array:
        slab = self._slabs.read(start, stop)
        if isinstance(self._place, str):
            slab = slab[self._place]
        elif slab.ndim == 2:
            slab = slab[:, self._place]
        return array_column(slab, strided=True).piece(0, stop - start)
