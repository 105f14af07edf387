"""The fit of a generalized linear model: a sample's estimate, then a few passes over all rows."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..family import Sums, Vector
from ..kernels.glm import INFORMATION, NOTHING
from ..newton import Step
from ..passes import Passes
from ..request import check_reopenable
from ..sources import Held
from ..states.coded import CodedState
from ..states.glm import GlmState, GlmTerms, Place
from .ascent import climb_to, pilot_rows
from .blocks import slices_of
from .design import Merged, Roles, open_design, passes_of, pilot
from .glm import GeneralizedLinear
from .model import check_fixed
from .result import Measures, RegressionFit
from .robust import check_cov, glm_covariance
from .scoring import ENDLESS, At, Climb
from .separation import diverging, separating
from .solve import inverse

PERFECT = 1e-24  # of the squared mean, what is left beside it: below, the fit has no error
FAR = 1e-3  # of the loss at one place, left at another


class Fitting:
    """The coordinates of a fit, (1, u..) with u = (x − center) · per, and passes at any coefficients."""

    def __init__(self, model: GeneralizedLinear, source: Merged, sample: Held, fixed: dict[str, float]) -> None:
        names = ["intercept", *model.features]
        self.model = model
        self.shape_free = model.shaped and "theta" not in fixed
        held = [names.index(n) for n in fixed if n != "theta"]
        self.free = np.ones(len(names), bool)
        self.free[held] = False
        self.free[0] &= model.intercept
        self.blocks = source.blocks
        self.by_sample = not self.blocks  # a sample may lack levels
        chunk = next(iter(sample.chunks()))
        columns, rows = chunk[: len(source.names) - len(self.blocks)], chunk[0].size
        self.terms: GlmTerms = replace(model.glm_terms(source.offset, "trials" in source.roles), k=1 + len(columns))
        columns = tuple(c[:: max(1, rows >> 14)] for c in columns)
        self.center = np.array([float(c.mean()) if rows and self.free[0] else 0.0 for c in columns])
        both = zip(columns, self.center, strict=True)
        spread = np.array([_spread(c - m) if rows else 1.0 for c, m in both])
        spread[~((spread > 0.0) & np.isfinite(spread))] = 1.0
        self.per = np.exp2(-np.rint(np.log2(spread)))
        scale = np.append(self.per, np.ones(len(model.features) - len(self.per)))  # of dense columns, then of blocks
        self.penalty = np.array([0.0, *(model.alpha * scale * scale)])
        self.prior = np.r_[np.zeros(1 + len(self.per)), np.ones(len(scale) - len(self.per))]  # a sample may lack levels
        self.start = np.zeros(len(names))
        for n, value in fixed.items():
            if n != "theta":
                j = names.index(n)
                self.start[j] = value / scale[j - 1] if j else value
        self.jacobian = np.diag([1.0, *scale])
        self.jacobian[0, 1 : 1 + len(self.per)] = -self.center * self.per
        self.states: dict[int, Any] = {}
        self.lost: list[int] = []  # columns whose coefficients are infinite

    def evaluator(self, passes: Passes, prior: bool = False) -> Any:
        penalty = self.penalty + self.prior if prior else self.penalty

        def evaluate(beta: Vector, shape: float, matrix: int = INFORMATION) -> At:
            state = self.run(passes, beta, shape, matrix)
            s = state.sums()
            self.states = {id(s): state}
            return self.at(s, beta, shape, penalty)

        return evaluate

    def at(self, s: Sums, beta: Vector, shape: float, penalty: Vector) -> At:
        objective = -s.loss + (s.a if self.model.shaped else 0.0) - 0.5 * float(penalty @ beta**2)
        matrix = s.matrix + np.diag(penalty)
        gradient = np.where(self.free, s.score - penalty * beta, 0.0)
        return At(beta, shape, s, objective, gradient, matrix, self.free, self.shape_free)

    def from_one(self, first: At, evaluate: Any) -> Any:
        """The evaluator of a quadratic objective known at one place; it reads rows only where digits would be lost."""

        def anywhere(beta: Vector, shape: float) -> At:
            step = beta - first.beta
            image = first.sums.matrix @ step
            loss = first.sums.loss - step @ (first.sums.score - 0.5 * image)
            if not loss > FAR * first.sums.loss:
                at: At = evaluate(beta, shape)
                return at
            s = copy(first.sums)
            s.__dict__.update(loss=loss, pearson=2.0 * loss, score=first.sums.score - image)
            return self.at(s, beta, shape, self.penalty)

        return anywhere

    def run(self, passes: Passes, beta: Vector, shape: float, matrix: int) -> Any:
        terms = replace(self.terms, matrix=matrix, constants_too=matrix != NOTHING or self.model.shaped)
        place = Place(beta, self.center, self.per, float(shape))
        if self.blocks:
            levels = tuple(len(block.columns) for block in self.blocks)
            state: Any = CodedState(terms, levels, passes.options, place)
        else:
            state = GlmState(terms, passes.options, place)
        passes.run_all([state])
        return state

    def dispersion(self, at: At) -> float:
        if not self.model.dispersed:
            return at.sums.weight / at.sums.n  # 1, but for sampling weights, whose scale says nothing
        return float(max(at.sums.pearson / max(at.sums.n - self.free.sum(), 1.0), 1e-300))

    def first(self, passes: Passes, shape: float) -> Vector:
        """The constant model, or least squares on the link's scale where there is no intercept to be had."""
        s = self.run(passes, self.start, shape, 0).sums()
        beta = self.start.copy()
        if self.free[0]:
            mean = self.model.first_mean(s)
            low = 0.5 / (s.trials + 1.0)
            high = 1.0 - low if self.model.takes_trials else math.inf
            beta[0] = float(self.model.link_functions.forward(np.float64(min(max(mean, low), high))))
            if self.terms.offset:
                beta[0] -= self._mean_offset(passes)
            return beta
        full = [at for at, block in zip(slices_of(self.blocks, 1 + len(self.per)), self.blocks, strict=True) if block.full]
        if full and self.free[full[0]].all():
            beta[full[0]] = float(self.model.link_functions.forward(np.float64(self.model.first_mean(s))))
            return beta
        chunk = next(iter(passes.source.chunks()))
        k = len(passes.source.names)
        y, mean = chunk[k], self.model.first_mean(s)
        middle = (y + 0.5) / 2.0 if self.model.takes_trials else np.clip(0.5 * (y + mean), 1e-3 * mean, None)
        eta = self.model.link_functions.forward(middle)
        z = np.stack([np.ones(y.size), *((c - m) * p for c, m, p in zip(chunk, self.center, self.per, strict=False))], axis=1)
        own = np.flatnonzero(self.free[: z.shape[1]])
        target = eta - z @ beta[: z.shape[1]] - (chunk[k + 1] if self.terms.offset else 0.0)
        beta[own] = np.linalg.lstsq(z[:, own], target, rcond=None)[0]
        return beta

    def _mean_offset(self, passes: Passes) -> float:
        chunk = next(iter(passes.source.chunks()))
        return float(np.mean(chunk[len(passes.source.names) + 1]))

    def in_x(self, beta: Vector) -> Vector:
        """Coefficients of (1, x..)."""
        return np.asarray(self.jacobian @ beta)

    def columns_of(self, at: At) -> tuple[Vector, np.ndarray]:
        """A matrix that is singular where columns repeat others, and which columns count."""
        return at.matrix, self.free

    def leave_out(self, columns: list[int]) -> None:
        self.free[columns] = False

    def separated_by(self, passes: Passes, at: At, step: Vector) -> list[int]:
        return separating(self, passes, at, step)

    def steps(self, path: list[At], model: Any) -> list[Step]:
        shown = model.shown
        shape = [1] * model.shaped
        return [
            Step(np.append(self.in_x(at.beta)[shown], [at.shape for _ in shape]), at.objective, at.norm(self.dispersion(at)))
            for at in path
        ]


def _spread(away: Vector) -> float:
    """The root of the mean square, whatever the scale."""
    largest = float(np.abs(away).max())
    return largest * float(np.sqrt(np.mean(np.square(away / largest)))) if largest > 0.0 else 0.0


def fit_glm(model: GeneralizedLinear, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
    check_cov(roles, ("HC0", "HC1", "cluster"))
    if roles.trials is not None and not model.takes_trials:
        raise FamilyError(f"trials= is for binomial models, not for {model.name}")
    inner = open_design(data, roles)
    check_reopenable(model.name, inner)
    source = Merged(inner, roles)
    model = model.for_source(source)
    if not model.names:
        raise DataError("a regression needs an intercept or at least one feature")
    check_fixed(model, fixed)
    fixed = {name: float(value) for name, value in fixed.items()}
    passes = passes_of(source, roles)
    support, _ = model.functions(roles.trials is not None)
    sample, whole = pilot(passes, pilot_rows(source), support)
    fitting = Fitting(model, source, sample, fixed)
    middle = float(np.mean(next(iter(sample.chunks()))[len(source.names)])) if model.quadratic and sample.rows else 1.0
    found, aliased = climb_to(fitting, passes, Passes(sample, passes.options), whole, fixed.get("theta", middle))
    if found.message == ENDLESS:
        fit = _at_the_limit(model, data, roles, fixed)
        fit.n_passes += passes.count
        return fit
    fit = _finish(fitting, passes, found, aliased, fixed)
    if fit.status == "ok" and (roles.cov != "model" or fit.weight_kind == "sampling"):
        glm_covariance(fit, fitting, found.at, roles, inner, passes)
    fit.n_passes, fit.kept = passes.count, passes.kept
    fit.trace = fitting.steps(found.path, fit.model)
    return fit


def _finish(fitting: Fitting, passes: Passes, found: Climb, aliased: dict[int, Vector], fixed: dict[str, float]) -> RegressionFit:
    at, model, options = found.at, fitting.model, passes.options
    state = fitting.states.get(id(at.sums)) or next(iter(fitting.states.values()))
    names = ["intercept", *model.features]
    model = replace(model, dropped=tuple(names[j] for j in aliased))
    kind = options.weight_kind if options.weighted else None
    s = at.sums
    n = float(s.rows) if kind == "sampling" else s.n
    status, message, lost = ("ok", "", []) if found.converged else ("not_converged", found.message, [])
    if found.message == "separated":
        lost = fitting.lost
        status, message = "separated", diverging(names, lost)
    shown = model.shown
    beta = fitting.in_x(at.beta)
    beta[list(lost)] = np.nan
    theta, f = beta[shown], np.flatnonzero(fitting.free)
    cov_z = np.full((len(names),) * 2, np.nan)
    measures, llf = _measures(fitting, s, n, kind, passes)
    regular = status == "ok"
    if regular:
        cov_z = np.zeros((len(names),) * 2)
        bread = inverse(at.matrix[np.ix_(f, f)])
        inner = bread @ s.matrix[np.ix_(f, f)] @ bread if model.alpha else bread
        cov_z[np.ix_(f, f)] = inner * measures.dispersion
    units = np.diag(fitting.jacobian)[shown]
    if model.shaped:
        theta, units = np.append(theta, at.shape), np.append(units, 1.0)
    cov = np.zeros((len(theta),) * 2)
    if fitting.shape_free:
        cov[-1, -1] = 1.0 / at.sums.v if at.sums.v > 0.0 else math.nan
    measures.theta_bse = math.sqrt(cov[-1, -1]) if model.shaped else math.nan
    fit = RegressionFit(
        family=model, theta=theta, cov=cov, units=units, llf=llf, nobs=n, nobs_dropped=state.dropped,
        status=status, message=message, fitted_by="Fisher scoring",
        score_norm=at.norm(fitting.dispersion(at)) if regular else math.nan, weight_kind=kind,
        fixed=tuple(fixed), columns=options.labels, measures=measures, use_t=model.dispersed, scales=int(model.dispersed),
    )  # fmt: skip
    fit.take_covariance(cov_z, fitting.jacobian)
    if model.dispersed and not model.quadratic:
        mean = model.first_mean(s)
        perfect = s.pearson * float(model.variance(np.array(mean))) <= PERFECT * mean**2 * s.weight
        if perfect or measures.df_resid <= 0.0:
            fit.degenerate(perfect)
    return fit


def _at_the_limit(model: GeneralizedLinear, data: Any, roles: Roles, fixed: dict[str, float]) -> RegressionFit:
    """The fit where the shape is infinite, which is that of a model without one."""
    fit = fit_glm(model.limit(), data, roles, fixed)
    own = {name: getattr(fit.model, name) for name in ("features", "target", "intercept", "dropped", "formula", "levels")}
    fit.family, fit.theta, fit.units = replace(model, **own), np.append(fit.theta, math.inf), np.append(fit.units, 1.0)
    cov, fit.cov = fit.cov, np.full((fit.theta.size,) * 2, math.nan)
    fit.cov[:-1, :-1] = cov
    if fit.status == "ok":
        fit.status, fit.message = "boundary", "the counts vary no more than Poisson counts: theta is infinite"
    fit.trace = [step._replace(theta=np.append(step.theta, math.inf)) for step in fit.trace]
    return fit


def _measures(fitting: Fitting, s: Sums, n: float, kind: str | None, passes: Passes) -> tuple[Measures, float]:
    model = fitting.model
    p = int(fitting.free.sum())
    s.__dict__["shape"] = next(iter(fitting.states.values())).theta.shape
    m = Measures(df_resid=n - p, pearson_chi2=s.pearson, deviance=2.0 * (s.loss - s.b))
    llf, m.dispersion_ml = model.joint_likelihood(s, kind, passes)
    if model.dispersed:
        scale = n / s.weight if kind == "sampling" else 1.0
        m.dispersion = s.pearson * scale / m.df_resid if m.df_resid > 0.0 else math.nan
    if not fitting.terms.offset:
        null = model.null_loss(s)
        m.null_deviance = 2.0 * (null - s.b)
        if not model.dispersed:
            m.llf_null = s.a - null
    return m, llf
