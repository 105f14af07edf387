"""The result of a fit: parameters, errors, likelihood, and what follows from them. It holds no rows."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from .errors import FamilyError
from .family import Family, Sums, Vector
from .views import Views

FORMAT = 1


class Params(Mapping[str, Any]):
    """An ordered mapping of names to values, also by attribute: `p["mu"]`, `p.mu`, `dict(p)`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._values:
            return self._values[name]
        raise AttributeError(f"no parameter {name!r}; there are {', '.join(self._values)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "Params(" + ", ".join(f"{k}={short(v)}" for k, v in self._values.items()) + ")"


def short(value: Any, digits: int = 6) -> str:
    """A number, or an array of them, for reading."""
    if np.ndim(value):
        shown = np.array2string(np.asarray(value), separator=", ", formatter={"float_kind": lambda v: f"{v:.{digits}g}"})
        return " ".join(shown.split())
    return f"{value:.{digits}g}"


def to_json(value: Any) -> Any:
    """Numbers and arrays JSON-safe: NaN becomes null, infinities the strings "inf" and "-inf"."""
    if isinstance(value, Mapping):
        return {k: to_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [to_json(v) for v in value]
    if isinstance(value, (float, np.floating)):
        v = float(value)
        return None if math.isnan(v) else v if math.isfinite(v) else str(v)
    if isinstance(value, np.integer):
        return int(value)
    return value


def from_json(value: Any) -> Any:
    """The inverse of `to_json` for numbers: null is NaN."""
    if isinstance(value, Mapping):
        return {k: from_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [from_json(v) for v in value]
    return math.nan if value is None else float(value)


@dataclass(eq=False)
class Fit(Views):
    """A maximum-likelihood fit. Arrays are in the flat order of `cov_params()`."""

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
        return Params(self.family.pack(self.theta))

    @property
    def bse(self) -> Params:
        """Standard errors: square roots of the diagonal of `cov_params()`."""
        with np.errstate(invalid="ignore"):
            return Params(self.family.pack(np.sqrt(np.diag(self.cov)) * self.units))

    def cov_params(self) -> Vector:
        """The k x k covariance matrix of the estimates: the inverse observed information, or the sandwich."""
        with np.errstate(over="ignore"):  # data of 1e300 have variances beyond float64
            return np.asarray(self.cov * self.units[:, None] * self.units)

    def conf_int(self, level: float = 0.95, method: Literal["wald", "profile"] = "wald") -> Params:
        """Confidence intervals (low, high) by name.

        "wald": estimate ± z · standard error. "profile": all values that a likelihood-ratio test at this level does
        not reject, from the sums alone. Raises FamilyError for a level outside (0, 1), and for "profile" where the
        fit holds no sums that serve at other parameters (families of several passes, fits read from JSON).
        Source: D. R. Cox & D. V. Hinkley, Theoretical Statistics (1974), ch. 9.
        """
        if not 0.0 < level < 1.0:
            raise FamilyError(f"level must lie between 0 and 1, not {level}")
        if method == "profile":
            from .profile import profile_interval

            return Params({name: profile_interval(self, name, level) for name in self.params})
        if method != "wald":
            raise FamilyError(f"method is 'wald' or 'profile', not {method!r}")
        from scipy.special import ndtri

        z = float(ndtri(0.5 + level / 2.0))
        bounds = [
            {
                k: np.asarray(v)
                for k, v in self.family.pack(
                    self.theta + side * z * np.sqrt(np.diag(self.cov)) * self.units
                ).items()
            }
            for side in (-1.0, 1.0)
        ]
        pairs = {k: (bounds[0][k], bounds[1][k]) for k in bounds[0]}
        return Params({k: v if np.ndim(v[0]) else (float(v[0]), float(v[1])) for k, v in pairs.items()})

    # -- likelihood --------------------------------------------------------------------------------------------------

    @property
    def converged(self) -> bool:
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
        """The frozen scipy.stats distribution at the estimate. Raises FamilyError where scipy has no twin."""
        return self.family.dist(self.theta)

    def logpdf(self, x: Any) -> Any:
        """log p(x), the log-density or log-probability, for each x."""
        dist = self.dist()
        with np.errstate(all="ignore"):  # NaN parameters give NaN
            return dist.logpmf(x) if self.family.discrete else dist.logpdf(x)

    def cdf(self, x: Any) -> Any:
        """P(X <= x) for each x."""
        return self.dist().cdf(x)

    def ppf(self, q: Any) -> Any:
        """The smallest x with cdf(x) >= q, for each q in [0, 1]."""
        dist = self.dist()
        if not hasattr(dist, "ppf"):
            raise FamilyError(f"{self.family.name} has several columns, and so no quantiles")
        return dist.ppf(q)

    def rvs(self, n: int, seed: Any = None) -> Any:
        """n random rows; `seed` an int or a numpy Generator."""
        return self.dist().rvs(size=n, random_state=np.random.default_rng(seed))

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
        errors = np.sqrt(np.maximum(np.diag(self.cov), 0.0)) * self.units
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
        table = [self.heads(), *self.rows()]
        widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
        lines = [
            "  ".join(
                cell.rjust(w) if i else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            for row in table
        ]
        facts = self.facts()
        return "\n".join([facts[0], "", *lines, "", *facts[1:]])

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
        cells = "".join(
            "<tr><th>"
            + html.escape(name)
            + "</th>"
            + "".join(f"<td>{html.escape(c)}</td>" for c in rest)
            + "</tr>"
            for name, *rest in self.rows()
        )
        return (
            f"<table><caption>{html.escape(self.family.name)}, n = {self.nobs:,.12g}, {html.escape(self.status)}</caption>"
            f"<tr>{''.join(f'<th>{html.escape(h)}</th>' for h in self.heads())}</tr>{cells}</table>"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe: everything but the sums; undefined numbers are None."""
        return {
            "format": FORMAT,
            "family": self.family.name,
            "constants": to_json(self.family.constants()),
            "params": to_json(self.params),
            "bse": to_json(self.bse),
            "cov_params": to_json(self.cov_params()),
            "units": to_json(self.units),  # of the parameters; with the next, the covariance where float64 ends
            "cov_in_units": to_json(self.cov),
            "llf": to_json(self.llf),
            "nll": to_json(self.nll),
            "aic": to_json(self.aic),
            "bic": to_json(self.bic),
            "nobs": to_json(self.nobs),
            "nobs_dropped": self.nobs_dropped,
            "converged": self.converged,
            "status": self.status,
            "message": self.message,
            "n_passes": self.n_passes,
            "fitted_by": self.fitted_by,
            "score_norm": to_json(self.score_norm),
            "weight_kind": self.weight_kind,
            "fixed": list(self.fixed),
            "columns": list(self.columns),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Fit:
        """A fit from `to_dict()`. Raises FamilyError if it is none, or of another format."""
        if stored.get("format") != FORMAT:
            raise FamilyError(f"this is no fit of format {FORMAT}")
        try:
            return cls._from_stored(stored)
        except (KeyError, TypeError) as error:
            raise FamilyError(f"this is no fit: {error!r} is missing or damaged") from error

    @classmethod
    def _from_stored(cls, stored: Mapping[str, Any]) -> Fit:
        from .families import family_of

        if "regression" in stored:
            from .regression.result import RegressionFit

            return RegressionFit.from_dict(stored)
        family = family_of(stored["family"], **stored["constants"])
        theta = family.unpack(from_json(stored["params"]))
        return cls(
            family=family, theta=theta, cov=np.array(from_json(stored["cov_in_units"])), units=np.array(from_json(stored["units"])),
            llf=from_json(stored["llf"]), nobs=float(stored["nobs"]), nobs_dropped=int(stored["nobs_dropped"]),
            status=stored["status"], message=stored["message"], n_passes=int(stored["n_passes"]),
            fitted_by=stored["fitted_by"], score_norm=from_json(stored["score_norm"]), weight_kind=stored["weight_kind"],
            fixed=tuple(stored["fixed"]), columns=tuple(stored["columns"]),
        )  # fmt: skip
