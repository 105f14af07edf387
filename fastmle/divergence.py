"""Entropy and Kullback-Leibler divergence: in closed form where there is one, else by quadrature with its error.

Source: T. Cover & J. Thomas, Elements of Information Theory (2006), ch. 2 and 8. All in nats.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .errors import FamilyError
from .quadrature import expectation
from .result import Fit


class Measured(float):
    """A float with `error`, a bound on its numerical error (0 for closed forms), and `method`."""

    error: float
    method: str

    def __new__(cls, value: float, error: float = 0.0, method: str = "closed form") -> Measured:
        self = super().__new__(cls, value)
        self.error, self.method = error, method
        return self


def _check_fits(*given: Any) -> None:
    for fit in given:
        if not isinstance(fit, Fit):
            raise FamilyError(f"a fit is wanted, as fastmle.fit returns it, not {type(fit).__name__}")


def _defined(*fits: Fit) -> bool:
    """Whether there are distributions: not where an estimate is missing, or a scale is 0; at a boundary there may be limits."""
    return all(
        f.status != "degenerate" and (np.isfinite(f.theta).all() or (f.status == "boundary" and _has_middle(f.dist()))) for f in fits
    )


def _has_middle(dist: Any) -> bool:
    return hasattr(dist, "ppf") and math.isfinite(dist.ppf(0.5))


UNDEFINED = Measured(math.nan, math.nan, "undefined: there is no such distribution")


@np.errstate(all="ignore")
def entropy(fit: Fit) -> Measured:
    """−E log p(X) of the fitted distribution, in nats (differential entropy for continuous families).

    Raises FamilyError for regressions, and families that have neither a closed form nor a twin in scipy.stats.
    """
    _check_fits(fit)
    if not _defined(fit):
        return UNDEFINED
    closed = fit.family.entropy(fit.theta)
    if closed is not None:
        return Measured(closed)
    return _expect(fit, lambda x: -np.asarray(fit.logpdf(x)))


@np.errstate(all="ignore")
def kl(a: Fit, b: Fit) -> Measured:
    """KL(p_a || p_b) = E_a[log p_a(X) − log p_b(X)]; inf where a puts weight outside the support of b; in nats.

    A distribution on a circle has one turn for its support: of angles of b, any that holds the support of a.
    Raises FamilyError for a discrete with a continuous family, or numbers of columns that differ.
    """
    _check_fits(a, b)
    if a.family.discrete != b.family.discrete:
        raise FamilyError(f"{a.family.name} and {b.family.name} are not on the same space")
    if not _defined(a, b):
        return UNDEFINED
    if type(a.family) is type(b.family):
        if a.family != b.family:
            raise FamilyError(f"the constants of the two {a.family.name} families differ")
        closed = a.family.kl(a.theta, b.theta)
        if closed is not None:
            return Measured(max(closed, 0.0))  # not −1e-17
    if len(b.columns) > 1:
        raise FamilyError(f"{b.family.name} has several columns: no quadrature over them")
    if _leaves(a, b):
        return Measured(math.inf, 0.0, f"{a.family.name} gives weight to values outside the support of {b.family.name}")
    return _expect(a, lambda x: np.asarray(a.logpdf(x)) - np.asarray(b.logpdf(x)))


def _leaves(a: Fit, b: Fit) -> bool:
    """Whether a puts weight outside the support of b, which on a circle is any one turn."""
    dist, other = a.dist(), b.dist()
    if not hasattr(dist, "ppf") or not hasattr(other, "support"):
        return False
    (low, high), (least, most) = _support(a, dist), other.support()
    if not b.family.on_the_line(low, high):
        return True
    if a.family.discrete:  # ends that have no probability do not count
        return bool(dist.cdf(least - 1.0) > 0.0 or dist.sf(most) > 0.0)
    rounding = 4.0 * np.spacing(np.abs([low, high]))  # as of low + (high - low)
    return bool(low < least - rounding[0] or high > most + rounding[1])


def _support(fit: Fit, dist: Any) -> tuple[float, float]:
    """The ends of the support; of a distribution on a circle, half a turn on both sides of its middle."""
    low, high = map(float, dist.support())
    if fit.family.on_the_line(low, high):
        return low, high
    middle = float(dist.ppf(0.5))
    return middle - math.pi, middle + math.pi


def _expect(fit: Fit, f: Any) -> Measured:
    """E f(X) under the fit: a sum over the values, or quadrature between many quantiles."""
    dist = fit.dist()
    if not hasattr(dist, "ppf"):
        raise FamilyError(f"{fit.family.name} has several columns: no quadrature over them")
    if fit.family.discrete:
        low, high = float(dist.support()[0]), float(dist.ppf(1.0 - 1e-12))
        while high - low < 1e8 and dist.sf(high) > 1e-20:
            high += max(1.0, float(dist.std()))
        if not high - low < 1e8:
            raise FamilyError(f"{fit.family.name} spreads over too many values for a sum")
        x = np.arange(low, high + 1.0)
        p = dist.pmf(x)
        beyond = float(dist.sf(high))
        with np.errstate(all="ignore"):
            parts = np.where(p > 0.0, p * f(x), 0.0)
            tail = abs(beyond * float(f(np.array([high]))[0])) if beyond > 0.0 else 0.0
        return Measured(math.fsum(parts), tail + 1e-15 * float(np.abs(parts).sum()), "sum over the values")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy's quantiles far out
        total, error = expectation(dist, f)
    return Measured(total, error, "quadrature")


def kl_from_data(fit: Fit) -> Measured:
    """KL(p_data || p_θ̂): from the table of counts exactly, else from the bins."""
    if len(fit.columns) > 1:
        raise FamilyError(f"{fit.family.name} has several columns: no sum over bins")
    table = fit.family.table(fit.sums) if fit.sums is not None else None
    if table is not None:
        weights = table[1][table[1] > 0.0]
        p = weights / weights.sum()
        value = math.fsum(p * np.log(p)) + fit.nll
        return Measured(max(value, 0.0), 0.0, "exact: the values are counted")  # not −1e-16
    if fit.bins is None:
        raise FamilyError("this needs a histogram of the data: fit with keep='bins'")
    edges, weights = fit.bins.edges, fit.bins.weights
    edges = np.ceil(edges) - 1.0 if fit.family.discrete else edges  # what counts as below an edge
    dist = fit.dist()
    below, above = dist.cdf(edges), dist.sf(edges)
    mass = np.where(below[1:] < 0.5, np.diff(below), -np.diff(above))
    used = weights > 0.0
    p = weights[used] / weights.sum()
    with np.errstate(divide="ignore"):
        value = math.fsum(p * (np.log(p) - np.log(mass[used])))
    # over k bins the empirical distribution itself is about (k − 1)/2n away from the true one
    return Measured(
        value, (int(used.sum()) - 1) / (2.0 * float(weights.sum())), f"estimate over {used.sum()} bins"
    )
