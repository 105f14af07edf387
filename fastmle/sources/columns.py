"""Columns over NumPy buffers: plain, with nulls, bit-packed, glued, seen through a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from fastmle.sources.base import Array, Column, output_dtype, read_only
from fastmle.sources.buffers import take

MAPPED_ROWS = 1 << 22  # rows of a memory map between two looks at the file's size
SMALL_ROWS = 1 << 16  # buffers shorter than this are glued together: a copy is cheaper than a short chunk


class ArrayColumn:
    """A 1-D numeric array; `strided` lets views of a 2-D float64 array pass as they are."""

    breaks: Sequence[int] = ()

    def __init__(self, values: Array, *, strided: bool = False) -> None:
        dtype = output_dtype(values.dtype)
        if dtype is None or values.ndim != 1:
            raise TypeError(f"not a numeric column: {values.dtype} in {values.ndim} dimensions")
        self._values = values
        self._dtype = dtype
        self.length = len(values)
        self._bits = values.dtype.kind == "b"  # a byte of 0 or 1: seen as uint8, never converted
        same = self._bits or values.dtype == dtype
        laid_out = values.flags.c_contiguous or (strided and values.dtype == np.float64)
        self.direct = bool(same and values.flags.aligned and laid_out)

    def piece(self, start: int, stop: int) -> Array:
        part = self._values[start:stop]
        if self.direct:
            return read_only(part.view(np.uint8) if self._bits else part)
        with np.errstate(over="ignore", invalid="ignore"):
            return read_only(np.array(part, dtype=self._dtype, order="C", subok=False))


class NullableColumn:
    """Values and a function that says which rows of a piece are null: they become NaN in a float64 copy."""

    direct = False

    def __init__(self, values: Column, nulls: Callable[[int, int], Array]) -> None:
        self._values = values
        self._nulls = nulls
        self.length = values.length
        self.breaks = values.breaks

    def piece(self, start: int, stop: int) -> Array:
        values = self._values.piece(start, stop)
        nulls = np.flatnonzero(self._nulls(start, stop))
        if not nulls.size:
            return values
        copy = values.astype(np.float64)
        copy[nulls] = np.nan  # by their numbers: twice as fast as by a mask
        return read_only(copy)


class ValidColumn:
    """Values and Arrow's bitmap, whose bit `offset` is that of row 0: without a bit a row is NaN in a float64 copy."""

    direct = False

    def __init__(self, values: Column, packed: Array, offset: int) -> None:
        self.values = values
        self.packed = packed
        self.offset = offset
        self.length = values.length
        self.breaks = values.breaks

    def piece(self, start: int, stop: int) -> Array:
        values = self.values.piece(start, stop)
        first, last = self.offset + start, self.offset + stop
        packed = self.packed[first // 8 : -(-last // 8)]
        if stop == start or all_set(packed, first % 8, last):
            return values
        from fastmle.kernels.validity import compile_blank

        copy = take(stop - start)
        compile_blank()(values.astype(np.float64, copy=False), packed, first % 8, copy)
        return read_only(copy)


def all_set(packed: Array, first: int, last: int) -> bool:
    """Whether all bits are 1, from bit `first` of the first byte to the one before bit `last` % 8 of the last."""
    unset = ~packed
    unset[0] &= 255 << first & 255
    unset[-1] &= 255 >> -last % 8
    return not unset.any()


class NullColumn:
    """A column of which every row is null."""

    direct = False
    breaks: Sequence[int] = ()

    def __init__(self, length: int) -> None:
        self.length = length

    def piece(self, start: int, stop: int) -> Array:
        return read_only(np.full(stop - start, np.nan))


class BitColumn:
    """Bit-packed booleans, least bit first; row 0 is bit `offset`."""

    direct = False
    breaks: Sequence[int] = ()

    def __init__(self, packed: Array, offset: int, length: int) -> None:
        self._packed = packed
        self._offset = offset
        self.length = length

    def piece(self, start: int, stop: int) -> Array:
        first, last = self._offset + start, self._offset + stop
        bits = np.unpackbits(self._packed[first // 8 : -(-last // 8)], bitorder="little")
        return read_only(bits[first % 8 : first % 8 + stop - start])


class GluedColumn:
    """Several columns one after the other; breaks are kept where the pieces between them are long enough."""

    def __init__(self, parts: Sequence[Column]) -> None:
        self.parts = parts
        self._edges = [0, *np.cumsum([part.length for part in parts]).tolist()]
        self.length: int = self._edges[-1]
        self.direct = all(part.direct for part in parts)
        kept = [0]
        for part, (start, stop) in zip(parts, pairwise(self._edges), strict=True):
            kept += [start + at for at in (*part.breaks, part.length) if start + at - kept[-1] >= SMALL_ROWS]
            self.direct &= kept[-1] == stop or stop == self.length
        self.breaks = kept[1:]

    def piece(self, start: int, stop: int) -> Array:
        first = int(np.searchsorted(self._edges, start, "right")) - 1
        pieces = []
        for part, edge in zip(self.parts[first:], self._edges[first:], strict=False):
            if edge >= stop:
                break
            pieces.append(part.piece(max(start - edge, 0), min(stop - edge, part.length)))
        return pieces[0] if len(pieces) == 1 else read_only(np.concatenate(pieces))


class MappedColumn:
    """A column of a memory-mapped file: `check` looks at the file before each piece."""

    def __init__(self, column: Column, check: Callable[[], None]) -> None:
        self._column = column
        self._check = check
        self.length = column.length
        self.direct = column.direct
        self.breaks = range(MAPPED_ROWS, column.length, MAPPED_ROWS)

    def piece(self, start: int, stop: int) -> Array:
        self._check()
        return self._column.piece(start, stop)


class LentColumn:
    """A column whose memory its giver may write into again once it is asked for the next chunk: pieces of it are copies."""

    direct = False

    def __init__(self, column: Column) -> None:
        self._column = column
        self.length = column.length
        self.breaks = column.breaks

    def piece(self, start: int, stop: int) -> Array:
        values = self._column.piece(start, stop)  # read-only ones too: Arrow and polars look at NumPy's memory
        copy = take(stop - start, values.dtype)
        copy[:] = values
        return read_only(copy)


class Window:
    """Rows `start` to `start + length` of a column."""

    def __init__(self, column: Column, start: int, length: int) -> None:
        self._column = column
        self._start = start
        self.length = length
        self.direct = column.direct
        self.breaks = [at - start for at in column.breaks if start < at < start + length]

    def piece(self, start: int, stop: int) -> Array:
        return self._column.piece(self._start + start, self._start + stop)


def glue(parts: Sequence[Column]) -> Column:
    return parts[0] if len(parts) == 1 else GluedColumn(parts)
