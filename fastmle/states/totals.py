"""What row sums and Gram sums share: exact totals about an anchor that may move at fixed places of the stream."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..kernels import exact
from ..kernels.fold import BAD, BLOCK
from ..pool import run_slices, with_own
from ..sources.parts import Parts
from .base import LEAST, TRIAL, Chunk, Options, State, floats_from_json, floats_to_json, on_host

BOUNDARY = 256  # blocks: the anchor may move after 1, 2, 4, ... 256 blocks and then at each 256 (2^20 rows)
DRIFT = 10.0  # standard deviations
LAUNCH = 1 << 26  # rows; a launch ends well within half a second, so that Ctrl-C is answered
MOST_SUMS = 1 << 22  # block sums that a launch may fill
_NO_WEIGHTS = np.empty(0)
_NOWHERE = np.empty(0, np.int64)


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

    def _drift(self, running: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """How many standard deviations the mean lies from the anchor, for rows of running sums; asked if it `drifts`."""
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
            w = np.ascontiguousarray(w, np.float64)
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
        if after > before and self.drifts and boundaries(before, after - before).size:
            with np.errstate(all="ignore"):
                gone = self._drift(self._read()[None], np.array([self.rows]))[0] > DRIFT
            if gone:
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
        sums, counts, totals = self._launch(columns, w)
        at = boundaries(first_row // BLOCK, rows // BLOCK) if self.drifts else _NOWHERE
        running, tally = np.empty((at.size, sums.shape[1])), np.zeros((at.size + 1, 3), np.int64)
        sound = exact.survey()(self.is_max, sums, counts, tally, at, self._read(), running)
        stop = -1
        if not sound or tally[-1, BAD]:
            stop = self._inspect(columns, w, sums, counts, first_row)
            tally[-1] = counts.sum(axis=0)
        overflow = stop >= 0
        if not overflow and at.size and self.theta is not None:
            stop = self._drifted(at, running, tally)
        if stop < 0:
            self._take(totals, tally[-1], rows)
            return rows
        if stop:  # a part of the launch stands, the rest is done again about the new anchor
            totals = self.totals.copy()
            exact.add_blocks()(totals, self.is_max, sums[:stop])
            self._take(totals, counts[:stop].sum(axis=0), stop * BLOCK)
        block = slice(stop * BLOCK, (stop + 1) * BLOCK)
        piece = on_host(tuple(c[block] for c in columns)), np.asarray(w[block])
        self._rebase(self._anchor_of(*piece) if overflow or not self.rows else self._anchor_of_sums())
        return stop * BLOCK

    def _launch(self, columns: Chunk, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The sums and counts of each block, and the totals with them."""
        rows = columns[0].size
        blocks = -(-rows // BLOCK)
        sums, counts = self._scratch
        if blocks > 1:
            sums, counts = np.empty((blocks, len(self.letters))), np.empty((blocks, 3), np.int64)
        kernel, add_blocks = self._kernel(columns, w), exact.add_blocks()
        trial = max(1, TRIAL // len(columns))
        threads = 1 if self.options.device != "cpu" or blocks <= 2 * trial else self.options.threads
        totals = self.totals.copy()
        parts = [totals, *(exact.empty_totals(self.letters) for _ in range(threads - 1))]

        def job(lo: int, hi: int, part: np.ndarray) -> None:
            kernel(lo, hi, sums[lo:hi], counts[lo:hi])
            add_blocks(part, self.is_max, sums[lo:hi])

        run_slices(with_own(job, parts), blocks, threads, LEAST, trial)
        for part in parts:
            if part is not totals:
                exact.merge_totals()(totals, self.is_max, part)
        return sums, counts, totals

    def _take(self, totals: np.ndarray, tally: np.ndarray, rows: int) -> None:
        self.totals = totals
        outside, nulls, zeros = tally.tolist()
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

    def _drifted(self, at: np.ndarray, running: np.ndarray, tally: np.ndarray) -> int:
        """The first boundary at which the mean has left the anchor by more than DRIFT standard deviations, or -1."""
        rows = np.array([self.rows + b * BLOCK - sum(t) for b, t in zip(at.tolist(), tally.tolist(), strict=False)], float)
        with np.errstate(all="ignore"):
            gone = (self._drift(running, rows) > DRIFT).tolist()
        return int(at[gone.index(True)]) if True in gone else -1

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
        return [exact.exact_value(t) for t in self.totals]

    def payload(self) -> dict[str, Any]:
        theta = None if self.theta is None else floats_to_json(self.theta)
        return {"theta": theta, "totals": [floats_to_json(t[: exact.FIRST + int(t[1])]) for t in self.totals]}

    def restore(self, payload: dict[str, Any]) -> None:
        if payload["theta"] is not None:
            self.theta = self._theta_from(floats_from_json(payload["theta"]))
        self.totals = exact.empty_totals(self.letters)
        for total, stored in zip(self.totals, payload["totals"], strict=True):
            total[: len(stored)] = floats_from_json(stored)

    @abstractmethod
    def _theta_from(self, values: list[Any]) -> Any: ...
