"""Small mergeable histograms, of one column or of two: for pictures, divergences and tests of fit. Never rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = {1: 2048, 2: 512}  # bins along an axis, by the number of axes
FIRST = {1: 1024, 2: 384}  # about so many for the first rows, or up to half as many
STEP = 1 << 16  # rows at a time, so that temporaries stay in the cache


@dataclass
class Axis:
    """Equal bins [j·width, (j + 1)·width), j = first .. first + size − 1; the width is a power of two that doubles as need be."""

    exponent: int | None = None  # width = 2^exponent
    first: int = 0
    size: int = 0
    low: float = math.inf  # the least and the greatest value
    high: float = -math.inf

    def index(self, v: Any) -> Any:
        assert self.exponent is not None
        scaled = np.ldexp(v, -self.exponent)
        return np.floor(scaled).astype(np.int64) - ((scaled == 0.0) & (v < 0.0))  # what has vanished lies below 0 still

    def counts(self, low: float, high: float) -> bool:
        """Whether the numbers of the bins between these ends are integers of 64 bits."""
        assert self.exponent is not None
        return math.frexp(max(abs(low), abs(high)))[1] - self.exponent < 63

    def with_bins(self, first: int, last: int) -> tuple[int, int]:
        """The first and the last bin, if these are added."""
        return (min(first, self.first), max(last, self.first + self.size - 1)) if self.size else (first, last)

    @property
    def edges(self) -> np.ndarray:
        """One more than there are bins."""
        if self.exponent is None:
            return np.zeros(1)
        return np.ldexp(np.arange(self.first, self.first + self.size + 1, dtype=float), self.exponent)


class Bins:
    """`weights` of the cells, and `sums` of weight times value, one array an axis, which give the mean in each cell."""

    def __init__(self, dims: int = 1) -> None:
        self.most = MOST[dims]
        self.axes = [Axis() for _ in range(dims)]
        self.weights = np.zeros((0,) * dims)
        self.sums = np.zeros((dims, *self.weights.shape))

    @property
    def empty(self) -> bool:
        return not self.weights.size

    @property
    def edges(self) -> np.ndarray:
        """Of the first axis."""
        return self.axes[0].edges

    @np.errstate(over="ignore", invalid="ignore")  # the sum of a cell may leave the range of float64
    def add(self, columns: Sequence[np.ndarray], w: np.ndarray | None = None) -> None:
        """Add rows; those that are not finite, or have no weight, are left out."""
        for lo in range(0, columns[0].size, STEP):
            rows = slice(lo, lo + STEP)
            x = np.stack([c[rows].astype(np.float64) for c in columns])
            keep = np.isfinite(x).all(axis=0)
            some = None if w is None else w[rows].astype(np.float64)
            if some is not None:
                keep &= some > 0.0
            if not keep.all():
                x, some = x[:, keep], None if some is None else some[keep]
            if x.shape[1]:
                self._add(x, some)

    def _add(self, x: np.ndarray, w: np.ndarray | None) -> None:
        self._room([(float(low), float(high)) for low, high in zip(x.min(axis=1), x.max(axis=1), strict=True)])
        index = [axis.index(c) - axis.first for axis, c in zip(self.axes, x, strict=True)]
        flat = index[0] if len(index) == 1 else np.ravel_multi_index(tuple(index), self.weights.shape)
        shape, size = self.weights.shape, self.weights.size
        self.weights = self.weights + np.bincount(flat, w, size).reshape(shape)
        sums = [np.bincount(flat, c if w is None else c * w, size).reshape(shape) for c in x]
        self.sums = self.sums + np.stack(sums)

    def _room(self, ends: Sequence[tuple[float, float]]) -> None:
        """Grow, or make the bins coarser, until all values between these ends have a bin."""
        for k, (low, high) in enumerate(ends):
            axis = self.axes[k]
            if axis.exponent is None:
                axis.exponent = _enough(low, high, FIRST[len(self.axes)])
            while not axis.counts(low, high):
                self._coarsen(k)
            while True:
                first, last = axis.with_bins(int(axis.index(low)), int(axis.index(high)))
                if last - first < self.most:
                    break
                self._coarsen(k)
            self._grow(k, first, last)
            axis.low, axis.high = min(axis.low, low), max(axis.high, high)

    def _grow(self, k: int, first: int, last: int) -> None:
        axis = self.axes[k]
        before = axis.first - first if axis.size else last - first + 1
        self._pad(k, before, last - first + 1 - axis.size - before)
        axis.first, axis.size = first, last - first + 1

    def _pad(self, k: int, before: int, after: int) -> None:
        if before or after:
            pads = [(0, 0)] * len(self.axes)
            pads[k] = (before, after)
            self.weights = np.pad(self.weights, pads)
            self.sums = np.pad(self.sums, [(0, 0), *pads])

    def _coarsen(self, k: int) -> None:
        axis = self.axes[k]
        assert axis.exponent is not None
        if axis.size:
            odd = axis.first % 2
            self._pad(k, odd, (axis.size + odd) % 2)
            self.weights = np.add(*(_every_second(self.weights, k, start) for start in (0, 1)))
            self.sums = np.add(*(_every_second(self.sums, k + 1, start) for start in (0, 1)))
            axis.first, axis.size = axis.first // 2, self.weights.shape[k]
        axis.exponent += 1

    @np.errstate(over="ignore", invalid="ignore")
    def merge(self, other: Bins) -> None:
        """Add another histogram; the coarser width wins."""
        if other.empty:
            return
        other = other.copy()
        for k, (mine, yours) in enumerate(zip(self.axes, other.axes, strict=True)):
            assert yours.exponent is not None
            mine.exponent = yours.exponent if mine.exponent is None else mine.exponent
            while True:
                first, last = mine.with_bins(yours.first, yours.first + yours.size - 1)
                if mine.exponent == yours.exponent and last - first < self.most:
                    break
                for bins in [b for b in (self, other) if b.axes[k].exponent == min(mine.exponent, yours.exponent)]:
                    bins._coarsen(k)
            for bins in (self, other):
                bins._grow(k, first, last)
            mine.low, mine.high = min(mine.low, yours.low), max(mine.high, yours.high)
        self.weights = self.weights + other.weights
        self.sums = self.sums + other.sums

    def copy(self) -> Bins:
        return Bins.from_dict(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers; of the cells only those in use."""
        used = np.flatnonzero(self.weights)
        return {
            "axes": [None if a.exponent is None else [a.exponent, a.first, a.size, a.low, a.high] for a in self.axes],
            "cells": used.tolist(),
            "weights": self.weights.ravel()[used].tolist(),
            "sums": [s.ravel()[used].tolist() for s in self.sums],
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Bins:
        made = cls(len(stored["axes"]))
        made.axes = [Axis() if a is None else Axis(*a) for a in stored["axes"]]
        made.weights = np.zeros([a.size for a in made.axes])
        made.sums = np.zeros((len(made.axes), *made.weights.shape))
        np.put(made.weights, stored["cells"], np.array(stored["weights"], float))
        for array, values in zip(made.sums, stored["sums"], strict=True):
            np.put(array, stored["cells"], np.array(values, float))
        return made


def _enough(low: float, high: float, bins: int) -> int:
    """The exponent for about so many bins, or up to half as many; not so fine that the numbers of bins leave 52 bits."""
    span, size = high - low, max(abs(low), abs(high), 5e-324)
    wanted = math.frexp(size)[1] - 20
    if span > 0.0 and math.isfinite(span):
        wanted = math.frexp(span / bins)[1]
    return max(wanted, math.frexp(size)[1] - 50, -1060)


def _every_second(array: np.ndarray, axis: int, start: int) -> np.ndarray:
    return array[(slice(None),) * axis + (slice(start, None, 2),)]
