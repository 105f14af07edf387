"""Standard errors that trust the mean but not the variance: HC0 to HC3, clusters, sampling weights; by one more pass.

cov = B M B, B the inverse information, M = Σ s sᵀ of the scores s, of rows or of clusters. Where columns are nearly equal that
product cancels to the square of their condition number. So scores are turned before they are multiplied: with B⁻¹ = RᵀR the
rows q = z R⁻¹ are nearly orthonormal, and cov = R⁻¹ (Σ s² q qᵀ) R⁻ᵀ.
Sources: H. White, Econometrica 48 (1980); MacKinnon & White (1985); K.-Y. Liang & S. L. Zeger, Biometrika 73 (1986);
Y. Yamamoto et al., Electronic Transactions on Numerical Analysis 44 (2015), of a factor mended by a second one.
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
from .solve import cholesky, inverse, root_of

EVERYTHING = 1e-10  # of a row's leverage: nearer to 1 the row fits itself, and HC2 and HC3 are undefined
CANCELS = 1e6  # times as much as what is left of a sum, which ten digits outlast: beyond, scores are turned row by row


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
    source: Source, passes: Passes, columns: int, center: Vector, per: Vector, turn: Callable[[Vector], Vector],
    scores: Callable[[tuple[np.ndarray, ...], Vector, Vector], Vector], power: Callable[[Vector], Vector] | None,
) -> tuple[Vector, int]:  # fmt: skip
    """Σ s sᵀ with s = q · scores(row), q = turn(z), by row or by the source's role "cluster"; and the number of clusters.

    `power` gives what multiplies the square of a frequency-weighted row's score (1/w, as w rows stand there).
    """
    passes.count += 1
    where = len(source.names) + source.roles.index("cluster") if "cluster" in source.roles else None
    groups, meat = Groups(), np.zeros((columns, columns))
    for chunk in source.host_chunks():
        keep = usable(chunk, passes.options)
        for rows, z in matrices(chunk, center, per, True):
            piece = tuple(np.asarray(c[rows]) for c in chunk)
            ok = keep[rows]
            if not ok.all():
                piece, z = tuple(c[ok] for c in piece), z[ok]
            q = turn(z)
            s = scores(piece, z, q)
            if where is not None:
                groups.add(piece[where], q * s[:, None])
            else:
                factor = s if power is None else s * np.sqrt(power(np.asarray(piece[-1], float)))
                qs = q * factor[:, None]
                meat += qs.T @ qs
    return (meat, 0) if where is None else (groups.meat(), len(groups.sums))


def whitener(factor: Vector, free: np.ndarray) -> Callable[[Vector], Vector]:
    """z -> z R⁻¹ of the free columns."""

    def turn(z: Vector) -> Vector:
        return np.asarray(scipy.linalg.solve_triangular(factor, z[:, free].T, trans="T", check_finite=False).T)

    return turn


def unturned(factor: Vector, free: np.ndarray, root: Vector, count: int) -> Vector:
    """R⁻¹ C, with rows of zeros for the columns that are not free."""
    out = np.zeros((count, root.shape[1]))
    out[free] = scipy.linalg.solve_triangular(factor, root, check_finite=False)
    return out


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
    f = np.flatnonzero(least.free)
    factor = least.factor[np.ix_(f, f)]
    exponent = {"HC2": 0.5, "HC3": 1.0}.get(roles.cov, 0.0)

    def scores(piece: tuple[np.ndarray, ...], z: Vector, q: Vector) -> Vector:
        e = (piece[k].astype(np.float64) - constant) - z[:, 1:] @ beta_u
        w = np.asarray(piece[-1], float) if fit.weight_kind else np.ones(len(e))
        if exponent:
            leverage = np.einsum("ij,ij->i", q, q) * (1.0 if kind == "frequency" else w)
            e = e / np.where(leverage < 1.0 - EVERYTHING, 1.0 - leverage, np.nan) ** exponent
        return np.asarray(w * e)

    frequency = kind == "frequency" and roles.cov != "cluster"
    meat, clusters = meat_of(
        source, passes, f.size, least.center[:-1], least.per[:-1], whitener(factor, f), scores,
        (lambda w: 1.0 / w) if frequency else None,
    )  # fmt: skip
    root = root_of(meat * corrections(roles.cov, fit.nobs, least.rank, clusters))
    fit.take_root(unturned(factor, f, root, len(least.free)), least.jacobian)
    if exponent and np.isnan(meat).any():
        fit.message = "; ".join(filter(None, (fit.message, f"a row of leverage 1 leaves {roles.cov} errors undefined")))
    fit.cov_type = "sandwich" if roles.cov == "model" else roles.cov
    if fit.use_t and clusters:
        fit.measures.df_inference = clusters - 1.0


def glm_covariance(fit: RegressionFit, fitting: Any, at: Any, roles: Roles, inner: Source, passes: Passes) -> None:
    """Put the sandwich in place of the model's covariance; the bread is the expected information."""
    f = np.flatnonzero(fitting.free)
    matrix = at.matrix[np.ix_(f, f)]
    bread, clusters = inverse(matrix), 0
    if roles.cov == "cluster" or cancelling(matrix, bread):
        meat, information, clusters = _turned_sums(fit, fitting, at, inner, passes)
        root = np.asarray(np.linalg.solve(information, root_of(meat * corrections(roles.cov, fit.nobs, int(f.size), clusters))))
        fit.take_root(unturned(cholesky(matrix), f, root, len(fitting.free)), fitting.jacobian)
    else:
        meat = fitting.run(passes, at.beta, at.shape, 1 if fit.weight_kind in (None, "frequency") else 2).sums().matrix
        covariance = np.zeros_like(at.matrix)
        covariance[np.ix_(f, f)] = bread @ meat[np.ix_(f, f)] @ bread * corrections(roles.cov, fit.nobs, int(f.size), 0)
        fit.take_covariance(covariance, fitting.jacobian)
    fit.cov_type = "sandwich" if roles.cov == "model" else roles.cov
    if fit.use_t and clusters:
        fit.measures.df_inference = clusters - 1.0
    if fitting.shape_free and fit.weight_kind == "sampling":
        fit.cov[-1, -1] = _shape_meat(fitting, at, passes) / at.sums.v**2
        fit.measures.theta_bse = float(np.sqrt(fit.cov[-1, -1]))


def cancelling(matrix: Vector, bread: Vector) -> bool:
    """Whether B A B, which is B, would lose more digits than `CANCELS` says: then so would B M B."""
    size = np.sum((np.abs(bread) @ np.abs(matrix)) * np.abs(bread), axis=1)
    return not (size <= CANCELS * np.diag(bread)).all()


def _turned_sums(fit: RegressionFit, fitting: Any, at: Any, inner: Source, passes: Passes) -> tuple[Vector, Vector, int]:
    """Σ s sᵀ by row or by cluster and the information, both in q = z R⁻¹; and the number of clusters.

    R is of the rounded information, which in q is the identity but for what was lost in rounding.
    """
    merged: Any = passes.source
    where = inner.roles.index("cluster") + len(inner.names) if "cluster" in inner.roles else None
    f = np.flatnonzero(fitting.free)
    factor = cholesky(at.matrix[np.ix_(f, f)])
    turn, groups, row = whitener(factor, f), Groups(), 0
    meat, penalty = np.zeros((f.size,) * 2), turn(np.diag(np.sqrt(fitting.penalty)))
    information = penalty.T @ penalty
    frequency = fit.weight_kind == "frequency" and where is None
    passes.count += 1
    for chunk in inner.host_chunks():
        own = merged.merged(chunk, row)
        keep = usable(own, passes.options)
        for rows, z in matrices(own, fitting.center, fitting.per, True, fitting.blocks):
            ok = keep[rows]
            piece = tuple(np.asarray(c[rows], float)[ok] for c in own)
            s, expected = _glm_scores(fitting, at, merged, piece, z[ok])
            q = turn(z[ok])
            information += (q * expected[:, None]).T @ q
            if where is not None:
                groups.add(np.asarray(chunk[where][rows])[ok], q * s[:, None])
            else:
                qs = q * (s / np.sqrt(piece[-1]) if frequency else s)[:, None]
                meat += qs.T @ qs
        row += chunk[0].size
    return (meat, information, 0) if where is None else (groups.meat(), information, len(groups.sums))


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


def _glm_scores(
    fitting: Any, at: Any, source: Any, piece: tuple[np.ndarray, ...], z: Vector
) -> tuple[Vector, Vector]:
    """w dℓ/dη and w E(dℓ/dη)² of each row."""
    model = fitting.model
    roles, eta, mu = _at_rows(fitting, at, source, piece, z)
    variance, slope, away = model.variance(mu, at.shape), model.mean_slope(eta), roles["target"] - mu
    times = np.asarray(roles.get("trials", 1.0) * roles.get("weights", 1.0))
    with np.errstate(all="ignore"):  # a mean at the end of its range has variance 0
        score = np.where(away == 0.0, 0.0, away * slope / variance)
        expected = np.where(variance == 0.0, 0.0, slope * slope / variance)
    return score * times, expected * times
