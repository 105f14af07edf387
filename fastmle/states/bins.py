"""A small mergeable histogram, gathered in the same pass: for pictures and for KL(data || model). Never rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

MOST = 2048  # bins


class Bins:
    """Weights of equal bins [j·width, (j + 1)·width), j whole; the width is a power of two that doubles as need be."""

    def __init__(self) -> None:
        self.exponent: int | None = None  # width = 2^exponent
        self.first = 0
        self.weights = np.zeros(0)

    def add(self, x: np.ndarray, w: np.ndarray | None = None) -> None:
        x = x.astype(np.float64)
        keep = np.isfinite(x)
        if w is not None:
            keep &= w > 0.0
            w = w[keep]
        x = x[keep]
        if not x.size:
            return
        low, high = float(x.min()), float(x.max())
        if self.exponent is None:
            self.exponent = self._enough(low, high)
        while True:
            first, last = self._index(low), self._index(high)
            if self.weights.size:
                first, last = min(first, self.first), max(last, self.first + self.weights.size - 1)
            if last - first < MOST:
                break
            self._coarsen()
        grown = np.zeros(last - first + 1)
        if self.weights.size:
            at = self.first - first
            grown[at : at + self.weights.size] = self.weights
        index = np.floor(np.ldexp(x, -self.exponent)).astype(np.int64) - first
        self.weights = grown + np.bincount(index, weights=w, minlength=grown.size)
        self.first = first

    def _enough(self, low: float, high: float) -> int:
        """The exponent for about MOST/2 bins; not so fine that the numbers of bins leave 52 bits."""
        span, size = high - low, max(abs(low), abs(high), 5e-324)
        wanted = (
            math.frexp(span / (MOST / 2))[1]
            if span > 0.0 and math.isfinite(span)
            else math.frexp(size)[1] - 20
        )
        return max(wanted, math.frexp(size)[1] - 50, -1060)

    def _index(self, v: float) -> int:
        assert self.exponent is not None
        return math.floor(math.ldexp(v, -self.exponent))

    def _coarsen(self) -> None:
        assert self.exponent is not None
        self.exponent += 1
        if self.weights.size:
            padded = np.concatenate([np.zeros(self.first % 2), self.weights])
            padded = np.concatenate([padded, np.zeros(padded.size % 2)])
            self.weights = padded[0::2] + padded[1::2]
            self.first //= 2

    def merge(self, other: Bins) -> None:
        """Add another histogram; the coarser width wins."""
        if other.exponent is None:
            return
        if self.exponent is None:
            self.exponent, self.first, self.weights = other.exponent, other.first, other.weights.copy()
            return
        other = Bins.from_dict(other.to_dict())
        assert other.exponent is not None
        while self.exponent < other.exponent:
            self._coarsen()
        while other.exponent < self.exponent:
            other._coarsen()
        while max(self.last, other.last) - min(self.first, other.first) >= MOST:
            self._coarsen()
            other._coarsen()
        first, last = min(self.first, other.first), max(self.last, other.last)
        total = np.zeros(last - first + 1)
        for part in (self, other):
            total[part.first - first : part.first - first + part.weights.size] += part.weights
        self.first, self.weights = first, total

    @property
    def last(self) -> int:
        return self.first + self.weights.size - 1

    @property
    def edges(self) -> np.ndarray:
        """One more than there are bins."""
        if self.exponent is None:
            return np.zeros(1)
        return np.ldexp(np.arange(self.first, self.last + 2, dtype=float), self.exponent)

    def to_dict(self) -> dict[str, Any]:
        return {"exponent": self.exponent, "first": self.first, "weights": self.weights.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Bins:
        bins = cls()
        bins.exponent, bins.first = stored["exponent"], int(stored["first"])
        bins.weights = np.array(stored["weights"], float)
        return bins
