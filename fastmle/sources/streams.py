"""Chunks made by the user's code: a callable that returns a fresh iterator, an iterable, an iterator."""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.base import Batch, Reader
from fastmle.sources.columns import LentColumn

SCALAR_ROWS = 1 << 16  # single numbers gathered into a chunk


class StreamReader:
    """Each chunk is opened like data in memory; the first one, read at once, tells the columns."""

    rows = None
    in_memory = False
    waits = True

    def __init__(
        self,
        start: Callable[[], Any],
        open_chunk: Callable[[Any], Reader],
        *,
        reopenable: bool,
        description: str,
    ) -> None:
        self._start = start
        self._open = open_chunk
        self.reopenable = reopenable
        self.description = description
        chunks = self._iterate()
        try:
            first = next(chunks)
        except StopIteration:
            raise DataError(f"{description} gave no chunk at all: the data are empty") from None
        self._pending: Iterator[Any] | None = chain([first], chunks)
        self._first: Reader | None = self._reader(first, 0)
        self.names: Sequence[str] = self._first.names

    def _iterate(self) -> Iterator[Any]:
        """The chunks; single numbers are gathered."""
        chunks = self._start()
        if not hasattr(chunks, "__iter__") or isinstance(chunks, (str, bytes)):
            raise DataError(f"{self.description} returned {type(chunks).__name__}, not an iterator of chunks")
        items = iter(chunks)
        try:
            for item in items:
                if isinstance(item, numbers.Number):
                    yield [item, *islice(items, SCALAR_ROWS - 1)]
                else:
                    yield item
                del item
        except sqlite_error() as error:
            if "thread" not in str(error):
                raise
            raise DataError(
                f"{self.description}: chunks are read in a thread of their own; "
                f"connect with check_same_thread=False ({error})"
            ) from error

    def _reader(self, chunk: Any, number: int) -> Reader:
        try:
            return self._open(as_columns(chunk))
        except DataError as error:
            raise DataError(f"chunk {number} of {self.description}: {error}", column=error.column) from error

    def unsuitable(self, name: str) -> str | None:
        return None if self._first is None else self._first.unsuitable(name)

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        pending, self._pending = self._pending, None
        self._first = None
        for number, chunk in enumerate(pending if pending is not None else self._iterate()):
            reader = self._reader(chunk, number)
            alone = len(self.names) == len(reader.names) == 1 and nameless(chunk)
            wanted = list(reader.names) * len(names) if alone else names
            self._check(reader, wanted, number)
            for batch in reader.batches(wanted, chunk_rows):
                yield Batch(batch.rows, [LentColumn(column) for column in batch.columns])
            del chunk, reader

    def _check(self, reader: Reader, names: Sequence[str], number: int) -> None:
        """Raise unless the chunk has all these columns, as numbers."""
        for name in names:
            if name not in reader.names:
                raise DataError(f"chunk {number} of {self.description} has no column {name!r}", column=name)
            kind = reader.unsuitable(name)
            if kind is not None:
                raise DataError(
                    f"chunk {number} of {self.description}: column {name!r} has type {kind}", column=name
                )


def nameless(chunk: Any) -> bool:
    """Whether a chunk is one column without a name: an array, a list, a series that nobody named."""
    return not (any(hasattr(chunk, a) for a in ("keys", "columns", "column_names", "schema")) or getattr(chunk, "name", None))


def sqlite_error() -> tuple[type[Exception], ...]:
    """The error of a connection used outside its thread, if sqlite3 is loaded at all."""
    loaded = sys.modules.get("sqlite3")
    return (loaded.ProgrammingError,) if loaded else ()


def as_columns(chunk: Any) -> Any:
    """A chunk (X, y) as the columns x0 .. and y."""
    if not (isinstance(chunk, tuple) and len(chunk) == 2 and all(hasattr(part, "shape") for part in chunk)):
        return chunk
    features, target = np.asanyarray(chunk[0]), chunk[1]
    if features.ndim not in (1, 2):
        return chunk
    columns = features.reshape(len(features), -1).T
    return {**{f"x{j}": column for j, column in enumerate(columns)}, "y": target}
