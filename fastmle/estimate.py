"""From a family and its sums to a fit: the estimate, its errors, and a status that says what they are worth."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .errors import ConvergenceError, DataError, FamilyError
from .family import Family, Solution, Sums, Vector
from .family.checks import check_derivatives, check_solution
from .newton import Point, Step, all_finite, maximise
from .passes import Passes
from .result import Fit
from .search import search
from .states import State
from .values import short

ASTRAY = 0.1  # standard errors

def fit_passes(family: Family, passes: Passes, fixed: dict[str, Any]) -> Fit:
    """One pass for families that need one; a pilot and a few passes for the others."""
    if family.one_pass:
        fit = fit_state(family, passes.run(family.terms), fixed)
        fit.n_passes = passes.count
        return fit
    free, held = free_of(family, fixed)
    found = search(family, passes, fixed, free, held)
    estimate = family, found.state, found.sums, found.theta, free, found.status, found.message
    with np.errstate(all="ignore"):
        fit = _finish(*estimate, found.how, passes.count, fixed)
    fit.trace = found.path
    return fit


def free_of(family: Family, fixed: dict[str, Any]) -> tuple[np.ndarray, Vector]:
    """Which entries of θ are estimated, and the values of the others (NaN where free)."""
    if not fixed:
        return _all_free(len(family.params))
    held = family.hold(fixed)
    outside = [not p.ends[0] < h < p.ends[1] for p, h in zip(family.params, held, strict=True)]
    free = np.isnan(held)
    for name, value in fixed.items():
        if not np.isfinite(np.asarray(value, float)).all():
            raise FamilyError(f"{family.name}: {name} cannot be held at {value}")
    if (np.array(outside) & ~free).any():
        raise FamilyError(f"{family.name}: {said(fixed)} lies outside the parameter space")
    return free, held


@cache
def _all_free(k: int) -> tuple[np.ndarray, Vector]:
    both = np.array([True] * k), np.array([math.nan] * k)
    for values in both:
        values.flags.writeable = False
    return both


def said(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {short(value)}" for name, value in values.items())


@np.errstate(all="ignore")
def fit_state(family: Family, state: State, fixed: dict[str, Any]) -> Fit:
    """The fit from a state alone, with no row in memory."""
    if not state.rows:
        raise DataError(f"column {state.options.labels[0]!r}: there are no rows to fit {family.name} to")
    own: Fit | None = family.fit_state(state, fixed)
    if own is not None:
        return own
    s = state.sums()
    free, held = free_of(family, fixed)
    path: list[Step] = []
    if not fixed:
        solution, how = family.solve(s), "closed form"
        check_solution(family, "solve", solution)
    elif not free.any():
        solution, how = Solution(tuple(held)), "all parameters fixed"
        if not family.valid(held):
            raise FamilyError(f"{family.name}: {family.pack(held)} lies outside the parameter space")
    else:
        solution, how = _solve_fixed(family, s, fixed, free, held, path)
        if solution.status == "ok" and not family.valid(np.array(solution.theta, float)):
            raise FamilyError(f"{family.name}: {said(fixed)} leaves nothing inside the parameter space")
    theta = np.array(solution.theta, float)
    if solution.approximate:
        solution, how = _climb(family, s, theta, free, path), "newton"
        theta = np.array(solution.theta, float)
    elif how != "newton" and solution.status in ("ok", "nonregular"):
        check_derivatives(family, s, theta)
    fit = _finish(family, state, s, theta, free, solution.status, solution.message, how, 1, fixed)
    fit.trace = path
    return fit


def _solve_fixed(
    family: Family, s: Sums, fixed: dict[str, Any], free: np.ndarray, held: Vector, path: list[Step]
) -> tuple[Solution, str]:
    closed = family.solve_fixed(s, fixed)
    if closed is not None:
        check_solution(family, "solve_fixed", closed)
        return closed, "closed form"
    whole = family.solve(s)
    check_solution(family, "solve", whole)
    start = np.array([t if math.isfinite(t) and t != 0.0 else 1.0 for t in whole.theta])
    start = np.where(free, start, held)
    if not family.valid(start):
        raise FamilyError(f"{family.name}: {fixed} lies outside the parameter space")
    return _climb(family, s, start, free, path), "newton"


def _climb(family: Family, s: Sums, start: Vector, free: np.ndarray, path: list[Step]) -> Solution:
    """Newton's steps from the sums alone; the places on the way go to `path`."""
    check_derivatives(family, s, start)
    climb = maximise(family, lambda _: s, start, free, tolerance=1e-13)
    path.extend(climb.path)
    status = "ok" if climb.converged else "not_converged"
    return Solution(climb.point.theta, status, "" if climb.converged else climb.message)


def _finish(
    family: Family, state: State, s: Sums, theta: Vector, free: np.ndarray, status: str, message: str,
    how: str, n_passes: int, fixed: dict[str, Any],
) -> Fit:  # fmt: skip
    """Log-likelihood, covariance and score at the estimate; NaN for whatever is undefined."""
    options = state.options
    k = len(theta)
    cov, units, norm, llf = None, None, math.nan, math.nan
    if status in ("ok", "nonregular") and not all_finite(theta):
        status, message = "not_converged", "float64 cannot hold the estimate"
        theta = np.where(free, math.nan, theta)
    regular = [p.regular for p in family.params]
    free_regular = free & regular if False in regular else free
    sought = True in free_regular.tolist() or True not in free.tolist()
    if status in ("ok", "not_converged", "nonregular") and sought and family.valid(theta):
        point = Point.of(family, s, theta)
        llf = point.llf
        if point.good(free_regular):
            cov, norm = _covariance(state, family, point, free_regular)
            if free_regular is not free:
                odd = free & ~free_regular
                cov[odd] = cov[:, odd] = np.nan
            units = point.units
            sound = not math.isnan(norm)
            norm = norm if sound else point.norm(free_regular)
            if not sound and status == "ok":
                status, message = "not_converged", "the information at the estimate is not positive definite"
            elif sound and family.one_pass and status != "not_converged" and _astray(point, norm, free_regular):
                away = f"the score is {norm:.3g} standard errors from 0 at the estimate"
                status, message = "not_converged", f"{away}: solve and score of {family.name} disagree"
        elif status == "ok":
            status, message = "not_converged", "the likelihood is not finite at the estimate"
    elif status not in ("degenerate", "not_converged"):
        llf = float(family.loglik(s, theta))
    if llf == -math.inf and any(p.name in fixed for p in family.params if not p.regular):
        raise DataError(
            f"column {options.labels[0]!r}: there are rows outside the support of {family.name} with {said(fixed)}"
        )
    weight_kind = options.weight_kind if options.weighted else None
    if weight_kind == "precision":
        llf += 0.5 * s.log_weight
    cov = np.full((k, k), np.nan) if cov is None else cov
    units = np.ones(k) if units is None else units
    nobs = float(state.rows) if weight_kind == "sampling" else float(s.n)
    return Fit(
        family=family, theta=theta, cov=cov, units=units, llf=llf, nobs=nobs, nobs_dropped=state.dropped,
        status=status, message=message, n_passes=n_passes, fitted_by=how, score_norm=norm, weight_kind=weight_kind,
        fixed=tuple(fixed), columns=options.labels, sums=s,
    )  # fmt: skip


def _astray(point: Point, norm: float, free: np.ndarray) -> bool:
    """Whether the estimate is plainly no maximum, by errors of rows of weight 1: a tenth of one is far beyond what rounding
    does, but where θ has no more digits, as of 10^9 rows at 1e12 ± 1."""
    limit = ASTRAY * math.sqrt(point.sums.weight / point.sums.rows)
    return norm > limit and norm > limit + 10.0 * point.rounding(free)


def _covariance(state: State, family: Family, point: Point, free: np.ndarray) -> tuple[Vector, float]:
    """The inverse observed information in units, or the sandwich under sampling weights, 0 for fixed parameters; and the
    score norm. NaN if the information is not positive definite."""
    every = all(free.tolist())
    if not every and not free.any():
        return np.zeros((free.size, free.size)), 0.0
    part = slice(None) if every else np.ix_(free, free)
    information, score = (point.information, point.score) if every else (point.information[part], point.score[free])
    known = family.inverse_information(point.sums, point.theta) if every else None
    inner, norm = _inverse(information, score) if known is None else (known, math.sqrt(float(score @ known @ score)))
    bound = None if math.isnan(norm) else family.constraint(point.theta)
    if bound is not None:
        across = inner @ bound[free]
        length = math.sqrt(float(bound[free] @ across))
        across /= length  # before the product, which may leave float64
        score = score - float(across @ score) / length * bound[free]  # across the constraint it need not vanish
        norm = math.sqrt(max(float(score @ inner @ score), 0.0))
        inner = inner - np.outer(across, across)
    if state.options.weighted and state.options.weight_kind == "sampling":
        inner = inner @ state.meat(family, point.theta)[part] @ inner
    if every:
        return inner, norm
    cov = np.zeros((free.size, free.size))
    cov[part] = inner
    return cov, norm


def _inverse(information: Vector, score: Vector) -> tuple[Vector, float]:
    """I⁻¹ and sqrt(gᵀ I⁻¹ g); NaN if I is not positive definite. By the eigenvectors of I in the scale of its diagonal."""
    diagonal = information.diagonal().tolist()  # all finite
    if not min(diagonal) > 0.0:
        return np.full(information.shape, np.nan), math.nan
    if len(diagonal) <= 2:
        return _small_inverse(information.tolist(), score.tolist())
    scale = np.sqrt(diagonal)
    values, vectors = np.linalg.eigh(information / (scale[:, None] * scale))
    if not values[0] > 0.0:
        return np.full(information.shape, np.nan), math.nan
    root = vectors / np.sqrt(values) / scale[:, None]
    along = score @ root
    return root @ root.T, math.sqrt(float(along @ along))


def _small_inverse(information: list[list[float]], score: list[float]) -> tuple[Vector, float]:
    """The same of one or two parameters, in floats: after a long column numpy is no longer in the processor's caches.

    In the scale of the diagonal, ((1, r), (r, 1)) has the eigenvectors (1, ±1) and the eigenvalues 1 ± r.
    """
    a, *_ = information[0]
    if len(score) == 1:
        return np.array([[1.0 / a]]), abs(score[0]) / math.sqrt(a)
    b, c = information[1]
    x, y = math.sqrt(a), math.sqrt(c)
    r = b / x / y
    if not abs(r) < 1.0:
        return np.full((2, 2), np.nan), math.nan
    g, h = score[0] / x, score[1] / y
    norm = math.hypot((g + h) / math.sqrt(2.0 + 2.0 * r), (g - h) / math.sqrt(2.0 - 2.0 * r))
    rest = (1.0 - r) * (1.0 + r)
    across = -r / rest / x / y
    return np.array([[1.0 / rest / a, across], [across, 1.0 / rest / c]]), norm


def judged(result: Fit, strict: bool) -> Fit:
    """The fit itself, or under `strict` an error for every status but "ok" and "nonregular"."""
    if strict and result.status not in ("ok", "nonregular"):
        raise ConvergenceError(f"{result.family.name}: {result.status}: {result.message}")
    return result
