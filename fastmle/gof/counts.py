"""Pearson's chi-square from the weight of each value."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Vector
from ..result import Fit
from .tests import Test

LEAST = 5.0  # expected in a cell


def _table(fit: Fit) -> tuple[Vector, Vector]:
    """Each value with its weight, from the sums or from bins that hold one whole number each."""
    table = fit.family.table(fit.sums) if fit.sums is not None else None
    if table is not None:
        return table
    if fit.bins is None or fit.bins.axes[0].exponent > 0:
        raise FamilyError("this needs the weight of each value: fit with keep='bins' (and values that do not spread too far)")
    used = fit.bins.weights > 0.0
    return np.floor(fit.bins.edges[:-1][used]), fit.bins.weights[used]


def _chi_square(dist: Any, values: Vector, weights: Vector) -> tuple[float, int]:
    """Pearson's statistic over cells of values that are expected at least 5 times, and the number of cells."""
    n = float(weights.sum())
    if not n > LEAST:
        raise FamilyError(f"{n:.10g} rows are too few: each cell is to expect {LEAST:g}")
    low, high = dist.ppf(LEAST / n), dist.isf(LEAST / n)  # tails beyond are cells of their own
    if not high - low < 1e6:
        raise FamilyError("the distribution spreads over too many values for cells")
    ends = np.arange(low, high + 1.0)
    below = np.concatenate([[0.0], dist.cdf(ends[:-1]), [1.0]])
    expected = n * np.diff(below)
    cell = np.searchsorted(ends[:-1], values, "left")
    observed = np.bincount(cell, weights, ends.size)
    kept_observed, kept_expected = [0.0], [0.0]
    for o, e in zip(observed, expected, strict=True):  # neighbours join until they are enough
        if kept_expected[-1] >= LEAST:
            kept_observed.append(0.0)
            kept_expected.append(0.0)
        kept_observed[-1] += o
        kept_expected[-1] += e
    if len(kept_expected) > 1 and kept_expected[-1] < LEAST:
        last = kept_observed.pop(), kept_expected.pop()
        kept_observed[-1] += last[0]
        kept_expected[-1] += last[1]
    o, e = np.array(kept_observed), np.array(kept_expected)
    return float((((o - e) ** 2) / e).sum()), len(e)


def count_tests(fit: Fit, bootstrap: int, rng: Any) -> list[Test]:
    values, weights = _table(fit)
    dist = fit.dist()
    if not hasattr(dist, "ppf"):
        raise FamilyError(f"there is no test of fit for {fit.family.name}")
    statistic, cells = _chi_square(dist, values, weights)
    df = cells - 1 - fit.df_model
    if df < 1:
        raise FamilyError(f"{cells} cells leave no degree of freedom beside {fit.df_model} estimated parameters")
    if bootstrap:
        drawn = _counted_again(fit, dist, bootstrap, rng)
        p = (1.0 + float(np.count_nonzero(drawn >= statistic))) / (1.0 + bootstrap)
        by = f"bootstrap of {bootstrap} samples, {cells} cells"
    else:
        p, by = float(scipy.special.chdtrc(df, statistic)), f"{df} degrees of freedom, parameters estimated"
    return [Test("chi2", statistic, statistic, statistic, p, p, p, by)]


def _counted_again(fit: Fit, dist: Any, bootstrap: int, rng: Any) -> Vector:
    """The statistic of tables drawn from the fit, of as many rows as the data, and fitted again."""
    from ..api import fit as refit

    n = round(fit.nobs)
    support = np.arange(dist.support()[0], dist.isf(1e-6 / n) + 2.0)
    p = dist.pmf(support)
    held = {name: fit.params[name] for name in fit.fixed}
    drawn = np.empty(bootstrap)
    for k in range(bootstrap):
        weights = rng.multinomial(n, p / p.sum()).astype(float)
        again = refit(fit.family, support[weights > 0.0], weights=weights[weights > 0.0], fixed=held, threads=1)
        drawn[k] = _chi_square(again.dist(), support, weights)[0]
    return drawn
