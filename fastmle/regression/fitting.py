"""The fit of a generalized linear model: a sample's estimate, then a few passes over all rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..family import Sums, Vector
from ..passes import Passes
from ..request import check_reopenable
from .ascent import climb_to, pilot_rows
from .constant import constant_llf
from .coordinates import Fitting
from .design import Merged, Roles, open_design, passes_of, pilot
from .glm import GeneralizedLinear
from .model import check_fixed
from .result import Measures, RegressionFit
from .robust import check_cov, glm_covariance
from .scoring import ENDLESS, Climb
from .separation import diverging
from .solve import inverse

PERFECT = 1e-24  # of the squared mean, what is left beside it: below, the fit has no error


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
        if not fitting.terms.offset:
            fit.measures.llf_null = constant_llf(passes)
        fit.n_passes += passes.count
        return fit
    fit = _finish(fitting, passes, found, aliased, fixed)
    if fitting.shape_free and not fitting.terms.offset:
        fit.measures.llf_null = constant_llf(passes)
    if fit.status == "ok" and (roles.cov != "model" or fit.weight_kind == "sampling"):
        glm_covariance(fit, fitting, found.at, roles, inner, passes)
    fit.n_passes, fit.kept = passes.count, passes.kept
    fit.trace = fitting.steps(found.path, fit.model)
    return fit


def _finish(fitting: Fitting, passes: Passes, found: Climb, aliased: dict[int, Vector], fixed: dict[str, float]) -> RegressionFit:
    at, model, options = found.at, fitting.model, passes.options
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
        family=model, theta=theta, cov=cov, units=units, llf=llf, nobs=n, nobs_dropped=fitting.dropped,
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
