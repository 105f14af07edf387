"""The result of a fit: parameters, errors, likelihood, and what follows from them. It holds no rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .errors import FamilyError
from .family import Family, Sums, Vector
from .request import check_level, generator_of
from .sources.base import is_integer
from .storage.fits import fit_from_dict, fit_to_dict
from .tables import html_table, text_table
from .values import Params, points, short
from .views import Views


@dataclass(eq=False)
class Fit(Views):
    """A maximum-likelihood fit, as `fastmle.fit` returns it. Arrays are in the flat order of `cov_params()`.

    llf: Σ w log p(x; θ̂) in nats; nobs: observations, as the weights count them; nobs_dropped: rows left out by nulls="drop".
    status: "ok"; "boundary" (the maximum lies on an edge of the parameter space), "degenerate" (there is no maximum, or no
    error to estimate a scale from), "separated", "nonregular" (a parameter without a standard error) or "not_converged";
    `message` says why, and what is undefined is NaN. n_passes: full reads of the data; fitted_by: how.
    score_norm: sqrt(gᵀ I⁻¹ g) of the score g and information I at the estimate, about 0 at a maximum.
    """

    family: Family
    theta: Vector
    cov: Vector = field(repr=False)  # in units
    units: Vector = field(repr=False)
    llf: float
    nobs: float
    nobs_dropped: int = 0
    status: str = "ok"
    message: str = ""
    n_passes: int = 1
    fitted_by: str = "closed form"
    score_norm: float = math.nan
    weight_kind: str | None = None
    fixed: tuple[str, ...] = ()
    columns: tuple[str, ...] = ("x",)
    sums: Sums | None = field(default=None, repr=False)  # what conf_int(method="profile") works from
    kept: Any = field(default=None, repr=False)  # the histograms of keep="bins"
    trace: list[Any] = field(default_factory=list, repr=False)  # the steps of an iterative fit

    @property
    def bins(self) -> Any:
        """The histogram of the (first) column that keep="bins" gathered, or None."""
        found = self.kept.bins[0] if self.kept is not None else None
        return None if found is None or found.empty or len(found.axes) > 1 else found

    # -- estimates and their errors ----------------------------------------------------------------------------------

    @property
    def params(self) -> Params:
        """The estimates by name, in order: `r.params["mu"]`, `r.params.mu`, `dict(r.params)`."""
        return Params(self.family.pack(self.theta))

    @property
    def bse(self) -> Params:
        """Standard errors: square roots of the diagonal of `cov_params()`."""
        return Params(self.family.pack(self._errors()))

    @np.errstate(all="ignore")
    def _errors(self) -> Vector:
        """Flat; NaN where there are none, inf beyond float64."""
        return np.asarray(np.sqrt(np.diag(self.cov)) * self.units)

    def cov_params(self) -> Vector:
        """The k x k covariance matrix of the estimates: the inverse observed information, or the sandwich."""
        with np.errstate(over="ignore"):  # data of 1e300 have variances beyond float64
            return np.asarray(self.cov * self.units[:, None] * self.units)

    def conf_int(
        self, level: float = 0.95, method: Literal["wald", "profile"] = "wald", data: Any = None, **reading: Any
    ) -> Params:
        """Confidence intervals (low, high) by name.

        "wald": estimate ± z · standard error. "profile": all values that a likelihood-ratio test at this level does
        not reject; from the sums alone, or where a family takes several passes (weibull, student_t, ...) from about six
        more reads of `data`, given as to `fit` (column=, weights=, nulls=, threads=, chunk_rows= likewise).
        Raises FamilyError for a level outside (0, 1), and for "profile" where there is no likelihood to profile or
        nothing to compute it from (no data, sampling weights, fits read from JSON).
        Source: D. R. Cox & D. V. Hinkley, Theoretical Statistics (1974), ch. 9.
        """
        check_level(level)
        if method == "profile":
            from .profile import profile_intervals

            return Params(profile_intervals(self, level, data, reading))
        if method != "wald":
            raise FamilyError(f"method is 'wald' or 'profile', not {method!r}")
        if data is not None or reading:
            raise FamilyError("data= and what goes with it are for method='profile'")
        from scipy.special import ndtri

        z = float(ndtri(0.5 + level / 2.0))
        with np.errstate(all="ignore"):
            flat = [self.theta + side * z * self._errors() for side in (-1.0, 1.0)]
        bounds = [{k: np.asarray(v) for k, v in self.family.pack(end).items()} for end in flat]
        pairs = {k: (bounds[0][k], bounds[1][k]) for k in bounds[0]}
        return Params({k: v if np.ndim(v[0]) else (float(v[0]), float(v[1])) for k, v in pairs.items()})

    # -- likelihood --------------------------------------------------------------------------------------------------

    @property
    def converged(self) -> bool:
        """Whether a maximum was found: the status is "ok", "nonregular" or "boundary"."""
        return self.status in ("ok", "nonregular", "boundary")

    @property
    def nll(self) -> float:
        """The mean negative log-likelihood, −llf/nobs."""
        return -self.llf / self.nobs + 0.0  # not -0

    @property
    def df_model(self) -> int:
        """The number of estimated parameters."""
        held = self.family.hold({name: self.params[name] for name in self.fixed})
        free = int(np.isnan(held).sum()) if self.fixed else len(self.theta)
        return max(0, free - (self.family.constraint(self.theta) is not None))

    @property
    def aic(self) -> float | None:
        """2k − 2 llf (H. Akaike 1974); None under sampling weights, whose llf is no likelihood."""
        return None if self.weight_kind == "sampling" else 2.0 * self.df_model - 2.0 * self.llf

    @property
    def bic(self) -> float | None:
        """k log n − 2 llf (G. Schwarz 1978); None under sampling weights."""
        return (
            None if self.weight_kind == "sampling" else self.df_model * math.log(self.nobs) - 2.0 * self.llf
        )

    # -- the fitted distribution -------------------------------------------------------------------------------------

    def dist(self) -> Any:
        """The frozen scipy.stats distribution at the estimate. Raises FamilyError where scipy has no twin, or takes no such
        parameters."""
        found = self.family.limit_dist(self.sums, self.theta) if self.status == "boundary" and self.sums is not None else None
        return self._asked(lambda: self.family.dist(self.theta)) if found is None else found

    def logpdf(self, x: Any) -> Any:
        """log p(x), the log-density or log-probability, for each x; of several columns, for each row.

        x: numbers of any shape, or a frame with the columns of the fit. Raises DataError for what is neither.
        """
        dist, at = self.dist(), points(x, self.columns)
        found = self._asked(lambda: dist.logpmf(at) if self.family.discrete else dist.logpdf(at))
        return np.reshape(found, at.shape[:-1]) if len(self.columns) > 1 and at.ndim > 1 else found

    def cdf(self, x: Any) -> Any:
        """P(X <= x) for each x, which is as for `logpdf`."""
        dist, at = self.dist(), points(x, self.columns)
        if not hasattr(dist, "cdf"):
            raise FamilyError(f"{self.family.name} has no distribution function here")
        found = self._asked(lambda: dist.cdf(at))
        return np.reshape(found, at.shape[:-1]) if len(self.columns) > 1 and at.ndim > 1 else found

    def ppf(self, q: Any) -> Any:
        """The smallest x with cdf(x) >= q, for each q in [0, 1]."""
        dist, at = self.dist(), points(q, ())
        if not hasattr(dist, "ppf"):
            raise FamilyError(f"{self.family.name} has several columns, and so no quantiles")
        return self._asked(lambda: dist.ppf(at))

    def rvs(self, n: int, seed: Any = None) -> Any:
        """n random rows; `seed` an int or a numpy Generator."""
        if not is_integer(n) or n < 0:
            raise FamilyError(f"n is a number of rows, not {n!r}")
        dist, rng = self.dist(), generator_of(seed)
        if len(self.columns) == 1:
            return self._asked(lambda: dist.rvs(size=n, random_state=rng))
        some = max(n, 1)  # of several columns scipy draws a row where none is wanted, and one row as a point
        return self._asked(lambda: np.reshape(dist.rvs(size=some, random_state=rng), (some, -1))[:n])

    def _asked(self, question: Callable[[], Any]) -> Any:
        """What scipy answers. NaN parameters give NaN where it can be said, and tails beyond float64 are no news."""
        try:
            with np.errstate(all="ignore"):
                return question()
        except FamilyError:
            raise
        except ValueError as error:
            raise FamilyError(f"there is no distribution to ask: {self.status}: {self.message or error}") from error

    def kl_from_data(self) -> Any:
        """KL(p_data || p_θ̂) = Σ p̂ log p̂ + nll ≥ 0, which maximum likelihood makes as small as the family allows.

        Exact for counts; for continuous data an estimate over the bins gathered by `keep="bins"`, which says so.
        """
        from .divergence import kl_from_data

        return kl_from_data(self)

    # -- reading -----------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        errors = self.bse
        shown = ", ".join(f"{k}={short(v)} ± {short(errors[k], 2)}" for k, v in self.params.items())
        return f"<Fit {self.family.name}: {shown}; n={self.nobs:,.10g}, {self.status}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fit) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """The table of summary(): name, estimate, standard error, interval, for each scalar."""
        scalar = [(p.name, v) for p, v in zip(self.family.params, self.theta.tolist(), strict=True)]
        errors = self._errors()
        from scipy.special import ndtri

        z = float(ndtri(0.975))
        return [
            (name, short(v, 8), short(e, 4), short(v - z * e), short(v + z * e))
            for (name, v), e in zip(scalar, errors.tolist(), strict=True)
        ]

    def heads(self) -> tuple[str, ...]:
        return ("", "estimate", "std. error", "[0.025", "0.975]")

    def summary(self) -> str:
        """A table to read."""
        first, *more = self.facts()
        return "\n".join([first, "", text_table([self.heads(), *self.rows()]), "", *more])

    def facts(self) -> list[str]:
        """What summary() says around its table."""
        facts = [
            f"{self.family.name} fitted to {', '.join(self.columns)} by maximum likelihood ({self.fitted_by}, "
            f"{self.n_passes} {'read' if self.n_passes == 1 else 'reads'})",
            f"n = {self.nobs:,.12g}, dropped = {self.nobs_dropped:,}, status = {self.status}"
            + (f": {self.message}" if self.message else ""),
            f"log-likelihood = {self.llf:.12g}, mean NLL = {self.nll:.8g}"
            + (f", AIC = {self.aic:.10g}, BIC = {self.bic:.10g}" if self.aic is not None else ""),
        ]
        if self.weight_kind:
            facts[1] += f", {self.weight_kind} weights"
        return facts

    def _repr_html_(self) -> str:
        return html_table(self.rows(), f"{self.family.name}, n = {self.nobs:,.12g}, {self.status}", self.heads())

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: everything but the sums; undefined numbers are None."""
        return fit_to_dict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], family: Family | None = None) -> Fit:
        """A fit from `to_dict()`; `family` is needed for one that is not fastmle's own.

        Raises FamilyError if it is none, of another format, or of another family.
        """
        if isinstance(stored, Mapping) and "regression" in stored:
            from .regression.result import RegressionFit

            return RegressionFit.from_dict(stored, family)
        return fit_from_dict(cls, stored, family)
