"""The fit of a regression: coefficients with t or z tests, measures of fit, predictions. It holds no rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Family, Vector
from ..request import check_level
from ..result import Fit
from ..storage.fits import fit_from_dict
from ..values import Params, from_json, short, to_json
from .model import Regression

NAN = math.nan


class Prediction(NamedTuple):
    """Means with the ends of an interval, one a row."""

    mean: Vector
    low: Vector
    high: Vector


@dataclass
class Measures:
    """Numbers about the whole fit; NaN where they have no meaning."""

    df_resid: float = NAN
    df_inference: float = NAN  # of t tests and intervals: clusters less 1, where errors are by cluster; NaN for df_resid
    sigma: float = NAN  # maximum likelihood, divisor n
    sigma_unbiased: float = NAN
    dispersion: float = 1.0  # Pearson's, or 1 where the family has none
    dispersion_ml: float = 1.0
    deviance: float = NAN
    null_deviance: float = NAN
    pearson_chi2: float = NAN
    rsquared: float = NAN
    rsquared_adj: float = NAN
    fvalue: float = NAN
    f_pvalue: float = NAN
    llf_null: float = NAN
    theta_bse: float = NAN  # of a negative binomial's theta


@dataclass(repr=False, eq=False)
class RegressionFit(Fit):
    """Adds to `Fit` what regressions have; `cov_type` says where the standard errors come from."""

    measures: Measures = field(default_factory=Measures)
    cov_type: str = "model"
    use_t: bool = False
    scales: int = 0  # estimated sigma or dispersion, which AIC and BIC count
    least: Any = field(default=None, repr=False, compare=False)  # how the estimate was found
    center: Vector | None = None  # of the columns, the constant's 0: amid the rows, where the next is free of their offsets
    at_center: Vector | None = None  # the covariance of η there with itself and the coefficients, in units
    root: Vector | None = None  # C with C Cᵀ the covariance there, in units, where its products would cancel

    def __getattr__(self, name: str) -> float:
        """`measures.NAME` also as an attribute of the fit."""
        if name in _MEASURES:
            return float(getattr(self.measures, name))
        raise AttributeError(f"a fit has no attribute {name!r}")

    @property
    def model(self) -> Regression:
        assert isinstance(self.family, Regression)
        return self.family

    @property
    def dropped(self) -> tuple[str, ...]:
        """Columns left out because they repeat others."""
        return self.model.dropped

    @property
    def df_model(self) -> int:
        """The number of estimated parameters, sigma or the dispersion included."""
        return len(self.theta) - len(self.fixed) + self.scales

    def take_root(self, root: Vector, jacobian: Vector) -> None:
        """The same of root rootᵀ, whose products are of what is left once columns have cancelled."""
        self.take_covariance(root @ root.T, jacobian)
        shown = self.model.shown
        turned = (jacobian[shown] / self.units[: shown.sum(), None]) @ root
        self.cov[: len(turned), : len(turned)] = turned @ turned.T
        self.root = np.asarray(np.diag(jacobian)[shown, None] / self.units[: shown.sum(), None] * root[shown])

    def take_covariance(self, inner: Vector, jacobian: Vector, size: float = 1.0, constant: Vector | None = None) -> None:
        """From size⁻² times the coefficients' covariance in z = (1, (x − c) · per); in x they are `jacobian` times as much.

        `constant` is the row of the constant of x, where it is known to more digits.
        """
        shown, scale = self.model.shown, np.diag(jacobian)
        units = self.units[: shown.sum()]
        turn = jacobian[shown] / units[:, None] * size

        def in_units(row: Vector) -> Vector:
            """A covariance of the constant with itself and the coefficients in z."""
            return np.asarray((size / units[:1]) * row[shown] * (scale[shown] / units * size))

        self.cov = self.cov.copy()
        self.cov[: len(turn), : len(turn)] = turn @ inner @ turn.T
        if constant is not None and shown[0]:
            self.cov[0] = self.cov[:, 0] = in_units(constant)
        self.center = np.append(0.0, -jacobian[0, 1:] / scale[1:])[shown]
        self.at_center, self.root = in_units(inner[0]), None

    def degenerate(self, perfect: bool) -> None:
        """Say that no error is left to estimate sigma or the dispersion from: a perfect fit, or as many parameters as rows."""
        self.status, self.score_norm = "degenerate", NAN
        if perfect:
            self.llf, said = NAN, "the target is fitted without error, so the likelihood is unbounded"
        else:
            said = "there are as many parameters as rows, so that sigma or the dispersion cannot be estimated"
        self.message = "; ".join(filter(None, (said, self.message)))

    # -- tests -------------------------------------------------------------------------------------------------------

    @property
    def tvalues(self) -> Params:
        """Estimate / standard error."""
        with np.errstate(all="ignore"):
            return Params(self.family.pack(self.theta / self._errors()))

    @property
    def pvalues(self) -> Params:
        """Two-sided, by the t distribution where sigma is estimated, else by the normal (Wald).

        t has n − p degrees of freedom, of errors by G clusters G − 1, as many as there are free sums of scores.
        Source: A. C. Cameron & D. L. Miller, Journal of Human Resources 50 (2015) 317-372.
        """
        with np.errstate(all="ignore"):
            t = np.abs(self.theta / self._errors())
        p = 2.0 * scipy.special.stdtr(self._df(), -t) if self.use_t else 2.0 * scipy.special.ndtr(-t)
        return Params(self.family.pack(p))

    def lr_test(self, smaller: RegressionFit) -> tuple[float, float, int]:
        """(statistic, p-value, degrees of freedom) against a fit of a model inside this one, on the same rows.

        Twice the difference of the log-likelihoods, by the χ² distribution. Raises FamilyError where that is no test: for
        penalised fits, sampling weights, and models that differ in more than their columns.
        Source: S. S. Wilks, Annals of Mathematical Statistics 9 (1938) 60-62.
        """
        from .hypotheses import likelihood_ratio

        return likelihood_ratio(self, smaller)

    def wald_test(self, names: Any = None) -> tuple[float, float, int]:
        """(χ² statistic, p-value, degrees of freedom) of the hypothesis that these coefficients are all 0."""
        from .hypotheses import wald

        return wald(self, names)

    def _errors(self) -> Vector:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diag(self.cov)) * self.units)

    def _df(self) -> float:
        """The degrees of freedom of t."""
        own = self.measures.df_inference
        return self.measures.df_resid if math.isnan(own) else own

    def _quantile(self, level: float) -> float:
        check_level(level)
        upper = 0.5 + level / 2.0
        if self.use_t:
            return float(scipy.special.stdtrit(self._df(), upper))
        return float(scipy.special.ndtri(upper))

    def conf_int(self, level: float = 0.95, method: str = "wald", data: Any = None, **reading: Any) -> Params:
        """Confidence intervals (low, high) by name.

        "wald": estimate ± t (or z) · standard error. "profile": all values that a likelihood-ratio test does not reject;
        of linear models from the fit alone, of others with `data` and what `fit` was told of it (weights=, offset=,
        nulls=, ...), by fits with the coefficient held. Raises FamilyError for "profile" of penalised fits, sampling
        weights, sandwich errors, and other data than those of the fit.
        Source: W. N. Venables & B. D. Ripley, Modern Applied Statistics with S (2002), ch. 7.2.
        """
        if method == "profile":
            from .profile import profile_intervals

            return Params(profile_intervals(self, level, data, reading))
        if method != "wald":
            raise FamilyError(f"method is 'wald' or 'profile', not {method!r}")
        if data is not None or reading:
            raise FamilyError("data= and what goes with it are for method='profile'")
        half = self._quantile(level) * self._errors()
        both = zip(self.theta - half, self.theta + half, strict=True)
        return Params(dict(zip(self.model.names, ((float(a), float(b)) for a, b in both), strict=False)))

    # -- prediction --------------------------------------------------------------------------------------------------

    def predict(self, data: Any, interval: str | None = None, level: float = 0.95, **extra: Any) -> Any:
        """The mean of the target for each row; with interval="confidence" or "prediction" a `Prediction`.

        `extra`: offset=, exposure= where the fit had them.
        """
        _check_extra(extra, ("offset", "exposure"))
        return self.model.predicted(self, data, interval, level, extra)

    def residuals(self, data: Any, kind: str = "response", target: Any = None, **extra: Any) -> Vector:
        """Residuals of each row: "response" y − μ, "pearson", "deviance" or "working"; all in memory.

        "pearson": (y − μ) √(w/V(μ)), of which the squares add up to `pearson_chi2` as those of "deviance" do to `deviance`;
        w are trials and precision weights, which are given as to `fit`: trials=, weights=.
        Source: P. McCullagh & J. A. Nelder, Generalized Linear Models (1989), ch. 2.4.
        """
        found = list(self.residual_chunks(data, kind, target, **extra))
        return np.concatenate(found) if found else np.empty(0)

    def residual_chunks(self, data: Any, kind: str = "response", target: Any = None, **extra: Any) -> Iterator[Vector]:
        """The same chunk by chunk as the data are read, so that no array of all rows is made."""
        weights = ("weights",) if self.weight_kind == "precision" else ()
        _check_extra(extra, ("offset", "exposure", "trials", *weights))
        return self.model.residual(self, data, kind, target, extra)

    # -- reading -----------------------------------------------------------------------------------------------------

    def rows(self) -> list[tuple[str, ...]]:  # type: ignore[override]
        ends, p, t = self.conf_int(), self.pvalues, self.tvalues
        errors = dict(zip(self.params, self._errors().tolist(), strict=True))
        return [
            (n, short(v, 8), short(errors[n], 4), short(ends[n][0]), short(ends[n][1]), short(t[n], 4), f"{p[n]:.3g}")
            for n, v in self.params.items()
        ]

    def heads(self) -> tuple[str, ...]:
        return (*super().heads(), "t" if self.use_t else "z", "p")

    def facts(self) -> list[str]:
        said = super().facts()
        m = self.measures
        if not math.isnan(m.rsquared):
            said.append(
                f"sigma = {m.sigma:.8g} (unbiased {m.sigma_unbiased:.8g}, {m.df_resid:.10g} degrees of freedom), "
                f"R² = {m.rsquared:.6g}, F = {m.fvalue:.6g} (p = {m.f_pvalue:.3g})"
            )
        else:
            said.append(
                f"deviance = {m.deviance:.8g} (null {m.null_deviance:.8g}), "
                + (f"Pearson χ² = {m.pearson_chi2:.8g}, " if not math.isnan(m.pearson_chi2) else "")
                + f"{m.df_resid:.10g} degrees of freedom"
                + (f", dispersion = {m.dispersion:.6g} (ML {m.dispersion_ml:.6g})" if self.scales else "")
            )
        clusters = f", t of {self._df():.10g} degrees of freedom" if self.use_t and self.cov_type == "cluster" else ""
        said.append(f"standard errors: {self.cov_type}{clusters}")
        if self.dropped:
            said.append(f"left out, as they repeat other columns: {', '.join(self.dropped)}")
        return said

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() | {
            "regression": {
                "measures": to_json(asdict(self.measures)),
                "cov_type": self.cov_type,
                "use_t": self.use_t,
                "scales": self.scales,
                "center": to_json(self.center),
                "at_center": to_json(self.at_center),
                "root": to_json(self.root),
            }
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], family: Family | None = None) -> RegressionFit:
        made, kept = fit_from_dict(cls, stored, family), stored["regression"]
        made.measures = Measures(**from_json(kept["measures"]))
        made.cov_type, made.use_t, made.scales = kept["cov_type"], kept["use_t"], int(kept["scales"])
        for name in ("center", "at_center", "root"):
            setattr(made, name, None if kept.get(name) is None else np.array(from_json(kept[name])))
        return made


def _check_extra(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise FamilyError(f"unknown option {name}: besides the data there are {', '.join(known)}")


_MEASURES = {f.name for f in fields(Measures)}
