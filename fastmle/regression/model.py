"""What regressions share: names of columns, the options every one has, and the text of their mistakes."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import FamilyError
from ..family import Family, GramTerms, Param, Sums, Terms, Vector
from .blocks import coefficients_of

if TYPE_CHECKING:
    from .design import Roles
    from .result import RegressionFit

Matrix = Vector


@dataclass(frozen=True)
class Regression(Family):
    """A regression; `features` and `target` are set by the data, `dropped` by `rank_deficient="drop"`."""

    features: tuple[str, ...] = ()
    target: str = ""
    intercept: bool = True
    dropped: tuple[str, ...] = ()
    alpha: float = 0.0  # ridge: + ½ alpha Σ β², the intercept excepted
    rank_deficient: str = "raise"
    formula: str | None = None
    levels: Any = None  # of the formula's categorical columns

    quadratic: ClassVar[bool] = False  # the log-likelihood is one in β, so that a pass anywhere tells it everywhere
    of_classes: ClassVar[bool] = False  # the target is one of several classes
    reserved: ClassVar[tuple[str, ...]] = ("intercept",)  # names that no feature may have

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        object.__setattr__(self, "dropped", tuple(self.dropped))
        if not (isinstance(self.alpha, Real) and 0.0 <= self.alpha < math.inf):
            raise FamilyError(f"alpha is a number, 0 or more, not {self.alpha!r}")
        object.__setattr__(self, "alpha", float(self.alpha))
        if not isinstance(self.intercept, (bool, np.bool_)):
            raise FamilyError(f"intercept is True or False, not {self.intercept!r}")
        for name in self.reserved:
            if name in self.features:
                raise FamilyError(f"a feature cannot be called {name!r}, as another parameter is: rename the column")
        if self.rank_deficient not in ("raise", "drop"):
            raise FamilyError(f"rank_deficient is 'raise' or 'drop', not {self.rank_deficient!r}")
        self.check()

    def check(self) -> None:
        """Raise FamilyError for options that make no sense."""

    @property
    def terms(self) -> Terms:
        return GramTerms(len(self.features) + 1)

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients in order."""
        kept = tuple(f for f in self.features if f not in self.dropped)
        return (("intercept",) if self.intercept else ()) + kept

    @property
    def params(self) -> tuple[Param, ...]:
        return tuple(Param(name) for name in self.names)

    @property
    def kept(self) -> np.ndarray:
        """Which of the features have a coefficient."""
        return np.array([f not in self.dropped for f in self.features], bool)

    @property
    def shown(self) -> np.ndarray:
        """The same of the constant and the features."""
        return np.array([self.intercept, *self.kept])

    @property
    def newton(self) -> bool:
        """Whether the observed information is the expected one, so that scoring is Newton's method."""
        return True

    def loglik(self, s: Sums, theta: Vector) -> float:
        raise FamilyError(f"the log-likelihood of {self.name} at given coefficients is not offered: use fit(fixed=...)")

    def information(self, s: Sums, theta: Vector) -> Vector:
        raise FamilyError(f"{self.name} has its information from its fit")

    @property
    def likelihood(self) -> tuple[str, ...]:
        """What two models share whose likelihoods differ by their columns alone."""
        return (self.name,)

    @property
    def intercepts(self) -> tuple[str, ...]:
        """The names of the coefficients that are constants."""
        return ("intercept",)

    def predicted(self, fit: RegressionFit, data: Any, interval: str | None, level: float, extra: Mapping[str, Any]) -> Any:
        """What `fit.predict` hands back."""
        from .predict import predict

        return predict(fit, data, interval, level, extra)

    def residual(self, fit: RegressionFit, data: Any, kind: str, target: Any, extra: Mapping[str, Any]) -> Iterator[Vector]:
        """The residuals of each chunk."""
        from .predict import residuals

        return residuals(fit, data, kind, target, extra)

    def pictured(self, columns: int) -> tuple[tuple[int, ...], ...]:
        return tuple((j, columns - 1) for j in range(columns - 1))

    def for_source(self, source: Any) -> Any:
        """The model with the columns of a source, and its formula if it has one."""
        formula = getattr(source, "formula", None)
        if formula is not None and source.intercept and not self.intercept:
            raise FamilyError(f"the formula {formula!r} has an intercept and the model has none: write '- 1' in the formula")
        own = {} if formula is None else {"formula": formula, "levels": source.levels, "intercept": source.intercept}
        return replace(self, features=coefficients_of(source), target=source.labels[len(source.names)], **own)

    @abstractmethod
    def fit_data(self, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
        """Open the data and fit."""

    # -- prediction: what the link function makes of eta -----------------------------------------------------------

    def mean(self, eta: Vector) -> Vector:
        """The mean of the target at a linear predictor."""
        return eta

    def mean_range(self, low: Vector, high: Vector) -> tuple[Vector, Vector]:
        """The least and the largest mean of linear predictors from `low` to `high`."""
        return low, high

    def mean_slope(self, eta: Vector) -> Vector:
        """dμ/dη."""
        return np.ones_like(eta)

    def variance(self, mu: Vector, shape: float = math.nan) -> Vector:
        """Var(target)/dispersion at a mean."""
        return np.ones_like(mu)

    def unit_deviance(self, y: Vector, mu: Vector, shape: float = math.nan) -> Vector:
        """Twice the fall of the log-likelihood from μ = y to μ, times the dispersion, row by row."""
        return np.square(y - mu)


def check_fixed(model: Regression, fixed: dict[str, Any]) -> None:
    """Raise FamilyError for a name that is no parameter, or a value at which none can be held."""
    names = (*model.reserved, *model.features)
    for name, value in fixed.items():
        if name not in names:
            raise FamilyError(f"{model.name} has the parameters {', '.join(model.names)}; got {name}")
        positive = name == "theta" and name in model.reserved
        if not (isinstance(value, Real) and math.isfinite(value)) or (positive and not float(value) > 0.0):
            raise FamilyError(f"{model.name}: {name} cannot be held at {value!r}")


def aliases(model: Regression, columns: dict[int, Vector], names: list[str]) -> str:
    """In words, which columns repeat which: the coefficients of the columns before them."""
    said = []
    for at, combination in columns.items():
        of = [names[j] for j in np.flatnonzero(np.abs(combination) > 1e-9 * max(1e-300, np.abs(combination).max()))]
        what = "is constant" if of in ([], ["intercept"]) else f"is a linear combination of {', '.join(of[:6])}"
        said.append(f"column {names[at]!r} {what}")
    return "; ".join(said)
