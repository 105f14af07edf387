"""All rows of data of any size as some hundred thousand weighted points, from one read: none is missed.

A row goes to the bin of its coordinate z, the distance from the middle in units of the spread, as a family sees it at
some parameters. Bins are 1/4096 of that distance wide, so that the far tails are as sharp as the middle; each becomes
a few values from its least to its greatest. A likelihood of the points is that of the rows to about 1e-6 of a row's share.
"""

from __future__ import annotations

import numpy as np

from .family import Family, Vector
from .kernels.digest import BINS, compile_digest
from .passes import Passes
from .pool import run_slices, with_own
from .states import Chunk, Options
from .states.base import Tally, on_host

STRIDE = 1 << 16  # rows whose coordinates are held at a time
POINTS = 1 << 14  # so many places in all between the ends of bins
COARSE = 0.01  # the mean square of the bins' widths, as shares of 1 + |z|
_NO_WEIGHTS = np.empty(0)


class Digest(Tally):
    """The weight, the least and the greatest value of each bin."""

    def __init__(self, options: Options, family: Family, theta: Vector | None) -> None:
        super().__init__(options)
        self.family, self.theta = family, theta
        self.parts: list[tuple[np.ndarray, ...]] = []  # one a thread

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        columns = on_host(chunk)
        weighted = self.options.weighted
        kernel = compile_digest(weighted)

        # weights are added in the order of rows, so that neither chunks nor threads show
        threads = 1 if weighted or columns[0].size < 2 * STRIDE else self.options.threads
        while len(self.parts) < threads:
            self.parts.append(tuple(np.zeros(BINS) for _ in range(5)))

        def job(lo: int, hi: int, bins: tuple[np.ndarray, ...]) -> None:
            for a in range(lo, hi, STRIDE):
                x = np.ascontiguousarray(columns[0][a : min(a + STRIDE, hi)], np.float64)
                w = np.ascontiguousarray(columns[1][a : min(a + STRIDE, hi)], np.float64) if weighted else _NO_WEIGHTS
                kernel(self._coordinate(x), x, w, *bins)

        run_slices(with_own(job, self.parts), columns[0].size, threads)
        self.count(columns[0].size, 0, 0, 0)

    def _coordinate(self, x: Vector) -> Vector:
        with np.errstate(all="ignore"):
            return x if self.theta is None else np.ascontiguousarray(self.family.coordinate(x, self.theta))

    def bins(self) -> tuple[np.ndarray, ...]:
        """Of each bin in use: weight, least and greatest value, and the only value that may have most of its weight."""
        while len(self.parts) > 1:
            one, two = self.parts.pop(), self.parts.pop()
            k = np.flatnonzero(two[0] > 0.0)
            weight, low, high, mode, lead = (column[k] for column in two)
            new, same = one[0][k] == 0.0, one[3][k] == mode
            one[1][k] = np.where(new, low, np.minimum(one[1][k], low))
            one[2][k] = np.where(new, high, np.maximum(one[2][k], high))
            ahead = lead > one[4][k]
            one[4][k], one[3][k] = np.abs(np.where(same, -lead, lead) - one[4][k]), np.where(ahead, mode, one[3][k])
            one[0][k] += weight
            self.parts.append(one)
        used = self.parts[0][0] > 0.0
        return tuple(column[used] for column in self.parts[0][:4])

    def heaviest(self) -> tuple[float, float, bool]:
        """A value, at most what share of the weight it has, and whether just that."""
        w, low, high, mode = self.bins()
        k = int(np.argmax(w))
        return float(mode[k]), float(w[k] / w.sum()), bool(low[k] == high[k])

    def points(self) -> tuple[Vector, Vector]:
        """Values and weights: of each bin its only value, or its ends and, the heavier it is, so many places between."""
        w, low, high, _ = self.bins()
        many = np.where(low < high, np.clip(np.ceil(w / w.sum() * POINTS), 2, POINTS), 1).astype(int)
        place = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        share = place / np.repeat(np.maximum(many - 1, 1), many)
        return np.repeat(low, many) + share * np.repeat(high - low, many), np.repeat(w / many, many)

    def coarse(self, theta: Vector) -> bool:
        """Whether the bins are too wide for these parameters: they were chosen for others."""
        w, *ends, _ = self.bins()
        with np.errstate(all="ignore"):
            low, high = (self.family.coordinate(end, theta) for end in ends)
            width = (high - low) / (1.0 + np.minimum(np.abs(low), np.abs(high)))
            return not float(np.average(np.minimum(width, 1e100) ** 2, weights=w)) < COARSE


def digest(family: Family, passes: Passes, theta: Vector | None) -> Digest:
    """One read of all rows; bins about the middle and in the unit of these parameters, or about 0."""
    made = Digest(passes.options, family, theta)
    passes.run_all([made])
    return made
