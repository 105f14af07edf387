"""The constant negative-binomial model beside a regression: its θ is its own, and the table of the counts decides it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from ..families.negative_binomial import NegativeBinomial
from ..family import Vector
from ..passes import Passes
from .design import PART, usable

SMALL = 1 << 16  # counts below are counted by their place, larger ones by sorting


def constant_llf(passes: Passes) -> float:
    """The largest Σ w log NB(y; μ, θ) over one μ and one θ of all rows; one pass. Source: Johnson, Kemp & Kotz, ch. 5."""
    table = _table(passes)
    values = np.array(sorted(table))
    weights = np.array([table[v] for v in values.tolist()])
    s: Any = SimpleNamespace(values=values, weights=weights, weight=float(weights.sum()))
    family = NegativeBinomial()
    if not values.any():
        return 0.0  # every count is 0, which μ = 0 makes certain
    return float(family.loglik(s, np.array(family.solve(s).theta)))


def _table(passes: Passes) -> dict[float, float]:
    """The weight of each count."""
    source, table = passes.source, dict[float, float]()
    at = len(source.names)
    passes.count += 1
    for chunk in source.host_chunks():
        keep = usable(chunk, passes.options)
        for lo in range(0, keep.size, PART):
            rows = slice(lo, lo + PART)
            ok = keep[rows]
            y = np.asarray(chunk[at][rows], np.float64)[ok]
            w = np.asarray(chunk[-1][rows], np.float64)[ok] if passes.options.weighted else np.ones(y.size)
            for value, weight in zip(*(a.tolist() for a in _counted(y, w)), strict=True):
                table[value] = table.get(value, 0.0) + weight
    return table


def _counted(y: Vector, w: Vector) -> tuple[Vector, Vector]:
    if y.size and float(y.max()) < SMALL:
        sums = np.bincount(y.astype(np.int64), w)
        values = np.flatnonzero(sums)
        return np.asarray(values, np.float64), np.asarray(sums[values], np.float64)
    values, place = np.unique(y, return_inverse=True)
    return np.asarray(values, np.float64), np.asarray(np.bincount(place, w, values.size), np.float64)
