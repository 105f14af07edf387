"""A column in several buffers, with Arrow's bitmaps: made into arrays where it is computed, a few blocks at a time.

What is copied (rows with nulls, a block that lies in two buffers) is then still in the processor's cache when it is added up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from fastmle.sources.base import Array, Column, read_only
from fastmle.sources.buffers import take
from fastmle.sources.columns import GluedColumn, ValidColumn

COPIED = 1 << 17  # rows copied at a time: a megabyte


class Part(NamedTuple):
    """Rows in one buffer, all of them valid, or those whose bit is set: that of row 0 is bit `first` of `packed`."""

    values: Array
    packed: Array | None = None
    first: int = 0


class Parts:
    """A column of a chunk, sliced like an array; `np.asarray` makes it one, NaN where a row is null."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._edges = [0, *accumulate(part.values.size for part in parts)]
        self.size: int = self._edges[-1]
        kinds = {part.values.dtype for part in parts}
        plain = len(kinds) == 1 and all(part.packed is None for part in parts)
        self.dtype: np.dtype[Any] = kinds.pop() if plain else np.dtype(np.float64)

    def __getitem__(self, rows: slice) -> Parts:
        start, stop, _ = rows.indices(self.size)
        return Parts(self.parts(start, stop))

    def parts(self, start: int, stop: int) -> list[Part]:
        """The buffers of these rows, cut to them."""
        found = []
        place = bisect_right(self._edges, start) - 1
        for part, edge in zip(self._parts[place:], self._edges[place:], strict=False):
            if edge >= stop:
                break
            lo, hi = max(start - edge, 0), min(stop - edge, part.values.size)
            found.append(Part(part.values[lo:hi], part.packed, part.first + lo))
        return found

    def copy(self) -> Array:
        out = np.empty(self.size, self.dtype)
        self._copy(0, self.size, out)
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.copy().astype(dtype or self.dtype, copy=False)

    def _copy(self, start: int, stop: int, out: Array) -> None:
        at = 0
        for values, packed, first in self.parts(start, stop):
            here = out[at : at + values.size]
            at += values.size
            if packed is None:
                here[:] = values
                continue
            from fastmle.kernels.validity import compile_blank

            values = np.ascontiguousarray(values, np.float64)
            compile_blank()(values, packed[first // 8 :], first % 8, here)

    def arrays(self, start: int, stop: int, block: int) -> Iterator[Array]:
        """Rows `start` to `stop` as contiguous arrays of whole blocks: views, or copies that the next one overwrites."""
        scratch: Array | None = None
        while start < stop:
            place = bisect_right(self._edges, start) - 1
            values, packed, _ = self._parts[place]
            edge, end = self._edges[place], min(self._edges[place + 1], stop)
            same = packed is None and values.dtype == self.dtype
            whole = stop if end == stop else end - (end - start) % block
            if same and whole > start:
                yield np.ascontiguousarray(values[start - edge : whole - edge])
            else:
                whole = min(start + (block if same else COPIED), stop)
                if scratch is None:
                    scratch = take(COPIED, self.dtype)
                out = scratch[: whole - start]
                self._copy(start, whole, out)
                yield read_only(out)
            start = whole


def in_parts(column: Column) -> Parts | None:
    """A column of several buffers, or with nulls, as Parts; None for any other."""
    if not isinstance(column, (ValidColumn, GluedColumn)):
        return None
    found = [part for part in parts_of(column) or () if part.values.size]
    return Parts(found) if len(found) > 1 or any(part.packed is not None for part in found) else None


def parts_of(column: Column) -> list[Part] | None:
    """The buffers of a column, where it is made of nothing else."""
    if not isinstance(column, (ValidColumn, GluedColumn)):
        return [Part(column.piece(0, column.length))] if column.direct and not column.breaks else None
    if isinstance(column, ValidColumn):
        inner = parts_of(column.values)
        single = inner is not None and len(inner) == 1 and inner[0].packed is None
        return [Part(inner[0].values, column.packed, column.offset)] if inner and single else None
    found: list[Part] = []
    for part in column.parts:
        some = parts_of(part)
        if some is None:
            return None
        found += some
    return found


def join(columns: Sequence[Any]) -> Any:
    """Columns one after the other; without a copy if one of them is in parts."""
    if not any(isinstance(column, Parts) for column in columns):
        return np.concatenate(columns)
    found: list[Part] = []
    for column in columns:
        found += column.parts(0, column.size) if isinstance(column, Parts) else [Part(column)]
    return Parts(found)
