"""Parameters, solutions and the class that families derive from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np

from ..errors import FamilyError
from .terms import Sums, TableTerms, Terms, Vector

Domain = Literal["real", "positive", "unit"]
_ENDS = {"real": (-math.inf, math.inf), "positive": (0.0, math.inf), "unit": (0.0, 1.0)}


def is_number(value: Any) -> bool:
    """Whether it is one real number that float64 can hold, NaN and infinities among them."""
    if np.ndim(value) or np.iscomplexobj(value) or isinstance(value, (str, bytes)):
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def is_count(value: Any) -> bool:
    """Whether it is a whole number, of whatever type."""
    return is_number(value) and not isinstance(value, (bool, np.bool_)) and float(value).is_integer()


class _Param(NamedTuple):
    name: str
    domain: Domain
    regular: bool


class Param(_Param):
    """A scalar parameter: its name, where it may lie (real; positive: > 0; unit: between 0 and 1), and whether the
    support is free of it; if it is not, the parameter has no standard error."""

    __slots__ = ()

    def __new__(cls, name: str, domain: Domain = "real", regular: bool = True) -> Param:
        if domain not in _ENDS:
            raise FamilyError(f"the domain of the parameter {name!r} is one of {', '.join(_ENDS)}, not {domain!r}")
        return super().__new__(cls, name, domain, regular)

    @property
    def ends(self) -> tuple[float, float]:
        """Of the interval, open, in which it lies."""
        return _ENDS[self.domain]


@dataclass(frozen=True)
class Solution:
    """Where the likelihood is highest: the parameters in order, and a status with its sentence."""

    theta: Sequence[float] | Vector
    status: str = "ok"
    message: str = ""
    approximate: bool = False  # a start only, from which the frame climbs over the same sums


class Run(Protocol):
    """Passes over the data, as a family sees them."""

    def sums(self, theta: Any) -> Sums:
        """One pass of the family's terms with these constants."""

    def median(self) -> tuple[float, float]:
        """The ends of the interval of all medians, by weight: exact, in a few passes."""


class Family(ABC):
    """A parametric family. Final subclasses are frozen dataclasses whose fields are the family's constants."""

    name: ClassVar[str]
    discrete: ClassVar[bool] = False
    one_pass: ClassVar[bool] = True
    precision_weights: ClassVar[bool] = False
    takes_text: ClassVar[bool] = False  # a column of text is taken as codes of its categories
    collapses: ClassVar[bool] = False  # equal values may let the likelihood grow without bound (multi-pass families)
    source: ClassVar[str] = ""

    @property
    @abstractmethod
    def params(self) -> tuple[Param, ...]:
        """The parameters in order, one entry a scalar."""

    @property
    @abstractmethod
    def terms(self) -> Terms: ...

    @property
    def loglik_terms(self) -> Terms:
        """The terms whose sums `loglik` needs, where they are less work than all."""
        return self.terms

    @abstractmethod
    def loglik(self, s: Sums, theta: Vector) -> float:
        """Σ w log p(x; θ) (plus ½ Σ log w under precision weights, which the frame adds)."""

    def score(self, s: Sums, theta: Vector) -> Vector:
        """The gradient in units: ∂ℓ/∂θ_j · u_j. Linear in the sums."""
        return np.array([math.fsum(row) for row in self.row_scores(s.values, theta) * s.weights])

    def row_scores(self, x: Vector, theta: Vector) -> Vector:
        """The gradient in units of each value (parameters, values), for families of counts."""
        raise FamilyError(f"{self.name} has no table of values")

    @abstractmethod
    def information(self, s: Sums, theta: Vector) -> Vector:
        """The observed information in units: −∂²ℓ/∂θ_i∂θ_j · u_i u_j."""

    def inverse_information(self, s: Sums, theta: Vector) -> Vector | None:
        """The inverse of `information` at the maximum where a closed form is cheaper or keeps more digits; else None, and it
        is computed."""
        return None

    def units(self, theta: Vector) -> Vector:
        """The scale of each parameter; by default a positive parameter itself, else 1."""
        return np.array(
            [t if p.domain == "positive" else 1.0 for p, t in zip(self.params, theta, strict=True)]
        )

    def bind(self, columns: tuple[str, ...]) -> Family:
        """The family for these columns of data."""
        if len(columns) != 1:
            raise FamilyError(f"{self.name} takes one column, not {len(columns)}: say which with column=")
        return self

    def pictured(self, columns: int) -> tuple[tuple[int, ...], ...]:
        """Which columns, or pairs of columns, of the data are shown together: those of which keep="bins" keeps histograms."""
        return tuple((j,) for j in range(columns))

    def of_text(self, categories: tuple[str, ...]) -> Family:
        """The family for a column of text with these categories, whose codes are the data."""
        raise FamilyError(f"{self.name} takes numbers, not text")

    def known_categories(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The categories that this family has, or that these names of its parameters tell; none: those that occur."""
        return ()

    def constants(self) -> dict[str, Any]:
        """The constants this object carries, by name: `Family(**constants)` makes it again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def constraint(self, theta: Vector) -> Vector | None:
        """The gradient (times the units) of an equation that binds the parameters; None if they are free."""
        return None

    def best_beside(self, s: Sums, held: Vector) -> Vector:
        """Where the likelihood is largest with parameters held, NaN elsewhere, for families with a `constraint`."""
        raise FamilyError(f"the parameters of {self.name} are free")

    def hold(self, fixed: dict[str, Any]) -> Vector:
        """The flat vector with the fixed parameters in their places and NaN elsewhere."""
        blank: dict[str, Any] = {p.name: math.nan for p in self.params}
        return self.unpack(blank | fixed)

    def table(self, s: Sums) -> tuple[Vector, Vector] | None:
        """The values and their weights, where the sums hold them."""
        return (s.values, s.weights) if isinstance(self.terms, TableTerms) else None

    def valid(self, theta: Vector) -> bool:
        """Whether θ lies inside the parameter space."""
        for p, t in zip(self.params, theta.tolist(), strict=True):
            low, high = p.ends
            if not low < t < high:
                return False
        return True

    def pack(self, vector: Sequence[Any] | Vector) -> dict[str, Any]:
        """A flat vector (parameters or their errors) as the mapping that users see."""
        return {p.name: float(v) for p, v in zip(self.params, vector, strict=True)}

    def unpack(self, mapping: dict[str, Any]) -> Vector:
        """The flat vector of a mapping; the inverse of `pack`."""
        missing = [p.name for p in self.params if p.name not in mapping]
        unknown = [key for key in mapping if key not in {p.name for p in self.params}]
        if missing or unknown:
            wrong = f"no parameter {', '.join(unknown)}" if unknown else f"no value of {', '.join(missing)}"
            raise FamilyError(
                f"{self.name}: {wrong}; its parameters are {', '.join(p.name for p in self.params)}"
            )
        for key, value in mapping.items():
            if not is_number(value):
                raise FamilyError(f"{self.name}: {key} is one number, not {value!r}")
        return np.array([float(mapping[p.name]) for p in self.params])

    def row_theta(self, theta: Vector) -> Any:
        """The constants of the row function at these parameters (multi-pass families)."""
        raise FamilyError(f"{self.name} is fitted from sums that do not depend on its parameters")

    def solve(self, s: Sums) -> Solution:
        """The maximum-likelihood estimate from the sums (one-pass families)."""
        raise FamilyError(f"{self.name} needs several passes")

    def solve_fixed(self, s: Sums, fixed: dict[str, float]) -> Solution | None:
        """The estimate with some parameters held, where it has a closed form; None: maximise numerically."""
        return None

    def fit_state(self, state: Any, fixed: dict[str, Any]) -> Any:
        """The fit from a state, for models that make their own kind of fit; None: the frame does it from `solve`."""
        return None

    def start(self, x: Vector, w: Vector) -> Vector:
        """A first estimate from a sample in memory, or several as rows of a matrix (multi-pass families)."""
        raise FamilyError(f"{self.name} needs no start")

    def start_beside(self, x: Vector, w: Vector, held: Vector) -> Vector:
        """The same with some parameters held, NaN elsewhere."""
        return np.where(np.isnan(held), self.start(x, w), held)

    def coordinate(self, x: Vector, theta: Vector) -> Vector:
        """x in the unit of the distribution, from its middle: the z of its formula (multi-pass families)."""
        return x

    def collapse(self, value: float, share: float, theta: Vector, free: np.ndarray, peak: bool) -> str:
        """If rows of one value have so large a share of the weight that the likelihood has no maximum, the sentence that
        says so. θ is where steps ended, `peak` whether at a maximum inside. Asked if `collapses`."""
        return ""

    def elsewhere(self, s: Sums, theta: Vector) -> Vector | None:
        """Another place to climb from, where steps at θ cannot lead: off an edge of the parameter space, or onto it."""
        return None

    def on_the_line(self, low: float, high: float) -> bool:
        """Whether p is a density on the line for data with these ends: on a circle only if they lie within one turn."""
        return True

    def edge(self, theta: Vector, free: np.ndarray) -> str:
        """If the free parameters lie on an edge of the parameter space, the sentence that says so."""
        return ""

    def estimate(self, run: Run, fixed: dict[str, float]) -> tuple[Sums, Solution] | None:
        """The estimate and the sums at it, for families with passes of their own; None: Newton's steps."""
        return None

    def dist(self, theta: Vector) -> Any:
        """The frozen scipy.stats distribution with these parameters."""
        raise FamilyError(f"scipy.stats has no twin of {self.name}")

    def limit_dist(self, s: Sums, theta: Vector) -> Any:
        """The same at a boundary of the parameter space where θ alone does not tell it; None: `dist` does."""
        return None

    def entropy(self, theta: Vector) -> float | None:
        """−E log p(X) in closed form; None where there is none."""
        return None

    def kl(self, theta: Vector, other: Vector) -> float | None:
        """KL(p_θ || p_other) within the family in closed form; None where there is none."""
        return None
