"""Rows in memory that stand for all rows, while a fit looks for where to begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .digest import Digest
from .family import Vector, in_order
from .passes import Passes

FEW = 1 << 15  # rows of a sample that tell several maxima apart


@dataclass
class Memory:
    """Rows in memory that stand for all: the usable first ones, or a digest; `whole`: they are all there is."""

    passes: Passes
    whole: bool
    x: Vector
    w: Vector
    digest: Digest | None = None

    @classmethod
    def of(cls, passes: Passes, whole: bool, made: Digest | None = None) -> Memory:
        x, *w = next(iter(passes.source.chunks()))
        return cls(passes, whole, x.astype(np.float64), w[0].astype(np.float64) if w else np.ones(x.size), made)

    def part(self) -> Passes:
        """A spread of its rows."""
        step = self.x.size // FEW
        return self.passes.over(tuple(np.ascontiguousarray(c[::step]) for c in next(iter(self.passes.source.chunks()))))

    def differ(self) -> bool:
        return bool(self.x.size and self.x.min() < self.x.max())

    def commonest(self) -> tuple[float, float, bool]:
        """A value, at most what share of the weight of all rows it has, and whether just that."""
        if self.digest is not None:
            return self.digest.heaviest()
        x, running = in_order(self.x, self.w)
        last = np.append(np.flatnonzero(x[1:] != x[:-1]), x.size - 1)
        weights = np.diff(running[last], prepend=0.0)
        top = int(np.argmax(weights))
        return float(x[last[top]]), float(weights[top] / running[-1]), self.whole
