"""Standard errors that trust the mean but not the variance: HC0 to HC3, clusters, sampling weights; by one more pass.

cov = B M B, B the inverse information, M = Σ s sᵀ of the scores s, of rows or of clusters.
Sources: H. White, Econometrica 48 (1980); MacKinnon & White (1985); K.-Y. Liang & S. L. Zeger, Biometrika 73 (1986).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Vector
from ..passes import Passes
from ..sources import Source
from .design import Roles, matrices, open_design, usable
from .result import RegressionFit
from .solve import inverse

EVERYTHING = 1e-10  # of a row's leverage: nearer to 1 the row fits itself, and HC2 and HC3 are undefined


def check_cov(roles: Roles, known: tuple[str, ...]) -> None:
    if roles.cov not in ("model", *known):
        raise FamilyError(f"cov is one of model, {', '.join(known)}, not {roles.cov!r}")
    if (roles.cov == "cluster") != (roles.cluster is not None):
        raise FamilyError("cov='cluster' and cluster=COLUMN belong together")


class Groups:
    """Sums of score vectors by cluster, whose labels are numbers in any order."""

    def __init__(self) -> None:
        self.place: dict[float, int] = {}
        self.sums: list[Vector] = []

    def add(self, labels: np.ndarray, scores: Vector) -> None:
        levels, inverse = np.unique(labels, return_inverse=True)
        sums = np.zeros((len(levels), scores.shape[1]))
        for j in range(scores.shape[1]):
            sums[:, j] = np.bincount(inverse, scores[:, j], len(levels))
        for level, row in zip(levels.tolist(), sums, strict=True):
            at = self.place.setdefault(level, len(self.sums))
            if at == len(self.sums):
                self.sums.append(row.copy())
            else:
                self.sums[at] += row

    def meat(self) -> Vector:
        s = np.array(self.sums)
        return np.asarray(s.T @ s)


def meat_of(
    source: Source, passes: Passes, columns: int, intercept: bool, center: Vector, per: Vector,
    scores: Callable[[tuple[np.ndarray, ...], Vector], Vector], power: Callable[[Vector], Vector] | None,
) -> tuple[Vector, int]:  # fmt: skip
    """Σ s sᵀ with s = z · scores(row), by row or by the source's role "cluster"; and the number of clusters.

    `power` gives what multiplies the square of a frequency-weighted row's score (1/w, as w rows stand there).
    """
    passes.count += 1
    where = len(source.names) + source.roles.index("cluster") if "cluster" in source.roles else None
    groups, k = Groups(), columns + intercept
    meat = np.zeros((k, k))
    for chunk in source.host_chunks():
        keep = usable(chunk, passes.options)
        for rows, z in matrices(chunk, center, per, intercept):
            piece = tuple(np.asarray(c[rows]) for c in chunk)
            ok = keep[rows]
            if not ok.all():
                piece, z = tuple(c[ok] for c in piece), z[ok]
            s = scores(piece, z)
            if where is not None:
                groups.add(piece[where], z * s[:, None])
            else:
                factor = s if power is None else s * np.sqrt(power(np.asarray(piece[-1], float)))
                zs = z * factor[:, None]
                meat += zs.T @ zs
    return (meat, 0) if where is None else (groups.meat(), len(groups.sums))


def corrections(kind: str, n: float, p: int, clusters: int) -> float:
    """HC1's n/(n − p); for clusters G/(G − 1) · (n − 1)/(n − p)."""
    if kind == "HC1":
        return n / (n - p)
    if kind == "cluster":
        return clusters / (clusters - 1) * (n - 1) / (n - p) if clusters > 1 else float("nan")
    return 1.0


def linear_covariance(fit: RegressionFit, data: Any, roles: Roles, passes: Passes) -> None:
    """Put the sandwich in place of the model's covariance."""
    least: Any = fit.least
    source = open_design(data, roles)
    model, kind = fit.model, fit.weight_kind
    beta_u = np.nan_to_num(least.beta[1:]) / least.per[:-1]
    constant = np.nan_to_num(least.beta[0]) + np.nan_to_num(least.beta[1:]) @ least.center[:-1]
    k = len(model.features)
    exponent = {"HC2": 0.5, "HC3": 1.0}.get(roles.cov, 0.0)

    def scores(piece: tuple[np.ndarray, ...], z: Vector) -> Vector:
        e = (piece[k].astype(np.float64) - constant) - z[:, 1:] @ beta_u
        w = np.asarray(piece[-1], float) if fit.weight_kind else np.ones(len(e))
        if exponent:
            leverage = np.einsum("ij,ij->i", z @ least.inverse, z) * (1.0 if kind == "frequency" else w)
            e = e / np.where(leverage < 1.0 - EVERYTHING, 1.0 - leverage, np.nan) ** exponent
        return np.asarray(w * e)

    frequency = kind == "frequency" and roles.cov != "cluster"
    meat, clusters = meat_of(
        source, passes, k, True, least.center[:-1], least.per[:-1], scores, (lambda w: 1.0 / w) if frequency else None
    )
    inner = least.inverse @ meat @ least.inverse * corrections(roles.cov, fit.nobs, least.rank, clusters)
    fit.take_covariance(inner, least.jacobian)
    if exponent and np.isnan(meat).any():
        fit.message = "; ".join(filter(None, (fit.message, f"a row of leverage 1 leaves {roles.cov} errors undefined")))
    fit.cov_type = "sandwich" if roles.cov == "model" else roles.cov


def glm_covariance(fit: RegressionFit, fitting: Any, at: Any, roles: Roles, inner: Source, passes: Passes) -> None:
    """Put the sandwich in place of the model's covariance; the bread is the expected information."""
    clusters = 0
    if roles.cov == "cluster":
        merged = passes.source
        where = inner.roles.index("cluster") + len(inner.names)
        passes.count += 1
        groups, row = Groups(), 0
        for chunk in inner.host_chunks():
            own = merged.merged(chunk, row)  # type: ignore[attr-defined]
            keep = usable(own, passes.options)
            for rows, z in matrices(own, fitting.center, fitting.per, True, fitting.blocks):
                ok = keep[rows]
                piece = tuple(np.asarray(c[rows], float)[ok] for c in own)
                groups.add(np.asarray(chunk[where][rows])[ok], z[ok] * _glm_scores(fitting, at, merged, piece, z[ok])[:, None])
            row += chunk[0].size
        meat, clusters = groups.meat(), len(groups.sums)
    else:
        meat = fitting.run(passes, at.beta, at.shape, 1 if fit.weight_kind in (None, "frequency") else 2).sums().matrix
    f = np.flatnonzero(fitting.free)
    bread = np.zeros_like(at.matrix)
    bread[np.ix_(f, f)] = inverse(at.matrix[np.ix_(f, f)])
    covariance = bread @ meat @ bread * corrections(roles.cov, fit.nobs, int(f.size), clusters)
    fit.take_covariance(covariance, fitting.jacobian)
    fit.cov_type = "sandwich" if roles.cov == "model" else roles.cov
    if fitting.shape_free and fit.weight_kind == "sampling":
        fit.cov[-1, -1] = _shape_meat(fitting, at, passes) / at.sums.v**2
        fit.measures.theta_bse = float(np.sqrt(fit.cov[-1, -1]))


def _shape_meat(fitting: Any, at: Any, passes: Passes) -> float:
    """Σ (w u)², u the slope of a row's log-likelihood in the shape."""
    source, total, q = passes.source, 0.0, at.shape
    passes.count += 1
    for chunk in source.host_chunks():
        keep = usable(chunk, passes.options)
        for rows, z in matrices(chunk, fitting.center, fitting.per, True, fitting.blocks):
            piece = tuple(np.asarray(c[rows], float)[keep[rows]] for c in chunk)
            roles, _, mu = _at_rows(fitting, at, source, piece, z[keep[rows]])
            y = roles["target"]
            u = scipy.special.digamma(y + q) - scipy.special.digamma(q) - np.log1p(mu / q) + (mu - y) / (mu + q)
            total += float(np.sum(np.square(roles["weights"] * u)))
    return total


def _at_rows(
    fitting: Any, at: Any, source: Any, piece: tuple[np.ndarray, ...], z: Vector
) -> tuple[dict[str, Vector], Vector, Vector]:
    """The columns of the roles, η and the mean of some rows."""
    eta = z @ at.beta
    roles = dict(zip(source.roles, piece[len(source.names) :], strict=True))
    if "offset" in roles:
        eta = eta + roles["offset"]
    return roles, eta, fitting.model.mean(eta)


def _glm_scores(fitting: Any, at: Any, source: Any, piece: tuple[np.ndarray, ...], z: Vector) -> Vector:
    """w dℓ/dη of each row."""
    model = fitting.model
    roles, eta, mu = _at_rows(fitting, at, source, piece, z)
    variance = model.variance(mu, at.shape)
    with np.errstate(all="ignore"):
        s = (roles["target"] - mu) * model.mean_slope(eta) / variance
    return np.asarray(s * roles.get("trials", 1.0) * roles.get("weights", 1.0))
