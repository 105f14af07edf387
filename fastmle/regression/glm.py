"""Generalized linear models: g(E y) = Xβ + offset, Var y = φ V(E y). One module fits all of them.

A class says the response's row function, its links, its variance and its log-likelihood from the sums.
Source: P. McCullagh & J. A. Nelder, Generalized Linear Models (1989).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import DataError, FamilyError
from ..family import Sums, Vector
from ..passes import Passes
from ..states.glm import GlmTerms
from .design import Roles
from .links import LINKS, Link, image
from .model import Regression
from .responses import composed
from .result import RegressionFit


@dataclass(frozen=True)
class GeneralizedLinear(Regression):
    """What all have: a link by name; `LINKS[0]` is the default one."""

    link: str | None = None

    one_pass: ClassVar[bool] = False
    known_links: ClassVar[tuple[str, ...]] = ()
    distribution: ClassVar[str] = ""  # the name of the model whose likelihood this one has, if not its own
    canonical: ClassVar[str] = ""  # the link under which the information is the same observed and expected
    response: ClassVar[Callable[..., Any]]
    special: ClassVar[dict[str, Callable[..., Any]]] = {}  # row functions of some links, for speed and for the tails
    constants_of: ClassVar[Callable[..., Any]]
    support: ClassVar[Callable[..., Any]]
    where: ClassVar[str]
    dispersed: ClassVar[bool] = False
    shaped: ClassVar[bool] = False
    takes_trials: ClassVar[bool] = False
    shape_by_rows: ClassVar[Callable[[Sums, Passes], tuple[float, float]] | None] = None  # where precision weights need it

    def check(self) -> None:
        if self.link is not None and self.link not in self.known_links:
            raise FamilyError(f"{self.name}: link is one of {', '.join(self.known_links)}, not {self.link!r}")

    @property
    def link_name(self) -> str:
        return self.link or self.known_links[0]

    @property
    def link_functions(self) -> Link:
        return LINKS[self.link_name]

    @property
    def likelihood(self) -> tuple[str, ...]:
        return self.distribution or self.name, self.link_name

    @property
    def newton(self) -> bool:
        return self.link_name == self.canonical

    def glm_terms(self, offset: bool, trials: bool) -> GlmTerms:
        cls = type(self)
        row = cls.special.get(self.link_name) or composed(cls.response, self.link_functions.at)
        support, constants = self.functions(trials)
        name = f"{cls.response.__name__}_{self.link_name}{'_trials' if trials else ''}"
        return GlmTerms(name, len(self.features) + 1, row, constants, support, self.where, offset, trials)

    def functions(self, trials: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
        cls = type(self)
        return cls.support, cls.constants_of

    @abstractmethod
    def log_likelihood(self, s: Sums, n: float) -> tuple[float, float]:
        """(log-likelihood, maximum-likelihood dispersion) from the sums at the estimate."""

    def joint_likelihood(self, s: Sums, kind: str | None, passes: Passes) -> tuple[float, float]:
        """The same under weights of this kind; `passes` for models that need the rows again."""
        own = type(self).shape_by_rows
        if kind == "precision" and own is not None:
            return own(s, passes)
        return self.log_likelihood(s, s.weight if kind == "sampling" else s.n)

    @abstractmethod
    def null_loss(self, s: Sums) -> float:
        """Σ w loss where the mean is the same for all rows."""

    def first_mean(self, s: Sums) -> float:
        if not s.trials > 0.0:
            raise DataError("trials: there are none in any row", column="trials")
        return float(s.hits / s.trials)

    def limit(self) -> GeneralizedLinear:
        """The model that this one becomes where its shape is infinite."""
        raise FamilyError(f"{self.name} has no shape")

    def mean(self, eta: Vector) -> Vector:
        return np.asarray(self.link_functions.inverse(eta))

    def mean_range(self, low: Vector, high: Vector) -> tuple[Vector, Vector]:
        return image(self.link_functions, low, high)

    def mean_slope(self, eta: Vector) -> Vector:
        return np.asarray(self.link_functions.slope(eta))

    def fit_data(self, data: Any, roles: Roles, fixed: dict[str, Any]) -> RegressionFit:
        from .fitting import fit_glm

        return fit_glm(self, data, roles, fixed)


def logs(s: Sums, n: float) -> float:
    """½ Σ log w under precision weights."""
    return 0.5 * float(s.log_weight)


def xlogy(x: float, y: float) -> float:
    return x * math.log(y) if x else 0.0
