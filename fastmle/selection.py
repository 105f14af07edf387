"""Exact medians of data of any size, by weight: a few reads, each of which narrows the place to one in 65,536.

The first 16 bits of the numbers, in an order that is theirs, are counted; then the next 16 bits of those that share
the median's first 16; as soon as few rows are left, the next read gathers and sorts them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .kernels.fold import BLOCK
from .kernels.select import BINS, compile_select, value_of
from .passes import Passes
from .pool import run_slices
from .states import Chunk, Options
from .states.base import Tally, on_host

GATHER = 1 << 22  # rows that are sorted in memory
LAUNCH = 1 << 24
SERIAL = 24 * BLOCK
_NO_WEIGHTS = np.empty(0)


@dataclass(frozen=True)
class Window:
    """The keys from `low` up to BINS · 2^shift above it, and the weight of all below."""

    low: int = -(1 << 63)
    shift: int = 48
    below: float = 0.0
    rows: int | None = None  # inside


class Histogram(Tally):
    """The weight and the number of rows in each bin of a window."""

    def __init__(self, options: Options, window: Window) -> None:
        super().__init__(options)
        self.window = window
        self.counts = np.zeros(BINS, np.int64)
        self.sums = np.zeros(BINS)

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        weighted = self.options.weighted
        x = np.ascontiguousarray(chunk[0])
        w = np.ascontiguousarray(chunk[1], np.float64) if weighted else _NO_WEIGHTS
        for lo in range(0, x.size, LAUNCH):
            self._launch(x[lo : lo + LAUNCH], w[lo : lo + LAUNCH], first_row + lo)

    def _launch(self, x: np.ndarray, w: np.ndarray, first_row: int) -> None:
        kernel = compile_select(x.dtype.name, self.options.weighted)
        left = np.empty(x.size, np.int64)
        parts: list[tuple[int, int, np.ndarray]] = []

        def job(lo: int, hi: int) -> None:
            counts = np.zeros(BINS, np.int64)
            window = (self.window.low, self.window.shift)
            m = kernel(x[lo:hi], w[lo:hi], *window, counts, self.sums, left[lo:hi])
            parts.append((lo, m, counts))

        threads = self.options.threads if x.size > SERIAL and not self.options.weighted else 1
        run_slices(job, x.size, threads)
        self.counts += sum(counts for _, _, counts in parts)
        nulls = zeros = 0
        for lo, m, _ in sorted(parts, key=lambda part: part[0]):
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
        self.high = value_of(window.low + (BINS << window.shift) - 1)
        self.parts: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        chunk = on_host(chunk)
        x = chunk[0]
        with np.errstate(invalid="ignore"):
            inside = (x >= self.low) & (x <= self.high)
            if self.options.weighted:
                inside &= chunk[1] > 0.0
        some = x[inside].astype(np.float64)
        self.parts.append((some, chunk[1][inside] if self.options.weighted else np.ones(some.size)))
        self.count(x.size, 0, 0, 0)

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        x, w = (np.concatenate(columns) for columns in zip(*self.parts, strict=True))
        order = np.argsort(x, kind="stable")
        return x[order], w[order]


def median_interval(passes: Passes) -> tuple[float, float]:
    """The least value with at least half the weight up to it, and the least with more than half."""
    found: dict[str, float] = {}
    windows = {"left": Window(), "right": Window()}
    half = 0.0
    while len(found) < 2:
        open_windows = {side: window for side, window in windows.items() if side not in found}
        tallies = {window: _tally(passes.options, window) for window in open_windows.values()}
        passes.run_all(list(tallies.values()))
        if half == 0.0:
            first = tallies[windows["left"]]
            assert isinstance(first, Histogram)
            half = 0.5 * float(first.weights().sum())
        for side, window in open_windows.items():
            tally = tallies[window]
            if isinstance(tally, Gathered):
                x, w = tally.sorted()
                found[side] = float(x[_place(window.below + np.cumsum(w), half, side)])
                continue
            running = window.below + np.cumsum(tally.weights())
            j = min(_place(running, half, side), int(np.flatnonzero(tally.counts)[-1]))
            low = window.low + (j << window.shift)
            if window.shift == 0:
                found[side] = value_of(low)
            below = float(running[j - 1]) if j else window.below
            windows[side] = Window(low, max(window.shift - 16, 0), below, int(tally.counts[j]))
    return found["left"], found["right"]


def _tally(options: Options, window: Window) -> Histogram | Gathered:
    few = window.rows is not None and window.rows <= GATHER
    return Gathered(options, window) if few else Histogram(options, window)


def _place(running: np.ndarray, half: float, side: str) -> int:
    return min(int(np.searchsorted(running, half, side)), running.size - 1)  # type: ignore[call-overload]
