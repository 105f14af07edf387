"""Chunks in the memory of their giver, who may write into it again once asked for the next one: copied before, and gathered."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from fastmle.sources.base import Array, Batch, read_only
from fastmle.sources.buffers import take
from fastmle.sources.columns import ArrayColumn

NUMBERS = 1 << 20  # that are handed on together
STEP = 1 << 17  # copied at a time: of all columns, as those of a matrix by rows share the processor's lines
LEAST = 1 << 14  # rows
PATIENCE = 0.1  # seconds that rows wait for others


def owned(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The same rows in memory of their own, in batches of other lengths."""
    room: list[Array] = []
    count, since = 0, 0.0

    def gathered() -> Batch:
        return Batch(count, [ArrayColumn(read_only(memory[:count])) for memory in room])

    for batch in batches:
        columns = len(batch.columns)
        most, step = (max(LEAST, numbers // columns // LEAST * LEAST) for numbers in (NUMBERS, STEP))
        done = 0
        while done < batch.rows:
            part = min(step, most - count, batch.rows - done)
            pieces = [column.piece(done, done + part) for column in batch.columns]
            if count and any(piece.dtype != memory.dtype for piece, memory in zip(pieces, room, strict=True)):
                yield gathered()
                room, count = [], 0
            if not count:
                memories, since = take(columns * most).reshape(columns, most), time.monotonic()
                room = [memory.view(piece.dtype)[:most] for memory, piece in zip(memories, pieces, strict=True)]
            for memory, piece in zip(room, pieces, strict=True):
                memory[count : count + part] = piece
            done, count = done + part, count + part
            if count == most or time.monotonic() - since > PATIENCE:
                yield gathered()
                room, count = [], 0
    if count:
        yield gathered()
