"""What row sums and Gram sums share: exact totals about an anchor that may move at fixed places of the stream."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..kernels import exact
from ..kernels.exact import UNSOUND
from ..kernels.fold import BAD, BLOCK
from ..pool import run_slices, threads_for, with_own
from ..sources.parts import Parts
from . import expansions
from .base import LEAST, TRIAL, Chunk, Options, State, floats_from_json, floats_to_json, on_host

BOUNDARY = 256  # blocks: the anchor may move after 1, 2, 4, ... 256 blocks and then at each 256 (2^20 rows)
DRIFT = 10.0  # standard deviations
LAUNCH = 1 << 26  # rows; a launch ends well within half a second, so that Ctrl-C is answered
MOST_SUMS = 1 << 22  # block sums that a launch may fill
_NO_WEIGHTS, _NO_COUNTS = np.empty(0), np.empty((0, 3), np.int64)
_NOWHERE, _HERE = np.empty(0, np.int64), np.zeros(1, np.int64)


@lru_cache(16)
def boundaries(first: int, blocks: int) -> np.ndarray:
    """Where in the `blocks` blocks after the `first` ones of a stream the anchor may move: block counts in 1..blocks."""
    powers = 2 ** np.arange(BOUNDARY.bit_length())
    later = np.arange((first // BOUNDARY + 1) * BOUNDARY, first + blocks + 1, BOUNDARY)
    places = np.concatenate([powers, later[later > BOUNDARY]]) - first
    return places[(places >= 1) & (places <= blocks)]


@cache
def _are_maxima(letters: str) -> np.ndarray:
    return np.array([letter == "m" for letter in letters])


class TotalsState(State):
    """Exact totals, one a slot; `theta` holds the constants that the rows were taken with, None until rows came."""

    drifts = True  # whether the anchor may move while rows come

    def __init__(self, options: Options, letters: str, theta: Any) -> None:
        super().__init__(options)
        self.letters = letters  # "s" a sum, "m" a maximum
        self.is_max = _are_maxima(letters)
        self.totals = exact.empty_totals(letters)
        self.theta = theta
        self._scratch = np.empty((1, len(letters))), np.empty((1, 3), np.int64)

    @abstractmethod
    def _kernel(self, columns: Chunk, w: np.ndarray) -> Any:
        """kernel(first_block, last_block, sums, counts) for this chunk."""

    @abstractmethod
    def _anchor_of(self, columns: Chunk, w: np.ndarray) -> Any:
        """The constants for these rows; None where no row is usable or the terms need no anchor."""

    @abstractmethod
    def _anchor_of_sums(self) -> Any: ...

    def _drifted(self, at: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> int:
        """The first of the boundaries `at` in blocks with these sums at which the mean has left the anchor by more than
        DRIFT standard deviations, or -1; `counts` are of their rows that do not count, or empty where all do. Asked if the
        state `drifts`."""
        raise NotImplementedError

    @abstractmethod
    def _moved(self, new: Any) -> np.ndarray:
        """The totals about other constants."""

    @abstractmethod
    def _coarseness(self, theta: Any) -> float:
        """Larger for an anchor with a larger scale."""

    # -- adding --------------------------------------------------------------------------------------------------

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        columns, w = (chunk[:-1], chunk[-1]) if self.options.weighted else (chunk, _NO_WEIGHTS)
        if self.options.device == "cpu":
            columns = columns if self.takes_parts and isinstance(columns[0], Parts) else on_host(columns)
            w = np.ascontiguousarray(w, np.float64) if w.size else w
        rows, done = columns[0].size, 0
        before = dict(self.__dict__)
        try:
            if rows < BLOCK and self._add_short(columns, w, first_row):
                return
            launch = min(LAUNCH, BLOCK * max(16, MOST_SUMS // len(self.letters)))
            while done < rows:
                some = slice(done, done + launch)
                done += self._add_until_drift(tuple(c[some] for c in columns), w[some], first_row + done)
        except BaseException:  # a bad row, or Ctrl-C between two launches: all or nothing
            self.__dict__.update(before)
            raise

    def _add_short(self, columns: Chunk, w: np.ndarray, first_row: int) -> bool:
        """Add less than a block of rows if all of them count; else add nothing and say so: for frequent small updates."""
        if self.theta is None:
            self._choose_anchor(columns, w)
            if self.theta is None:
                return False
        sums, counts = self._scratch
        self._kernel(columns, w)(0, 1, sums, counts)
        if not exact.add_if_sound()(self.totals, self.is_max, sums, counts):
            return False
        rows = columns[0].size
        self.rows += rows
        self.seen += rows
        before, after = first_row // BLOCK, (first_row + rows) // BLOCK
        at_boundary = after > before and self.drifts and boundaries(before, after - before).size
        if at_boundary and self._drifted(_HERE, np.empty((0, len(self.letters))), _NO_COUNTS) >= 0:
            self._rebase(self._anchor_of_sums())
        return True

    def __copy__(self) -> Any:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.totals = self.totals.copy()
        made._scratch = np.empty_like(self._scratch[0]), np.empty_like(self._scratch[1])
        return made

    def _add_until_drift(self, columns: Chunk, w: np.ndarray, first_row: int) -> int:
        """Add rows up to the end, or to a boundary at which the anchor moves; return how many."""
        rows = columns[0].size
        if self.theta is None:
            self._choose_anchor(columns, w)
        sums, counts, totals, tally = self._launch(columns, w)
        at = boundaries(first_row // BLOCK, rows // BLOCK) if self.drifts else _NOWHERE
        stop = -1
        if tally[BAD] or tally[UNSOUND]:
            stop = self._inspect(columns, w, sums, counts, first_row)
            tally = counts.sum(axis=0).tolist()
        overflow = stop >= 0
        if not overflow and at.size and self.theta is not None:
            stop = self._drifted(at, sums, counts if any(tally[:UNSOUND]) else _NO_COUNTS)
        if stop < 0:
            self._take(totals, tally, rows)
            return rows
        if stop:  # a part of the launch stands, the rest is done again about the new anchor
            totals = self.totals.copy()
            exact.add_blocks()(totals, self.is_max, sums[:stop])
            self._take(totals, counts[:stop].sum(axis=0).tolist(), stop * BLOCK)
        block = slice(stop * BLOCK, (stop + 1) * BLOCK)
        piece = on_host(tuple(c[block] for c in columns)), np.asarray(w[block])
        self._rebase(self._anchor_of(*piece) if overflow or not self.rows else self._anchor_of_sums())
        return stop * BLOCK

    def _launch(self, columns: Chunk, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int]]:
        """The sums and counts of each block, the totals with them, and a tally of the counts."""
        rows = columns[0].size
        blocks = -(-rows // BLOCK)
        sums, counts = self._scratch
        if blocks > 1:
            sums, counts = np.empty((blocks, len(self.letters))), np.empty((blocks, 3), np.int64)
        kernel, add_slice = self._kernel(columns, w), exact.add_slice()
        trial = max(1, TRIAL // len(columns))
        threads = 1 if self.options.device != "cpu" else threads_for(blocks, self.options.threads, trial)
        totals = self.totals.copy()
        every = [totals, *(exact.empty_totals(self.letters) for _ in range(threads - 1))]
        parts = [(part, np.zeros(4, np.int64)) for part in every]

        def job(lo: int, hi: int, own: tuple[np.ndarray, np.ndarray]) -> None:
            part, tally = own
            kernel(lo, hi, sums[lo:hi], counts[lo:hi])
            add_slice(part, self.is_max, sums[lo:hi], counts[lo:hi], tally)

        run_slices(with_own(job, parts), blocks, threads, LEAST, trial)
        for part in every[1:]:
            exact.merge_totals()(totals, self.is_max, part)
        tallies = [tally.tolist() for _, tally in parts]
        return sums, counts, totals, list(map(sum, zip(*tallies, strict=True)))

    def _take(self, totals: np.ndarray, tally: list[int], rows: int) -> None:
        self.totals = totals
        outside, nulls, zeros = tally[:3]
        self.count(rows, nulls, zeros, outside)

    def _inspect(
        self, columns: Chunk, w: np.ndarray, sums: np.ndarray, counts: np.ndarray, first_row: int
    ) -> int:
        """Raise for a bad row; return the first block that overflowed (to be done about another anchor), or -1."""
        finite = np.isfinite(sums).all(axis=1) if not self.is_max.any() else np.True_
        suspects = np.flatnonzero((counts[:, BAD] > 0) | ~finite)
        overflow = -1
        for b in suspects.tolist():
            rows = slice(b * BLOCK, (b + 1) * BLOCK)
            piece = on_host(tuple(c[rows] for c in columns))
            weights = np.asarray(w[rows]) if self.options.weighted else None
            if counts[b, BAD] or not all(np.isfinite(c).all() for c in piece):
                numbers = first_row + b * BLOCK + np.arange(piece[0].size)
                counts[b, BAD] = self.judge(piece, weights, numbers)
            if overflow < 0 and self.theta is not None and not np.isfinite(sums[b]).all():
                other = self._anchor_of(piece, np.asarray(w[rows]))
                if other is not None and self._coarseness(other) > self._coarseness(self.theta):
                    overflow = b
        return overflow

    # -- the anchor ------------------------------------------------------------------------------------------------

    def _choose_anchor(self, columns: Chunk, w: np.ndarray) -> None:
        """The first block with a usable row decides; without one the state stays without an anchor."""
        for lo in range(0, columns[0].size, BLOCK):
            block = slice(lo, lo + BLOCK)
            self.theta = self._anchor_of(on_host(tuple(c[block] for c in columns)), np.asarray(w[block]))
            if self.theta is not None:
                return

    def _rebase(self, new: Any) -> None:
        """Move the totals to other constants."""
        if self.theta is not None and self.theta != new and self.rows:
            self.totals = self._moved(new)
        self.theta = new

    def merge(self, other: TotalsState) -> None:
        if self.theta != other.theta and other.rows:
            target = other.theta
            if self.rows:
                target = max(self, other, key=TotalsState._precedence).theta
                other = copy(other)
                other._rebase(target)
            self._rebase(target)
        totals = self.totals.copy()
        exact.merge_totals()(totals, self.is_max, other.totals)
        self.totals = totals
        self.merge_counts(other)

    def _precedence(self) -> tuple[Any, ...]:
        """Which of two anchors a merge keeps: the coarser scale, then that of more rows; then any total order."""
        return (self._coarseness(self.theta), self.rows, self.theta)

    # -- reading ---------------------------------------------------------------------------------------------------

    def values(self) -> list[float]:
        found: list[float] = self._read().tolist()
        return found

    def _read(self) -> np.ndarray:
        out = np.empty(len(self.letters))
        exact.read_totals()(self.totals, self.is_max, out)
        return out

    def exact_values(self) -> list[Fraction]:
        return [expansions.exact_value(t) for t in self.totals]

    def payload(self) -> dict[str, Any]:
        theta = None if self.theta is None else floats_to_json(self.theta)
        return {"theta": theta, "totals": [floats_to_json(expansions.stored(t)) for t in self.totals]}

    def restore(self, payload: dict[str, Any]) -> None:
        if payload["theta"] is not None:
            self.theta = self._theta_from(floats_from_json(payload["theta"]))
        self.totals = exact.empty_totals(self.letters)
        for total, stored in zip(self.totals, payload["totals"], strict=True):
            total[: len(stored)] = floats_from_json(stored)

    @abstractmethod
    def _theta_from(self, values: list[Any]) -> Any: ...
