"""Chunks made by the user's code: a callable that returns a fresh iterator, an iterable, a one-shot iterator."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.base import Batch, Reader

SCALAR_ROWS = 1 << 16  # single numbers gathered into a chunk


class StreamReader:
    """Each chunk is opened like data in memory; the first one, read at once, tells the columns."""

    rows = None
    in_memory = False

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
        first = next(chunks, None)
        self._pending: Iterator[Any] | None = chunks if first is None else chain([first], chunks)
        self._first = None if first is None else self._reader(first, 0)
        self.names: Sequence[str] = ("x",) if self._first is None else self._first.names

    def _iterate(self) -> Iterator[Any]:
        chunks = self._start()
        if not hasattr(chunks, "__iter__"):
            raise DataError(f"{self.description} returned {type(chunks).__name__}, not an iterator of chunks")
        items = iter(chunks)
        for item in items:
            if isinstance(item, numbers.Number):
                rest = [item, *islice(items, SCALAR_ROWS - 1)]
                yield np.array(rest)
            else:
                yield item

    def _reader(self, chunk: Any, number: int) -> Reader:
        try:
            return self._open(chunk)
        except DataError as error:
            raise DataError(f"chunk {number} of {self.description}: {error}", column=error.column) from error

    def unsuitable(self, name: str) -> str | None:
        return None if self._first is None else self._first.unsuitable(name)

    def batches(self, names: Sequence[str], chunk_rows: int | None) -> Iterator[Batch]:
        pending, self._pending = self._pending, None
        self._first = None
        for number, chunk in enumerate(pending if pending is not None else self._iterate()):
            reader = self._reader(chunk, number)
            for name in names:
                kind = reader.unsuitable(name) if name in reader.names else "nothing: it is missing"
                if kind is not None:
                    raise DataError(
                        f"chunk {number} of {self.description}: column {name!r} has type {kind}", column=name
                    )
            yield from reader.batches(names, chunk_rows)
