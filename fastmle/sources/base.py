"""What a source is made of: columns that hand out pieces, readers that hand out batches of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from numbers import Integral
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from fastmle.errors import DataError

T = TypeVar("T")
Array: TypeAlias = npt.NDArray[Any]
Chunk: TypeAlias = tuple[Array, ...]

BLOCK_ROWS = 1 << 18  # rows converted at a time, so that no temporary is as long as the data
BATCH_ROWS = 1 << 20  # rows asked of a file reader at a time


class Column(Protocol):
    """A column held in memory (or mapped into it), which hands out rows `start` to `stop`."""

    @property
    def length(self) -> int: ...

    @property
    def direct(self) -> bool:
        """True when `piece` is a view, whatever its length."""

    @property
    def breaks(self) -> Sequence[int]:
        """Rows at which `piece` had better stop, so that it need not glue buffers together."""

    def piece(self, start: int, stop: int) -> Array:
        """A native, read-only array of float64, float32, int64, int32 or uint8.

        It is contiguous, except that the columns of one 2-D float64 array are views with a stride.
        """


class Batch(NamedTuple):
    rows: int
    columns: Sequence[Column]


class Reader(Protocol):
    """One kind of data. `batches` may be called again if `reopenable`."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def rows(self) -> int | None:
        """The number of rows, where it costs little to know."""

    @property
    def reopenable(self) -> bool: ...

    @property
    def in_memory(self) -> bool: ...

    @property
    def waits(self) -> bool:
        """True where reading takes time that a thread can hide."""

    @property
    def description(self) -> str: ...

    def unsuitable(self, name: str) -> str | None:
        """The name of the column's type if it is not numeric, else None."""

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        """The rows in order, of these columns only."""


@cache
def output_dtype(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """The smallest of the five dtypes which holds all values of `dtype`; None if it is not numeric."""
    size = dtype.itemsize
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f":
        return np.dtype(np.float32 if size <= 4 else np.float64)
    if dtype.kind == "i":
        return np.dtype(np.int32 if size <= 4 else np.int64)
    if dtype.kind == "u":
        return np.dtype((np.uint8, np.int32, np.int64, np.float64)[size.bit_length() - 1])
    return None


def is_integer(value: Any) -> bool:
    """Whether it is of a type of whole numbers, Python's or numpy's."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def read_only(values: Array) -> Array:
    """A plain, read-only view; the caller's own array keeps its flags."""
    view = values.view(np.ndarray)
    view.flags.writeable = False
    return view


def cut(rows: int, columns: Sequence[Column], chunk_rows: int | None) -> Iterator[tuple[int, int]]:
    """Bounds of pieces, at the breaks and at `chunk_rows`; blocks, unless everything is a view."""
    limit = chunk_rows or (rows if all(column.direct for column in columns) else BLOCK_ROWS)
    if rows <= limit and not any(column.breaks for column in columns):
        yield 0, rows
        return
    edges = {0, rows}.union(*(column.breaks for column in columns))
    for start, stop in pairwise(sorted(edges)):
        for begin in range(start, stop, limit):
            yield begin, min(begin + limit, stop)


def guarded(where: str | Callable[[], str], run: Callable[[], T]) -> T:
    """Run a reader's step: whatever it raises comes as DataError, with the place and the reason it gave."""
    try:
        return run()
    except (DataError, KeyboardInterrupt, MemoryError, StopIteration):
        raise
    except BaseException as error:  # a panic in Rust is no Exception
        reason = str(error).strip().split("\n\n")[0] or type(error).__name__
        place = where if isinstance(where, str) else where()
        raise DataError(f"{place} cannot be read: {reason}") from error


def guarded_iterator(where: str | Callable[[], str], items: Iterator[T]) -> Iterator[T]:
    while True:
        try:
            item = guarded(where, lambda: next(items))
        except StopIteration:
            return
        yield item
        del item


def rows_text(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"
