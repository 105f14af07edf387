"""Tests of fit from what one pass has left: Kolmogorov-Smirnov and Anderson-Darling from bins, chi-square from counts.

Bins leave the empirical distribution open between their edges, so that a statistic is known between two bounds only; both
are given. Where parameters were estimated, √n (F_n − F) tends to a Brownian bridge less its projection on the scores
(J. Durbin, Annals of Statistics 1, 1973): p-values come from paths of that process, or from a parametric bootstrap.
"""

from __future__ import annotations

import html
import math
from typing import Any, NamedTuple

import numpy as np
import scipy

from .errors import FamilyError
from .family import Vector
from .result import Fit

CELLS, PATHS = 1000, 20_000
OVERSHOOT = 0.5826 / math.sqrt(CELLS)  # of a path between the points of a grid (D. Siegmund 1985)
LEAST = 5.0  # expected in a cell
ROWS = 5000  # of a bootstrap sample, at most


class Test(NamedTuple):
    """A statistic, between which bounds the bins leave it, and its p-value (and at the bounds)."""

    name: str
    statistic: float
    low: float
    high: float
    pvalue: float
    pvalue_low: float
    pvalue_high: float
    method: str


class Tests(list[Test]):
    """Tests of one fit; its repr is a table, `tests["ks"]` one of them."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            found = [test for test in self if test.name == key]
            if not found:
                raise KeyError(key)
            return found[0]
        return super().__getitem__(key)

    def _cells(self) -> list[tuple[str, ...]]:
        rows = [("test", "statistic", "between", "and", "p", "p between", "and", "by")]
        return rows + [(t.name, *(f"{v:.5g}" for v in t[1:7]), t.method) for t in self]

    def __repr__(self) -> str:
        rows = self._cells()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(
            "  ".join(c.rjust(w) if 0 < i < 7 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        head, *rows = ["".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in row) for row, tag in self._tagged()]
        return f"<table><tr>{head}</tr>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"

    def _tagged(self) -> list[tuple[tuple[str, ...], str]]:
        return [(row, "td" if i else "th") for i, row in enumerate(self._cells())]


def goodness_of_fit(fit: Fit, bootstrap: int = 0, seed: Any = 0) -> Tests:
    """The tests that suit the data; see `Fit.gof`."""
    if fit.weight_kind in ("precision", "sampling"):
        raise FamilyError(f"{fit.weight_kind} weights count no rows: there is no test of fit")
    if fit.status not in ("ok", "nonregular", "boundary") or not np.isfinite(fit.theta).all():
        raise FamilyError(f"there is no distribution to test: {fit.status}: {fit.message}")
    rng = np.random.default_rng(seed)
    return Tests(_counts(fit, bootstrap, rng) if fit.family.discrete else _continuous(fit, bootstrap, rng))


# -- continuous data ---------------------------------------------------------------------------------------------------


def _continuous(fit: Fit, bootstrap: int, rng: Any) -> list[Test]:
    if fit.bins is None:
        raise FamilyError("this needs a histogram of the data: fit with keep='bins'")
    ks, ad = _distance(fit), _weighted_distance(fit)
    root = math.sqrt(fit.nobs)
    if bootstrap:
        draws, by = _resampled(fit, bootstrap, rng), f"bootstrap of {bootstrap} samples"
    else:
        draws, by = _paths(fit, rng), "asymptotic, " + ("parameters estimated" if _free(fit).any() else "parameters given")
    made = []
    for name, values, scale, drawn in (("ks", ks, root, draws[0]), ("ad", ad, 1.0, draws[1])):
        p = [(1.0 + float(np.count_nonzero(drawn >= v * scale))) / (1.0 + drawn.size) for v in values]
        made.append(Test(name, *values, p[0], p[2], p[1], by))
    return made


def _edges(fit: Fit) -> tuple[Vector, Vector, Vector, Vector]:
    """F_n and F at the edges of the bins; log F and log(1 − F). The ends are the least and the greatest value."""
    bins = fit.bins
    axis, share = bins.axes[0], bins.weights / bins.weights.sum()
    places = np.concatenate([[axis.low], axis.edges[1:-1], [axis.high]])
    dist = fit.dist()
    empirical = np.concatenate([[0.0], np.cumsum(share)[:-1], [1.0]])
    return empirical, dist.cdf(places), dist.logcdf(places), dist.logsf(places)


def _distance(fit: Fit) -> tuple[float, float, float]:
    """sup |F_n − F|: (at the edges, the same as lower bound, upper bound)."""
    g, u, _, _ = _edges(fit)
    low = float(np.abs(g - u)[1:-1].max(initial=max(u[0], 1.0 - u[-1])))
    high = float(max(np.max(g[1:] - u[:-1]), np.max(u[1:] - g[:-1]), low))
    return low, low, high


def _weighted_distance(fit: Fit) -> tuple[float, float, float]:
    """A² = n ∫ (G − u)²/(u (1 − u)) du, G the empirical distribution at u = F(x); (G as F spreads it in each bin, bounds).

    ∫ (α + βu)²/(u (1 − u)) du = α² log u − (α + β)² log(1 − u) − β² u.
    """
    g, u, log_u, log_v = _edges(fit)
    n = fit.nobs
    outside = -(log_v[0] + u[0]) - (log_u[-1] + (1.0 - u[-1]))  # below the least and above the greatest value
    a, b, lo, hi, width = g[:-1], g[1:], u[:-1], u[1:], np.diff(u)

    def logs(at: Vector) -> tuple[Vector, Vector]:
        """log u and log(1 − u); at the edges to full precision."""
        with np.errstate(all="ignore"):
            inner = np.log(at), np.log1p(-at)
        ends = ((lo, slice(None, -1)), (hi, slice(1, None)))
        for end, some in ends:
            inner = np.where(at == end, log_u[some], inner[0]), np.where(at == end, log_v[some], inner[1])
        return inner

    def held(c: Vector, start: Vector, stop: Vector) -> Vector:
        """∫ (c − u)²/(u (1 − u)) du from start to stop."""
        (u1, v1), (u2, v2) = logs(start), logs(stop)
        with np.errstate(all="ignore"):
            return np.where(stop > start, c**2 * (u2 - u1) - (1.0 - c) ** 2 * (v2 - v1) - (stop - start), 0.0)

    middle = np.clip((a + b) / 2.0, lo, hi)  # below it b is further from u, above it a
    high = held(b, lo, middle) + held(a, middle, hi)
    low = held(a, lo, np.clip(a, lo, hi)) + held(b, np.clip(b, lo, hi), hi)
    with np.errstate(all="ignore"):
        slope = np.where(width > 0.0, (b - a) / width, 1.0)
        alpha = a - slope * lo
        inside = alpha**2 * np.diff(log_u) - (alpha + slope - 1.0) ** 2 * np.diff(log_v) - (slope - 1.0) ** 2 * width
    estimate = np.clip(np.where(np.isfinite(inside), inside, low), low, high)  # bins of hardly any width cancel
    return tuple(n * float(np.sum(part) + outside) for part in (estimate, low, high))  # type: ignore[return-value]


def _free(fit: Fit) -> np.ndarray:
    """Which parameters were estimated at the rate of √n."""
    return np.array([p.regular and p.name not in fit.fixed for p in fit.family.params])


def _paths(fit: Fit, rng: Any) -> tuple[Vector, Vector]:
    """√n sup |F_n − F| and A² under the fitted distribution, as n grows: increments free of 1 and of the scores."""
    middle = (np.arange(CELLS) + 0.5) / CELLS
    x, theta, units = fit.dist().ppf(middle), np.asarray(fit.theta, float), fit.family.units(fit.theta)
    span = [np.ones(CELLS)]
    for j in np.flatnonzero(_free(fit)):
        step = np.zeros_like(theta)
        step[j] = 1e-5 * units[j]
        up, down = (fit.family.dist(theta + s * step).logpdf(x) for s in (1.0, -1.0))
        span.append(up - down)
    basis = np.linalg.qr(np.stack(span, axis=1))[0]
    if not np.isfinite(basis).all():
        raise FamilyError(f"the scores of {fit.family.name} are not finite: use bootstrap=999")
    u = np.arange(1, CELLS) / CELLS
    sup, area = [], []
    for _ in range(PATHS // 2000):
        z = rng.standard_normal((2000, CELLS))
        z -= (z @ basis) @ basis.T
        path = np.cumsum(z, axis=1)[:, :-1] / math.sqrt(CELLS)
        sup.append(np.abs(path).max(axis=1) + OVERSHOOT)
        area.append((path**2 / (u * (1.0 - u))).mean(axis=1))
    return np.concatenate(sup), np.concatenate(area)


def _resampled(fit: Fit, bootstrap: int, rng: Any) -> tuple[Vector, Vector]:
    """The same of samples drawn from the fit and fitted again, of the size of the data or of `ROWS` rows."""
    from .api import fit as refit

    rows = int(min(fit.nobs, ROWS))
    held = {name: fit.params[name] for name in fit.fixed}
    sup, area = np.empty(bootstrap), np.empty(bootstrap)
    i = np.arange(1, rows + 1)
    for k in range(bootstrap):
        x = np.sort(fit.rvs(rows, rng))
        dist = refit(fit.family, x, fixed=held, threads=1).dist()
        u = dist.cdf(x)
        sup[k] = math.sqrt(rows) * max(np.max(i / rows - u), np.max(u - (i - 1) / rows))
        area[k] = -rows - np.mean((2 * i - 1) * (dist.logcdf(x) + dist.logsf(x)[::-1]))
    return sup, area


# -- counts ------------------------------------------------------------------------------------------------------------


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


def _counts(fit: Fit, bootstrap: int, rng: Any) -> list[Test]:
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
    from .api import fit as refit

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
