"""The linear model from the exact sums of products: what a pass leaves, solved with as many digits as it takes.

Coordinates: z = (1, u_1 .. u_p), u = (x − c) · per, and v for the target, so that nothing cancels; c is 0 where the
intercept is not estimated.
"""

from __future__ import annotations

import decimal
import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from ..errors import DataError
from ..family import Sums, Vector
from ..states.gram import GramState
from .model import Regression, aliases
from .solve import DIGITS, FEW, MOST, POOR, condition, correlation_of, decimals, floats, sweep

SAME = 1e-25, 1e-12  # what is left of a column that repeats others, in double-double and in float64
PERFECT = 1e-29  # residual sum of squares over that of the target: below, the fit has no error


@dataclass
class Least:
    """The estimates; `inverse` is (Z'WZ + α)⁻¹ of the free columns, in z; 0 for fixed and dropped ones."""

    beta: Vector  # every coefficient, in x; NaN for dropped ones
    inverse: Vector  # (columns, columns), in z
    factor: Vector  # upper triangular R with RᵀR = Z'WZ + α in the free columns, 0 elsewhere
    covariance: Vector  # the estimates' covariance over sigma², in z
    constant: Vector  # a row of it: the intercept of x with itself, then with the others in z; for digits
    jacobian: Vector  # d beta / d beta in z
    rss: float
    tss: float
    condition: float
    rows: int
    weight: float
    n: float
    log_weight: float
    center: Vector
    per: Vector
    free: np.ndarray
    gradient: Vector  # of −RSS/2 − α/2 β², in z
    aliased: tuple[str, ...] = ()
    message: str = ""
    sums: Sums | None = field(default=None, repr=False)

    @property
    def rank(self) -> int:
        return int(self.free.sum())


def gram_of(state: GramState, centered: bool) -> tuple[np.ndarray, Vector, Vector]:
    """The Gram matrix of (1, u.., v) as Decimals, with center and scale; about 0 unless `centered`."""
    theta = state.theta
    k = state.terms.k + 1
    upper = np.triu_indices(k)
    g = np.zeros((k, k), dtype=object)
    g[upper] = g.T[upper] = state.decimals()
    center, per = np.array(theta.c), np.array(theta.per)
    if not centered:
        d = np.array([Decimal(0), *(Decimal(c) * Decimal(p) for c, p in zip(theta.c, theta.per, strict=True))], dtype=object)
        cross = np.outer(g[0], d)
        g = g + cross + cross.T + np.outer(d, d) * g[0, 0]
        center = np.zeros_like(center)
    return g, center, per


def least_squares(model: Regression, state: GramState, fixed: dict[str, float], double: bool) -> Least:
    """Minimise Σ w (y − Xβ)² + α Σ β². Raises DataError for columns that repeat others."""
    names = ["intercept", *model.features]
    held = np.array([names.index(n) for n in fixed], int)
    free = np.ones(len(names), bool)
    free[held] = False
    free[0] &= model.intercept
    with decimal.localcontext(DIGITS):
        g, center, per = gram_of(state, bool(free[0]))
        scales = [Decimal(1), *map(Decimal, per.tolist())]
        values = [Decimal(float(fixed[n])) for n in fixed]
        g = _hold(g, held, [b * scales[-1] / scales[h] for b, h in zip(values, held.tolist(), strict=True)])
        at = np.flatnonzero(free)
        ridge = np.array([Decimal(model.alpha) / scales[j] ** 2 if j else Decimal(0) for j in at], dtype=object)
        solved, cond = _solve(g, at, ridge, double)
        beta_z, inverse_z = solved.beta[:, 0], solved.inverse
        cross, gram = g[at, -1], g[np.ix_(at, at)]
        image = gram @ beta_z if at.size else np.zeros(0, dtype=object)
        rss = g[-1, -1] - 2 * (cross @ beta_z) + beta_z @ image if at.size else g[-1, -1]
        tss = g[-1, -1] - (g[0, -1] ** 2 / g[0, 0] if free[0] else 0)
        y_scale = scales[-1] ** 2
        beta = _in_x(beta_z, at, held, values, center, scales, len(names), bool(free[0]), g[0, 0])
        gradient = floats(cross - image - ridge * beta_z) / float(scales[-1])
        aliased = {int(at[k]): _spread(v, at, len(names)) for k, v in solved.aliased.items()}
        result_rss, result_tss = float(max(rss, Decimal(0)) / y_scale), float(tss / y_scale)
        inverse, factor = _spread2(floats(inverse_z), at, len(names)), _spread2(solved.factor, at, len(names))
        turn = np.array([-Decimal(center[j - 1]) * scales[j] if j else Decimal(1) for j in at], dtype=object)
        row = turn @ inverse_z
        row = row @ gram @ inverse_z if model.alpha else row
        constant = _spread(floats(np.append(row @ turn, row[1:])), at, len(names)) if free[0] else np.zeros(len(names))
        covariance = inverse
        if model.alpha:
            parts = (inverse_z, gram) if at.size <= FEW else (floats(inverse_z), floats(gram))
            covariance = _spread2(floats(parts[0] @ parts[1] @ parts[0]), at, len(names))
    dropped = _aliased(model, aliased, names)
    for j in aliased:
        free[j] = False
        beta[j] = np.nan
    jacobian = np.diag([1.0, *(per[:-1])])
    jacobian[0, 1:] = -center[:-1] * per[:-1]
    s = state.sums()
    return Least(
        beta, inverse, factor, covariance, constant, jacobian, result_rss, result_tss, cond, state.rows, float(s.weight), float(s.n),
        s.log_weight, center, per, free, gradient, tuple(names[j] for j in aliased), dropped, s,
    )  # fmt: skip


def _hold(g: np.ndarray, held: np.ndarray, values: list[Any]) -> np.ndarray:
    """The Gram matrix with the target less the fixed terms."""
    if not held.size:
        return g
    a = np.array([[Decimal(int(i == j)) for j in range(len(g))] for i in range(len(g))], dtype=object)
    a[-1, held] = [-v for v in values]
    return np.asarray(a @ g @ a.T)


def _solve(g: np.ndarray, at: np.ndarray, ridge: np.ndarray, double: bool) -> tuple[Any, float]:
    """Sweep the free columns: in float64 where that is enough, else in decimals."""
    p = at.size
    index = [*at, len(g) - 1]
    m = g[np.ix_(index, index)]
    m[range(p), range(p)] += ridge
    one = p and at[0] == 0
    if one:  # the correlations are those about the mean
        first = m[0] / m[0, 0]
        inner = (m - np.outer(m[0], first))[1:, 1:]
    else:
        inner = m
    correlation, scale = correlation_of(floats(inner))
    cond = condition(correlation)
    if p <= FEW or (cond > POOR and p <= MOST):
        return sweep(m, p, SAME[0] if double else SAME[1]), cond
    swept = sweep(correlation, p - bool(one), SAME[1])
    q = len(correlation) - 1
    inverse = swept.inverse / np.outer(scale[:q], scale[:q])
    beta = swept.beta[:, 0] / scale[:q] * scale[q]
    if one:
        mean = floats(first[1:])
        both = np.zeros((p, p))
        both[1:, 1:] = inverse
        both[0, 1:] = both[1:, 0] = -inverse @ mean[:q]
        both[0, 0] = 1.0 / float(m[0, 0]) + mean[:q] @ inverse @ mean[:q]
        swept.factor = _with_constant(swept.factor * scale[:q], floats(m[0, :p]))
        inverse, beta = both, np.array([mean[q] - mean[:q] @ beta, *beta])
        swept.aliased = {k + 1: np.array([0.0, *v]) for k, v in swept.aliased.items()}
    else:
        swept.factor = swept.factor * scale[:q]
    swept.inverse, swept.beta = decimals(inverse), decimals(beta.reshape(-1, 1))
    return swept, cond


def _with_constant(factor: Vector, first: Vector) -> Vector:
    """The Cholesky factor of a Gram matrix whose first row is `first`, from that of the squares about the mean."""
    out = np.zeros((len(first),) * 2)
    out[0], out[1:, 1:] = first / math.sqrt(first[0]), factor
    return out


def _in_x(
    beta_z: np.ndarray, at: np.ndarray, held: np.ndarray, values: list[Any], center: Vector, scales: list[Any], count: int,
    centered: bool, weight: Any,
) -> Vector:  # fmt: skip
    """Coefficients of (1, x..) from those of (1, u..) for the target v = (y − c_y) · per_y."""
    beta = np.array([Decimal(0)] * count, dtype=object)
    for k, j in enumerate(at.tolist()):
        beta[j] = beta_z[k] * (scales[j] if j else 1) / scales[-1]
    for value, j in zip(values, held.tolist(), strict=True):
        beta[j] = value
    if centered:
        shift = [Decimal(c) for c in center.tolist()]
        beta[0] += shift[-1] - sum((beta[j] * shift[j - 1] for j in range(1, count)), Decimal(0))
    return floats(beta)


def _spread(vector: Vector, at: np.ndarray, count: int) -> Vector:
    out = np.zeros(count)
    out[at] = vector
    return out


def _spread2(matrix: Vector, at: np.ndarray, count: int) -> Vector:
    out = np.zeros((count, count))
    out[np.ix_(at, at)] = matrix
    return out


def _aliased(model: Regression, aliased: dict[int, Vector], names: list[str]) -> str:
    if not aliased:
        return ""
    said = aliases(model, aliased, names)
    if model.rank_deficient == "raise":
        raise DataError(
            f"{said}: leave such columns out, or pass rank_deficient='drop'", column=names[next(iter(aliased))]
        )
    return said
