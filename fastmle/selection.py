"""Exact medians of data of any size, by weight: a few reads, each of which narrows the place to one in 65,536.

Numbers are counted by 16 bits of their keys, an order that is theirs, within a window about the median of the first
rows; then the next 16 bits of those in the median's bin, or as soon as few rows are left these are gathered and
sorted. Where the first rows misled, and the median lies outside, the window is all numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .family import RowTerms
from .kernels.fold import BLOCK
from .kernels.select import BINS, compile_select, key_of, value_of
from .kernels.vecmath.machine import LARGEST
from .passes import Passes
from .pool import run_slices, threads_for, with_own
from .states import Chunk, Options
from .states.base import LEAST, TRIAL, Tally, on_host

GATHER = 1 << 22  # rows that are sorted in memory
SAMPLE = 1 << 16  # first rows, from which the window about the median is drawn
FEW = 1 << 10  # rows, of which no window is drawn
CERTAIN = 5.0  # standard errors of their median on each side of it
LAUNCH = 1 << 24
STRIDE = 16 * BLOCK  # rows compared at a time, in the cache
_NO_WEIGHTS = np.empty(0)


@dataclass(frozen=True)
class Window:
    """The `size` keys from `low` on, in bins of 2^shift; if it is part of another one, the weight of all rows below, and
    the number of rows inside."""

    low: int = -(1 << 63)
    size: int = 1 << 64
    below: float | None = None
    rows: int | None = None

    @property
    def shift(self) -> int:
        return max((self.size - 1).bit_length() - 16, 0)

    def bin(self, j: int, below: float, rows: int) -> Window:
        """One of its bins."""
        return Window(self.low + (j << self.shift), 1 << self.shift, below, rows)


class Histogram(Tally):
    """The weight and the number of rows in each bin of a window, the weight of all rows below it, and of all rows."""

    def __init__(self, options: Options, window: Window) -> None:
        super().__init__(options)
        self.window = window
        self.counts = np.zeros(BINS, np.int64)
        self.sums = np.zeros(BINS)
        self.below = self.whole = 0.0

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        weighted = self.options.weighted
        x = np.ascontiguousarray(chunk[0])
        w = np.ascontiguousarray(chunk[1], np.float64) if weighted else _NO_WEIGHTS
        for lo in range(0, x.size, LAUNCH):
            self._launch(x[lo : lo + LAUNCH], w[lo : lo + LAUNCH], first_row + lo)

    def _launch(self, x: np.ndarray, w: np.ndarray, first_row: int) -> None:
        kernel = compile_select(x.dtype.name, self.options.weighted)
        left = np.empty(x.size, np.int64)
        found: list[tuple[int, int]] = []
        threads = 1 if self.options.weighted else threads_for(x.size, self.options.threads, TRIAL * BLOCK)
        tallies = [(np.zeros(BINS, np.int64), np.zeros(2)) for _ in range(threads)]
        window = (self.window.low, self.window.shift)

        def job(lo: int, hi: int, tally: tuple[np.ndarray, np.ndarray]) -> None:
            counts, whole = tally
            found.append((lo, kernel(x[lo:hi], w[lo:hi], *window, counts, self.sums, whole, left[lo:hi])))

        run_slices(with_own(job, tallies), x.size, threads, LEAST * BLOCK, TRIAL * BLOCK)
        for counts, whole in tallies:
            self.counts += counts
            self.below += float(whole[0])
            self.whole += float(whole[1])
        nulls = zeros = 0
        for lo, m in sorted(found):
            rows = lo + left[lo : lo + m]
            weights = w[rows] if w.size else None
            self.judge((x[rows],), weights, first_row + rows)
            light = 0 if weights is None else int((weights == 0.0).sum())
            nulls, zeros = nulls + m - light, zeros + light
        self.count(x.size, nulls, zeros, 0)

    def weights(self) -> np.ndarray:
        return self.sums if self.options.weighted else self.counts.astype(np.float64)


class Gathered(Tally):
    """The rows of a window."""

    def __init__(self, options: Options, window: Window) -> None:
        super().__init__(options)
        self.low = value_of(window.low)
        self.below = window.below or 0.0
        self.high = value_of(min(window.low + window.size - 1, key_of(LARGEST)))  # beyond are no numbers
        self.parts: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        chunk = on_host(chunk)
        for lo in range(0, chunk[0].size, LAUNCH):
            self._launch(*(c[lo : lo + LAUNCH] for c in chunk))

    def _launch(self, x: np.ndarray, *weights: np.ndarray) -> None:
        found: list[tuple[int, np.ndarray]] = []
        low, high = np.float64(self.low), np.float64(self.high)  # not of the column's precision, as a float would be

        def job(start: int, stop: int) -> None:
            with np.errstate(invalid="ignore"):
                for lo in range(start, stop, STRIDE):
                    some = x[lo : min(lo + STRIDE, stop)]
                    found.append((lo, lo + np.flatnonzero((some >= low) & (some <= high))))

        run_slices(job, x.size, self.options.threads, LEAST * BLOCK, TRIAL * BLOCK)
        inside = np.concatenate([rows for _, rows in sorted(found, key=lambda part: part[0])])
        if weights:
            inside = inside[weights[0][inside] > 0.0]
        self.parts.append((x[inside].astype(np.float64), weights[0][inside] if weights else np.ones(inside.size)))
        self.count(x.size, 0, 0, 0)

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        x, w = (np.concatenate(columns) for columns in zip(*self.parts, strict=True))
        order = np.argsort(x, kind="stable")
        return x[order], w[order]


def median_interval(passes: Passes, terms: RowTerms) -> tuple[float, float]:
    """The least value with at least half the weight up to it, and the least with more than half; of rows that are
    possible under `terms`."""
    found: dict[str, float] = {}
    windows = dict.fromkeys(("left", "right"), _first_window(passes, terms))
    half = 0.0
    while len(found) < 2:
        open_windows = {side: window for side, window in windows.items() if side not in found}
        tallies = {window: _tally(passes.options, window) for window in open_windows.values()}
        passes.run_all(list(tallies.values()))
        for side, window in open_windows.items():
            tally = tallies[window]
            if isinstance(tally, Gathered):
                x, w = tally.sorted()
                found[side] = float(x[min(_place(tally.below + np.cumsum(w), half, side), x.size - 1)])
                continue
            if window.below is None:
                half = 0.5 * tally.whole
            below = tally.below if window.below is None else window.below
            running = below + np.cumsum(tally.weights())
            j = _place(running, half, side)
            if window.below is None and (j == BINS or _place(np.array([below]), half, side) == 0):
                windows[side] = Window()  # the first rows misled
                continue
            filled = np.flatnonzero(tally.counts)
            j = int(filled[min(int(np.searchsorted(filled, j)), filled.size - 1)])  # weights are rounded
            windows[side] = window.bin(j, float(running[j - 1]) if j else below, int(tally.counts[j]))
            if windows[side].size == 1:
                found[side] = value_of(windows[side].low)
    return found["left"], found["right"]


def _first_window(passes: Passes, terms: RowTerms) -> Window:
    """What the first rows leave open: that many standard errors about their median, or all numbers if they are few."""
    (x, *weights), _ = passes.first(terms, SAMPLE)
    if x.size < FEW:
        return Window()
    x = x.astype(np.float64)
    order = np.argsort(x)
    w = weights[0][order] if weights else np.ones(x.size)
    running = np.cumsum(w)
    reach = CERTAIN * math.sqrt(float(w @ w)) / running[-1]
    ends = np.searchsorted(running, 0.5 * running[-1] * np.array([1.0 - reach, 1.0 + reach]))
    low, high = x[order][np.minimum(ends, x.size - 1)].tolist()
    return Window(key_of(low), key_of(high) - key_of(low) + 1)


def _tally(options: Options, window: Window) -> Histogram | Gathered:
    few = window.rows is not None and window.rows <= GATHER
    return Gathered(options, window) if few else Histogram(options, window)


def _place(running: np.ndarray, half: float, side: str) -> int:
    """How many of the running weights fall short of half, or (on the right) do not pass it."""
    return int(np.searchsorted(running, half, side))  # type: ignore[call-overload]
