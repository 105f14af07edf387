"""Kolmogorov-Smirnov and Anderson-Darling from a histogram, with the bounds between which its bins leave them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import FamilyError
from ..family import Vector
from ..result import Fit
from .tests import Test

CELLS, PATHS = 1000, 20_000
OVERSHOOT = 0.5826 / math.sqrt(CELLS)  # of a path between the points of a grid (D. Siegmund 1985)
ROWS = 5000  # of a bootstrap sample, at most


def bin_tests(fit: Fit, bootstrap: int, rng: Any) -> list[Test]:
    if fit.bins is None:
        raise FamilyError("this needs a histogram of the data: fit with keep='bins'")
    _, u, log_u, log_v = _edges(fit)
    if not ((u >= 0.0) & (u <= 1.0)).all() or np.isnan([log_u, log_v]).any():
        raise FamilyError(f"there are values at which {fit.family.name} has no distribution function" + _turn(fit))
    if bootstrap:
        drawn, by = _resampled(fit, bootstrap, rng), f"bootstrap of {bootstrap} samples"
    else:
        estimated = any(p.name not in fit.fixed for p in fit.family.params)
        drawn, by = _paths(fit, rng), f"asymptotic, parameters {'estimated' if estimated else 'given'}"
    ks = _test("ks", _distance(fit), math.sqrt(fit.nobs), drawn[0], by)
    if not np.isfinite([*log_u, *log_v]).all():
        at = "greatest" if math.isfinite(log_u[0]) else "least"
        why = f"infinite: {fit.family.name} gives nothing beyond the {at} value, where 1/(F (1 - F)) grows without bound"
        return [ks, Test("ad", math.inf, math.inf, math.inf, math.nan, math.nan, math.nan, why)]
    return [ks, _test("ad", _weighted_distance(fit), 1.0, drawn[1], by)]


def _turn(fit: Fit) -> str:
    circular = not fit.family.on_the_line(-math.inf, math.inf)
    return ": angles must lie within half a turn of mu" if circular else ""


def _test(name: str, values: tuple[float, float, float], scale: float, drawn: Vector, by: str) -> Test:
    """The statistic and its bounds with the shares of the draws that reach them."""
    p = [(1.0 + float(np.count_nonzero(drawn >= v * scale))) / (1.0 + drawn.size) for v in values]
    return Test(name, *values, p[0], p[2], p[1], by)


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
    from ..api import fit as refit

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
