"""One pass: the chunks of a source, cut into fixed blocks of 4096 rows, added to a state.

The blocks start at multiples of 4096 rows of the stream, however it came in chunks; with the exact addition of their
sums this makes the result the same to the last bit for any chunking and any number of threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .errors import DataError
from .family import RowTerms, Terms
from .kernels.fold import BLOCK
from .sources import Held, Source
from .sources.parts import Parts, join
from .states import Chunk, Options, State, new_state
from .states.base import Tally, on_host
from .states.kept import Kept

STAGE = 16 * BLOCK  # smaller chunks are gathered up to this many rows
PIECE = 1 << 26  # rows handed to a state at a time
AnyTally = TypeVar("AnyTally", bound=Tally)
Progress = Callable[[int, int | None, int], None]


def aligned(chunks: Iterable[Chunk], rows_in_all: int | None = None) -> Iterator[tuple[int, Chunk]]:
    """The same rows as (first row, chunk), every chunk but the last a whole number of blocks."""
    held: list[Chunk] = []
    count = row = 0

    def joined() -> Chunk:
        return held[0] if len(held) == 1 else tuple(join(c) for c in zip(*held, strict=True))

    for chunk in chunks:
        rows = chunk[0].size
        if rows == rows_in_all:
            yield row, chunk
            row += rows
            continue
        if count + rows < STAGE:
            held.append(tuple(c.copy() for c in chunk))  # the giver may use its buffer again
            count += rows
            continue
        if count and any(isinstance(c, Parts) for c in chunk):
            held.append(chunk)
            chunk, rows = joined(), rows + count
            count = 0
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
        self._rows: int | None = None  # that a read gave

    def run(self, terms: Terms, theta: Any = None) -> State:
        """One full read: what all rows add."""
        return self.run_all([new_state(terms, self.options, theta)])[0]

    def run_all(self, states: Sequence[AnyTally]) -> Sequence[AnyTally]:
        """One full read, added to several states."""
        self.count += 1
        kept = self.kept if self.count == 1 else None  # the first pass fills it
        parted = kept is None and all(state.takes_parts for state in states)
        for row, chunk in self._aligned(self.source.chunks(parted)):
            for lo in range(0, chunk[0].size, PIECE):
                piece = tuple(c[lo : lo + PIECE] for c in chunk)
                for state in states:
                    state.add(piece, row + lo)
                if kept is not None:
                    kept.add(on_host(piece), self.options.weighted, row + lo)
                if self.progress is not None:
                    self.progress(row + lo + piece[0].size, self.source.rows, self.count)
        seen = states[0].seen
        if self._rows not in (None, seen):
            raise DataError(f"{self.source.description} gave {self._rows} rows in one read and {seen} in another")
        self._rows = seen
        if not states[0].rows and not states[0].outside:
            raise self._nothing(states[0])
        return states

    def _aligned(self, chunks: Iterable[Chunk]) -> Iterable[tuple[int, Chunk]]:
        source = self.source
        if source.single:
            return enumerate(chunks)  # one: its first row is 0
        at_hand = source.in_memory and not source.on_device
        return aligned(chunks, source.rows if at_hand else None)  # to ask a file costs more than a small fit

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
        """Passes over what `first` gives, and whether that is all."""
        first, whole = self.first(terms, rows)
        return self.over(first), whole

    def first(self, terms: RowTerms, rows: int) -> tuple[Chunk, bool]:
        """The usable ones of the first rows, and whether these are all: up to 2 · `rows`, else `rows`.

        They are told by their number in the stream alone, so that the way it comes in chunks does not show.
        """
        parts: list[Chunk] = []
        have, whole = 0, True
        for chunk in self.source.chunks():
            part = tuple(c[: 2 * rows - have] for c in chunk)
            parts.append(tuple(c.copy() for c in on_host(part)))
            have += part[0].size
            whole = part[0].size == chunk[0].size
            if not whole:
                break
        first = tuple(np.concatenate(c) for c in zip(*parts, strict=True)) if parts else (np.empty(0),)
        first = first if whole else tuple(c[:rows] for c in first)
        keep = np.isfinite(first[0])
        if terms.support is not None:
            keep &= terms.support(first[0].astype(np.float64), terms.theta())
        if self.options.weighted:
            keep &= (first[-1] > 0.0) & np.isfinite(first[-1])
        return tuple(c[keep] for c in first), whole

    def share(self, value: float) -> float:
        """The share of the weight that rows of this value have: one more read."""
        self.count += 1
        equal = total = 0.0
        for column, *w in self.source.host_chunks():
            x = np.asarray(column, np.float64)
            weights = np.asarray(w[0], np.float64) if self.options.weighted else np.ones(x.size)
            used = np.isfinite(x) & (weights > 0.0)
            equal += float(weights[used & (x == value)].sum())
            total += float(weights[used].sum())
        return equal / total

    def over(self, chunk: Chunk, **options: Any) -> Passes:
        """Passes over rows in memory, in place of the source's."""
        return Passes(Held(chunk, self.source), replace(self.options, **options))


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
