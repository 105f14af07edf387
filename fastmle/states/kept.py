"""What `keep="bins"` and `points=` gather in the first pass beside the sums: histograms, and a few rows drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Chunk
from .bins import Bins

MOST_PICTURES = 8  # histograms of a model of many columns: those of the first


class Points:
    """At most `most` rows, each drawn with a chance that grows with its weight.

    Each row waits for a time that its number decides (exponential, of rate w); the shortest waits stay, so that pieces
    merge and the chunks do not show. Source: P. Efraimidis & P. Spirakis, Weighted random sampling (2006).
    """

    def __init__(self, most: int, columns: int) -> None:
        self.most = most
        self.rows = np.empty((0, columns))
        self.waits = np.empty(0)

    def add(self, x: np.ndarray, w: np.ndarray | None, numbers: np.ndarray) -> None:
        """x: (rows, columns); numbers: of the rows in the stream."""
        waits = -np.log(_uniform(numbers))
        with np.errstate(over="ignore"):  # by a weight below the normal ones
            self._take(x, waits if w is None else waits / w)

    def _take(self, rows: np.ndarray, waits: np.ndarray) -> None:
        if self.waits.size == self.most:
            near = waits < self.waits.max(initial=-1.0)
            rows, waits = rows[near], waits[near]
        rows, waits = np.concatenate([self.rows, rows]), np.concatenate([self.waits, waits])
        order = np.argsort(waits, kind="stable")[: self.most]
        self.rows, self.waits = rows[order], waits[order]

    def merge(self, other: Points) -> None:
        self._take(other.rows, other.waits)

    def to_dict(self) -> dict[str, Any]:
        return {"most": self.most, "columns": self.rows.shape[1], "rows": self.rows.tolist(), "waits": self.waits.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Points:
        made = cls(int(stored["most"]), int(stored["columns"]))
        made.rows = np.array(stored["rows"], float).reshape(-1, made.rows.shape[1])
        made.waits = np.array(stored["waits"], float)
        return made


def _uniform(numbers: np.ndarray) -> np.ndarray:
    """A number in (0, 1) for each row number: SplitMix64's finaliser (G. Steele, D. Lea & C. Flood 2014)."""
    z = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


class Kept:
    """Histograms of some columns, or pairs of columns, of a chunk (`places`), and points of its first columns."""

    def __init__(self, places: tuple[tuple[int, ...], ...], points: int = 0) -> None:
        self.places = places[:MOST_PICTURES]
        self.bins = [Bins(len(place)) for place in self.places]
        self.points = Points(points, 1 + max(max(place) for place in places)) if points else None

    def add(self, chunk: Chunk, weighted: bool, first_row: int) -> None:
        """Add the rows of a chunk that have a weight and no null."""
        step = 1 << 18
        for lo in range(0, chunk[0].size, step):
            self._add(tuple(c[lo : lo + step] for c in chunk), weighted, first_row + lo)

    def _add(self, chunk: Chunk, weighted: bool, first_row: int) -> None:
        keep = np.ones(chunk[0].size, bool)
        for column in chunk:
            keep &= np.isfinite(column)
        if weighted:
            keep &= chunk[-1] > 0.0
        numbers = np.arange(first_row, first_row + keep.size)
        if not keep.all():
            chunk, numbers = tuple(c[keep] for c in chunk), numbers[keep]
        w = chunk[-1] if weighted else None
        for bins, place in zip(self.bins, self.places, strict=True):
            bins.add([chunk[j] for j in place], w)
        if self.points is not None:
            columns = chunk[: self.points.rows.shape[1]]
            self.points.add(np.stack([c.astype(np.float64) for c in columns], axis=1), w, numbers)

    def merge(self, other: Kept) -> None:
        for mine, yours in zip(self.bins, other.bins, strict=True):
            mine.merge(yours)
        if self.points is not None and other.points is not None:
            self.points.merge(other.points)

    def copy(self) -> Kept:
        return Kept.from_dict(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        return {
            "places": [list(place) for place in self.places],
            "bins": [bins.to_dict() for bins in self.bins],
            "points": None if self.points is None else self.points.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Kept:
        made = cls(tuple(tuple(place) for place in stored["places"]))
        made.bins = [Bins.from_dict(bins) for bins in stored["bins"]]
        made.points = None if stored["points"] is None else Points.from_dict(stored["points"])
        return made
