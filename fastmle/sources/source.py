"""A `Source` hands out chunks, tuples of columns: from a reader, or of rows that are held in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.base import BATCH_ROWS, BLOCK_ROWS, Batch, Chunk, Column, Reader, cut, rows_text
from fastmle.sources.columns import Window
from fastmle.sources.parts import in_parts
from fastmle.sources.prefetch import prefetch


class Source:
    """Chunks of the wanted columns, `names` and then `roles`; `labels` names each for messages."""

    on_device = False  # whether the data lie on a GPU, as chunks then do
    single = False  # whether all rows come in one chunk, which stays as it is
    blocks: Any = ()  # the last of `names` are codes of these categoricals

    def __init__(
        self,
        reader: Reader,
        names: tuple[str, ...],
        roles: Mapping[str, str | Column],
        chunk_rows: int | None,
    ) -> None:
        self._reader = reader
        self._chunk_rows = chunk_rows
        self._spent = False
        self._parts: list[str | Column] = [*names, *roles.values()]
        self._read = list(dict.fromkeys(part for part in self._parts if isinstance(part, str)))
        if not self._read:  # nothing but arrays: some column must tell how many rows there are
            self._read = [name for name in reader.names if reader.unsuitable(name) is None][:1]
        self._arrays = {role: part for role, part in roles.items() if not isinstance(part, str)}
        self.names = names
        self.roles = tuple(roles)
        self.labels = names + tuple(p if isinstance(p, str) else role for role, p in roles.items())
        self.reopenable = reader.reopenable
        self.in_memory = reader.in_memory
        self.on_device = bool(getattr(reader, "on_device", False))
        self.description = reader.description
        if self._arrays and self.rows is not None:
            self._check_lengths(self.rows, ended=True)

    @cached_property
    def rows(self) -> int | None:
        """The number of rows, where it costs little to know: a file is asked for it once it is wanted."""
        return self._reader.rows

    def chunks(self, parted: bool = False) -> Iterator[Chunk]:
        """Read-only arrays of equal length, one for each label; what must be read or converted is made ahead.

        `parted`: a lone column of several buffers, or with nulls, may come as `Parts`, uncopied.
        """
        if self._spent and not self.reopenable:
            raise DataError(
                f"{self.description} can be read only once: pass a callable that returns "
                "a fresh iterator of chunks"
            )
        self._spent = True
        return prefetch(lambda: self._make(parted)) if self._reader.waits else self._make(parted)

    def host_chunks(self) -> Iterator[Chunk]:
        """The same rows in the host's memory: what lies on a GPU is copied piece by piece."""
        for chunk in self.chunks():
            if all(isinstance(column, np.ndarray) for column in chunk):
                yield chunk
                continue
            for start in range(0, chunk[0].size, BATCH_ROWS):
                yield tuple(np.asarray(column[start : start + BATCH_ROWS]) for column in chunk)

    def _make(self, parted: bool) -> Iterator[Chunk]:
        position = 0
        for batch in self._reader.batches(self._read, self._chunk_rows):
            self._check_lengths(position + batch.rows, ended=False)
            if batch.rows:
                whole: Any = in_parts(batch.columns[0]) if parted and self._lone(batch.rows) else None
                yield from self._pieces(batch, position) if whole is None else ((whole,),)
            position += batch.rows
        self._check_lengths(position, ended=True)

    def _lone(self, rows: int) -> bool:
        """Whether there is one column only, and no more rows than a chunk may have."""
        return len(self._parts) == 1 and not self._arrays and rows <= (self._chunk_rows or rows)

    def _pieces(self, batch: Batch, position: int) -> Iterator[Chunk]:
        extras = [Window(column, position, batch.rows) for column in self._arrays.values()]
        every = [*batch.columns, *extras]
        own = iter(range(len(batch.columns), len(every)))
        order = [self._read.index(part) if isinstance(part, str) else next(own) for part in self._parts]

        def pieces() -> Iterator[Chunk]:
            for start, stop in cut(batch.rows, every, self._chunk_rows):
                arrays = [column.piece(start, stop) for column in every]
                yield tuple(arrays[place] for place in order)

        converts = batch.rows > BLOCK_ROWS and not all(column.direct for column in every)
        return prefetch(pieces) if converts and not self._reader.waits else pieces()

    def _check_lengths(self, rows: int, *, ended: bool) -> None:
        for role, column in self._arrays.items():
            if column.length < rows or (ended and column.length != rows):
                least = "" if ended else "at least "
                raise DataError(
                    f"{role} has {rows_text(column.length)}, {self.description} has {least}{rows}",
                    column=role,
                )


class Held(Source):
    """Rows in memory as they are computed with, in one chunk; the names are another source's, or that of an array."""

    single = True

    def __init__(self, chunk: Chunk, like: Source | None = None, description: str = "sample") -> None:
        self._chunk = chunk
        self.names, self.roles, self.labels, self.blocks = (
            (like.names, like.roles, like.labels, like.blocks) if like else (("x",), (), ("x",), ())
        )
        self.rows, self.reopenable, self.in_memory, self.description = chunk[0].size, True, True, description

    def chunks(self, parted: bool = False) -> Iterator[Chunk]:
        return iter((self._chunk,))
