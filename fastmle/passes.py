"""One pass: the chunks of a source, cut into fixed blocks of 4096 rows, added to a state.

The blocks start at multiples of 4096 rows of the stream, however it came in chunks; with the exact addition of their
sums this makes the result the same to the last bit for any chunking and any number of threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from .errors import DataError
from .family import RowTerms, Terms
from .kernels.fold import BLOCK
from .sources import Source
from .states import Chunk, Options, State, new_state
from .states.base import Tally, on_host
from .states.kept import Kept

STAGE = 16 * BLOCK  # smaller chunks are gathered up to this many rows
PIECE = 1 << 26  # rows handed to a state at a time
AnyTally = TypeVar("AnyTally", bound=Tally)
Progress = Callable[[int, int | None, int], None]


def aligned(chunks: Iterable[Chunk]) -> Iterator[tuple[int, Chunk]]:
    """The same rows as (first row, chunk), every chunk but the last a whole number of blocks."""
    held: list[Chunk] = []
    count = row = 0

    def joined() -> Chunk:
        return held[0] if len(held) == 1 else tuple(np.concatenate(c) for c in zip(*held, strict=True))

    for chunk in chunks:
        rows = chunk[0].size
        if count + rows < STAGE:
            held.append(tuple(c.copy() for c in chunk))  # the giver may use its buffer again
            count += rows
            continue
        if count:
            need = -count % BLOCK
            held.append(tuple(c[:need] for c in chunk))
            yield row, joined()
            row += count + need
            chunk = tuple(c[need:] for c in chunk)
            rows -= need
        whole = rows - rows % BLOCK
        if whole:
            yield row, tuple(c[:whole] for c in chunk)
            row += whole
        held, count = [], rows - whole
        if count:
            held.append(tuple(c[whole:].copy() for c in chunk))
    if count:
        yield row, joined()


class Passes:
    """Runs passes over a source and counts them; what a family's fit is handed as `run`."""

    def __init__(
        self, source: Source, options: Options, progress: Progress | None = None, kept: Kept | None = None
    ) -> None:
        self.source = source
        self.options = options
        self.progress = progress
        self.kept = kept
        self.count = 0

    def run(self, terms: Terms, theta: Any = None) -> State:
        """One full read: what all rows add."""
        return self.run_all([new_state(terms, self.options, theta)])[0]

    def run_all(self, states: Sequence[AnyTally]) -> Sequence[AnyTally]:
        """One full read, added to several states."""
        self.count += 1
        kept = self.kept if self.count == 1 else None  # the first pass fills it
        for row, chunk in aligned(self.source.chunks()):
            for lo in range(0, chunk[0].size, PIECE):
                piece = tuple(c[lo : lo + PIECE] for c in chunk)
                for state in states:
                    state.add(piece, row + lo)
                if kept is not None:
                    kept.add(on_host(piece), self.options.weighted, row + lo)
                if self.progress is not None:
                    self.progress(row + lo + piece[0].size, self.source.rows, self.count)
        if not states[0].rows and not states[0].outside:
            raise self._nothing(states[0])
        return states

    def _nothing(self, state: Tally) -> DataError:
        label, where = self.options.labels[0], self.source.description
        if not state.seen:
            return DataError(f"column {label!r}: there are no rows in {where}", column=label)
        if state.dropped == state.seen:
            return DataError(f"column {label!r}: all {state.seen} rows of {where} are null", column=label)
        return DataError(
            f"column {self.options.weight_label!r}: all weights are zero", column=self.options.weight_label
        )

    def pilot(self, terms: RowTerms, rows: int) -> tuple[Passes, bool]:
        """Passes over the usable rows of a sample, and whether it is all there is.

        The sample is made of blocks spread over an array, or of the first rows of a file or stream.
        """
        parts: list[Chunk] = []
        have, whole = 0, True
        for chunk in self.source.chunks():
            size = chunk[0].size
            blocks = -(-size // BLOCK)
            spread = range(blocks) if size <= 2 * rows else range(0, blocks, max(1, size // rows))
            for b in spread:
                part = on_host(tuple(c[b * BLOCK : (b + 1) * BLOCK] for c in chunk))
                keep = np.isfinite(part[0])
                if terms.support is not None:
                    keep &= terms.support(part[0].astype(np.float64), terms.theta())
                if self.options.weighted:
                    keep &= (part[-1] > 0.0) & np.isfinite(part[-1])
                parts.append(tuple(c[keep] for c in part))
                have += parts[-1][0].size
            whole = whole and len(spread) == blocks
            if have >= 2 * rows:
                whole = False
                break
        sample = tuple(np.concatenate(c) for c in zip(*parts, strict=True)) if parts else (np.empty(0),)
        return Passes(_Memory(sample, self.source), self.options), whole


class _Memory(Source):
    """Rows in memory, with another source's names."""

    def __init__(self, chunk: Chunk, like: Source) -> None:
        self._chunk = chunk
        self.names, self.roles, self.labels = like.names, like.roles, like.labels
        self.rows, self.reopenable, self.in_memory = chunk[0].size, True, True
        self.description = "sample"

    def chunks(self) -> Iterator[Chunk]:
        yield self._chunk


class Bar:
    """`progress=True`: a line on stderr, at most ten times a second and only after the first second."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()

    def __call__(self, done: int, total: int | None, number: int) -> None:
        import sys

        now = time.monotonic()
        if now - self.start < 1.0 or now - self.last < 0.1:
            return
        self.last = now
        share = f" of {total:,} ({100 * done / total:.0f} %)" if total else ""
        sys.stderr.write(f"\rread {number}: {done:,} rows{share}")
        sys.stderr.flush()
