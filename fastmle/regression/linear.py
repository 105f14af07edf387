"""The linear model: y = β₀ + Σ βⱼ xⱼ + ε, ε ~ N(0, σ²); maximum likelihood is least squares, from the sums of one pass.

log L = −½ Σ w [log 2πσ² + (y − Xβ)²/σ²],  σ̂² = RSS/n. Ridge: minimise ½ RSS + ½ α Σ β².
Sources: C. R. Rao, Linear Statistical Inference, ch. 4; robust errors: J. G. MacKinnon & H. White, J. Econometrics 29 (1985).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import scipy

from ..errors import DataError, FamilyError
from ..family import GramTerms, Vector
from ..states.gram import GramState
from .design import Merged, Roles, open_design, passes_of
from .least_squares import PERFECT, Least, least_squares
from .model import Regression, check_fixed
from .result import Measures, RegressionFit
from .robust import check_cov, linear_covariance
from .solve import HOPELESS

DOUBLE_ROWS = 1 << 14  # the first rows of all data are summed in double-double, which costs about a millisecond
WIDE, DOUBLE_ROWS_WIDE = 16, 1 << 12  # fewer of them where there are many columns
EVERY_ROW = 1 << 62
FOURTH = 8  # features up to which a stream under sampling weights keeps what sandwich errors need


@dataclass(frozen=True)
class LinearRegression(Regression):
    """Linear regression; `precision="double-double"` sums all rows in twice the digits."""

    precision: str | None = None

    name: ClassVar[str] = "linear"
    precision_weights: ClassVar[bool] = True

    def check(self) -> None:
        if self.precision not in (None, "double-double"):
            raise FamilyError(f"precision is None or 'double-double', not {self.precision!r}")

    def bind(self, columns: tuple[str, ...]) -> LinearRegression:
        if len(columns) < 2 and (not columns or self.intercept is False):
            raise DataError("a regression needs a target and at least one feature")
        return replace(self, features=columns[:-1], target=columns[-1])

    @property
    def terms(self) -> GramTerms:
        k = len(self.features) + 1
        rows = EVERY_ROW if self.precision else DOUBLE_ROWS if k <= WIDE else DOUBLE_ROWS_WIDE
        return GramTerms(k, double_rows=rows, fourth=k <= FOURTH + 1, where="every finite number")

    def fit_state(self, state: Any, fixed: dict[str, Any]) -> RegressionFit:
        check_fixed(self, fixed)
        return fit_linear(self, state, fixed)

    def fit_data(self, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
        check_cov(roles, ("HC0", "HC1", "HC2", "HC3", "cluster"))
        for name in ("offset", "exposure", "trials"):
            if getattr(roles, name) is not None:
                raise FamilyError(f"{name} is not for linear models: subtract it from the target")
        source = open_design(data, roles)
        if "cluster" in source.roles:
            source = Merged(source, roles)
        if source.blocks:
            from .coded import fit_coded

            return fit_coded(self, data, roles, fixed)
        model = self.for_source(source)
        if not model.names:
            raise DataError("a regression needs an intercept or at least one feature")
        check_fixed(model, fixed)
        passes = passes_of(source, roles)
        sampling = passes.options.weighted and passes.options.weight_kind == "sampling"
        again = roles.cov != "model" or sampling
        terms = replace(model.terms, fourth=model.terms.fourth and not source.reopenable)
        if again and not source.reopenable and not (sampling and roles.cov == "model" and terms.fourth):
            raise DataError(f"these standard errors need a second pass, and {source.description} can be read only once")
        state: Any = passes.run(terms)
        least: Least | None = None
        try:
            least = least_squares(model, state, fixed, state.seen <= terms.double_rows)
        except DataError:
            if state.seen <= terms.double_rows or not source.reopenable:
                raise
        if (least is None or least.condition > HOPELESS) and state.seen > terms.double_rows and source.reopenable:
            state, least = passes.run(replace(terms, double_rows=EVERY_ROW)), None
        fit = fit_linear(model, state, fixed, EVERY_ROW if least is None else terms.double_rows, least)
        if again and source.reopenable:
            linear_covariance(fit, data, roles, passes)
        fit.n_passes, fit.kept = passes.count, passes.kept
        return fit


@dataclass(frozen=True)
class RidgeRegression(Regression):
    """Ridge regression: minimise ½ ‖y − Xβ‖² + ½ alpha ‖β‖², the intercept free."""

    alpha: float = 1.0
    precision: str | None = None

    name: ClassVar[str] = "ridge"
    precision_weights: ClassVar[bool] = True
    check = LinearRegression.check
    bind = LinearRegression.bind
    terms = LinearRegression.terms
    fit_state = LinearRegression.fit_state
    fit_data = LinearRegression.fit_data

    @property
    def likelihood(self) -> tuple[str, ...]:
        return (LinearRegression.name,)


def fit_linear(
    model: Any, state: GramState, fixed: dict[str, Any], double_rows: int | None = None, least: Least | None = None
) -> RegressionFit:
    """The fit from a state alone."""
    rows = model.terms.double_rows if double_rows is None else double_rows
    held = {k: float(v) for k, v in fixed.items()}
    least = least or least_squares(model, state, held, state.double and state.seen <= rows)
    options = state.options
    kind = options.weight_kind if options.weighted else None
    model = replace(model, dropped=least.aliased)
    shown = model.shown
    n = float(least.rows) if kind == "sampling" else least.n
    divisor = least.weight if kind == "sampling" else n  # Σ w of the weighted log-likelihood
    measures, llf = measures_of(least, n, divisor, model.intercept)
    logs = 0.5 * least.log_weight * (kind == "precision")
    measures.llf_null += logs
    perfect = least.rss <= PERFECT * max(least.tss, 1e-300) or not least.rss > 0.0
    short = measures.df_resid <= 0.0
    variance = measures.dispersion * (divisor / n if kind == "sampling" else 1.0)
    units = units_of(least, measures.sigma)[shown]
    with np.errstate(all="ignore"):
        square = max(0.0, float(least.gradient @ _gradient_metric(least) @ least.gradient))
        norm = math.nan if perfect else math.sqrt(square) / measures.sigma
    fit = RegressionFit(
        family=model, theta=least.beta[shown], cov=np.empty((units.size,) * 2), units=units,
        llf=llf + logs, nobs=n, nobs_dropped=state.dropped,
        status="ok", message=least.message, fitted_by="closed form",
        score_norm=norm, weight_kind=kind,
        fixed=tuple(fixed), columns=options.labels, sums=None, measures=measures, use_t=True, scales=1, least=least,
    )  # fmt: skip
    if perfect or short:
        fit.degenerate(perfect)
    fit.take_covariance(least.covariance, least.jacobian, math.sqrt(variance) if not short else math.nan, least.constant)
    if kind == "sampling":
        fit.cov_type = "sandwich"
        fit.take_covariance(*_stream_sandwich(least, state))
    return fit


def units_of(least: Least, sigma: float) -> Vector:
    """A power of two near the size of each coefficient's error, so that no variance leaves float64."""
    size = np.abs(np.diag(least.jacobian)) * (sigma if sigma > 0.0 and math.isfinite(sigma) else 1.0)
    return np.asarray(np.exp2(np.rint(np.log2(size))))


def _gradient_metric(least: Least) -> Vector:
    at = np.flatnonzero(least.free)
    return least.inverse[np.ix_(at, at)] if len(least.gradient) == at.size else np.zeros((len(least.gradient),) * 2)


def measures_of(least: Least, n: float, divisor: float, intercept: bool) -> tuple[Measures, float]:
    p = least.rank
    m = Measures(df_resid=n - p, deviance=least.rss, null_deviance=least.tss, pearson_chi2=least.rss)
    variance = least.rss / divisor
    m.sigma = math.sqrt(variance)
    m.dispersion_ml = variance
    m.dispersion = variance * n / m.df_resid if m.df_resid > 0 else math.nan
    m.sigma_unbiased = math.sqrt(m.dispersion)
    slopes = p - bool(least.free[0])
    with np.errstate(all="ignore"):
        m.rsquared = 1.0 - float(np.float64(least.rss) / least.tss)
        m.rsquared_adj = 1.0 - (1.0 - m.rsquared) * (n - bool(least.free[0])) / m.df_resid if m.df_resid > 0 else math.nan
        if slopes and m.df_resid > 0:
            m.fvalue = float((np.float64(least.tss) - least.rss) / slopes / (least.rss / divisor * n / m.df_resid))
            m.f_pvalue = float(scipy.special.fdtrc(slopes, m.df_resid, m.fvalue)) if m.fvalue >= 0.0 else math.nan
        llf = -0.5 * divisor * (math.log(2.0 * math.pi) + float(np.log(np.float64(variance))) + 1.0)
        null = np.float64(least.tss) / divisor
        m.llf_null = float(-0.5 * divisor * (math.log(2.0 * math.pi) + np.log(null) + 1.0))
    return m, llf


def _stream_sandwich(least: Least, state: GramState) -> tuple[Vector, Vector]:
    """(covariance, jacobian) from the sums of products of four columns, where the state holds them; NaN else."""
    if not state.outer:
        return np.full_like(least.inverse, np.nan), least.jacobian
    s, k = state.sums(), state.terms.k + 1
    i, j = np.triu_indices(k)
    theta = state.theta
    c, per = np.array(theta.c), np.array(theta.per)
    beta = np.nan_to_num(least.beta)
    e = np.array([-beta[0] - beta[1:] @ c[:-1] + c[-1], *(-beta[1:] / per[:-1]), 1.0 / per[-1]])
    scores = np.zeros((k - 1, len(i)))  # x e as a combination of the products t_i t_j, x = (1, u)
    for a in range(k - 1):
        for b in range(k):
            scores[a, np.flatnonzero((i == min(a, b)) & (j == max(a, b)))[0]] += e[b]
    meat = scores @ s.outer @ scores.T
    jacobian = np.diag([1.0, *per[:-1]])
    jacobian[0, 1:] = -c[:-1] * per[:-1]
    if not least.free[0]:  # the inverse is about 0, the scores about c
        shift = np.eye(k - 1)
        shift[1:, 0] = c[:-1] * per[:-1]
        meat, jacobian = shift @ meat @ shift.T, np.diag([1.0, *per[:-1]])
    return least.inverse @ meat @ least.inverse, jacobian
