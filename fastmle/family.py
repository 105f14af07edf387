"""What a family is: the terms one row adds, and how a fit follows from their sums.

A family file declares a row function, the `Terms` it fills, and a class with the textbook formulas. It never meets
chunks, weights, nulls, threads or files: it is handed `Sums`, in which the weights are already.

Derivatives are dimensionless: `score` is ∂ℓ/∂θ_j · u_j and `information` −∂²ℓ/∂θ_i∂θ_j · u_i u_j with the units
u = `units(θ)` (the scale of each parameter), so that data of 1e300 and of 1e-300 are as good as any.
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numba.extending import register_jitable

from .errors import FamilyError

Domain = Literal["real", "positive", "unit"]
Vector = np.ndarray[Any, np.dtype[np.float64]]

row_function = register_jitable(fastmath={"contract"}, error_model="numpy")
"""Marks a function of one row: ordinary Python, which the CPU's and the GPU's kernels both compile."""


LARGEST = sys.float_info.max  # x <= LARGEST, not x < inf, which LLVM turns into slower tests of bits


@row_function
def positive(x: float, theta: Any) -> bool:
    """The support x > 0."""
    return (x > 0.0) & (x <= LARGEST)


@row_function
def finite(x: float, theta: Any) -> bool:
    """The support of all finite numbers, for terms whose sums do not show one that is not."""
    return abs(x) <= LARGEST


class Param(NamedTuple):
    """A scalar parameter: its name and where it may lie (real; positive: > 0; unit: between 0 and 1)."""

    name: str
    domain: Domain = "real"


class NoTheta(NamedTuple):
    """The constants of a row function that needs none."""

    none: float = 0.0


class Sums:
    """Totals over the rows, by name: `weight` Σw, `n` the number of observations the likelihood counts (Σw, or the
    rows under precision weights), `log_weight` Σ log w (precision weights only), the terms' slots, and the constants
    (the anchor) that they were taken with."""

    outer: Any  # under sampling weights, the sums of outer products under the squared weight

    def __init__(self, weight: float, n: float, rows: int, log_weight: float = 0.0, **values: Any) -> None:
        self.weight, self.n, self.rows, self.log_weight = weight, n, rows, log_weight
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no such sum: {name}")


class Anchor(NamedTuple):
    """How the constants of a row function are chosen from the first block, and how sums move to other constants.

    of_block(x): the constants, from the finite rows inside the support of one block.
    rebase(s, old, new): the slots of `s` taken with `new` instead; plain arithmetic, which is given rationals.
    drift(s): how many standard deviations the mean lies from the anchor; `s` holds arrays of running sums.
    of_sums(s): the constants for data with these sums.
    """

    of_block: Callable[[Vector], Any]
    rebase: Callable[[Sums, Any, Any], tuple[Any, ...]]
    drift: Callable[[Sums], Vector]
    of_sums: Callable[[Sums], Any]


@dataclass(frozen=True, eq=False)
class RowTerms:
    """f(x; θ) of one column: `row(x, theta)` returns a `sums` tuple; `kinds`, a letter a field, tells sums ("s", the
    default) from maxima ("m") and sums of logarithms ("l").

    A field of kind "l" is a positive number y whose logarithm is summed (one logarithm serves eight rows); at most
    two of them. Fields of kind "e", last and one for each "l", are what rounding took from y.

    `support(x, theta)` says which rows are possible (None: every finite number), `where` the same in words; `fill` is
    any point inside it, which stands in for rows that are masked. It is called on floats and, uncompiled, on arrays:
    conditions are joined by & and |. `theta` is the NamedTuple of the row function's constants.
    """

    sums: type[Any]
    row: Callable[..., Any]
    support: Callable[..., Any] | None = None
    where: str = "every finite number"
    fill: float = 0.0
    theta: Any = NoTheta  # a NamedTuple class
    kinds: str = ""
    anchor: Anchor | None = None

    def all_kinds(self) -> str:
        """One letter a field of the row's tuple."""
        return self.kinds or "s" * len(self.sums._fields)

    def letters(self) -> str:
        """One letter a slot."""
        return self.all_kinds().replace("e", "")


@dataclass(frozen=True, eq=False)
class TableTerms:
    """The weight of each value of a column of counts: `Sums.values`, `Sums.weights`, both ascending by value.

    `lowest` and `highest` bound the support, which is made of whole numbers.
    """

    lowest: int = 0
    highest: float = math.inf

    @property
    def where(self) -> str:
        """The support in words."""
        return f"whole numbers from {self.lowest}" + (f" to {self.highest:.0f}" if math.isfinite(self.highest) else "")


@dataclass(frozen=True, eq=False)
class GramTerms:
    """First and second moments of `k` columns about an anchor: `Sums.center`, `first` (k), `second` (k, k)."""

    k: int
    where: str = "every finite number"


Terms = RowTerms | TableTerms | GramTerms


def binary_scale(largest: float) -> float:
    """A power of two near `largest`, in steps of 2^256: 1 for ordinary data, so that squares stay in range."""
    if largest == 0.0 or not math.isfinite(largest):
        return 1.0
    step = round(math.frexp(largest)[1] / 256)
    return math.ldexp(1.0, 256 * max(-3, min(3, step)))


class Location(NamedTuple):
    """The anchor of moments: u = (x − c) · per, with `per` a power of two."""

    c: float = 0.0
    per: float = 1.0


def location_of(x: Vector) -> Location:
    """The mean of a block, and a scale in which its squares neither overflow nor vanish."""
    low, high = float(x.min()), float(x.max())
    scale = binary_scale(max(abs(low), abs(high)))
    c = low if low == high else float(np.mean(x / scale)) * scale
    return Location(c, 1.0 / scale)


def _rebase_moments(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    ratio = Fraction(new.per) / Fraction(old.per)
    delta = (Fraction(old.c) - Fraction(new.c)) * Fraction(new.per)
    return (s.u * ratio + s.weight * delta, s.uu * ratio**2 + 2 * delta * ratio * s.u + s.weight * delta**2)


def _moment_drift(s: Sums) -> Vector:
    mean = s.u / s.weight
    return np.asarray(np.abs(mean) / np.sqrt(np.maximum(s.uu / s.weight - mean * mean, 0.0)))


def _mean_location(s: Sums) -> Location:
    return Location(s.c + s.u / s.weight / s.per, s.per)


moment_anchor = Anchor(location_of, _rebase_moments, _moment_drift, _mean_location)
"""For terms whose slots are `u` and `uu` = u², u = (x − c) · per."""


class Center(NamedTuple):
    """The anchor of logarithms: a point amid positive data, and its reciprocal."""

    c: float = 1.0
    per: float = 1.0


def center_at(c: float) -> Center:
    c = min(max(c, 1e-300), 1e300)
    return Center(c, 1.0 / c)


class Logs(NamedTuple):
    """What positive data add about a center: kinds "sle"."""

    u: float  # (x − c)/c
    log: float  # x/c, whose logarithm is summed
    slip: float  # near the center, what the rounding of x/c took from 1 + u


@row_function
def add_logs(x: float, a: Center) -> Logs:
    u = (x - a.c) * a.per
    y = x * a.per
    return Logs(u, y, u - (y - 1.0) if abs(u) <= 0.5 else 0.0)


def log_gap(s: Sums) -> Any:
    """The log of the mean minus the mean of the logs: 0 if and only if all values are equal."""
    return np.log1p(s.u / s.weight) - s.log / s.weight


def _rebase_logs(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    shift = (old.c - new.c) / new.c
    log_shift = math.log1p(shift) if abs(shift) < 0.5 else math.log(old.c) - math.log(new.c)
    return s.u * (old.c / new.c) + s.weight * shift, s.log + s.weight * log_shift


def _log_drift(s: Sums) -> Vector:
    """For narrow data, √(2·gap) is about sd/mean; wide data do not care where their center is."""
    gap = log_gap(s)
    narrow = np.abs(np.log1p(s.u / s.weight)) / np.sqrt(np.maximum(2.0 * gap, 0.0))
    return np.where(gap < 1.0, narrow, 0.0)


def _center_of(x: Vector) -> Center:
    """The mean, or for wide data halfway (in logarithms) to the least, so that no x/c overflows or vanishes."""
    low, high = float(x.min()), float(x.max())
    if low == high:
        return center_at(low)
    log_low, log_mean = math.log(low), math.log(float(np.mean(x / high))) + math.log(high)
    return center_at(math.exp(log_mean if log_mean - log_low < 2.0 else 0.5 * (log_low + log_mean)))


log_anchor = Anchor(
    of_block=_center_of,
    rebase=_rebase_logs,
    drift=_log_drift,
    of_sums=lambda s: center_at(s.c * (1.0 + s.u / s.weight)),
)
"""For terms with the slots of `Logs`: shapes of 1e8 lose no digits."""


@dataclass(frozen=True)
class Solution:
    """Where the likelihood is highest: the parameters in order, and a status with its sentence."""

    theta: Sequence[float] | Vector
    status: str = "ok"
    message: str = ""


class Family(ABC):
    """A parametric family. Final subclasses are frozen dataclasses whose fields are the family's constants."""

    name: ClassVar[str]
    discrete: ClassVar[bool] = False
    regular: ClassVar[bool] = True  # False: the support depends on the parameters, so no standard errors
    one_pass: ClassVar[bool] = True
    precision_weights: ClassVar[bool] = False
    source: ClassVar[str] = ""

    @property
    @abstractmethod
    def params(self) -> tuple[Param, ...]:
        """The parameters in order, one entry a scalar."""

    @property
    @abstractmethod
    def terms(self) -> Terms: ...

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

    def constants(self) -> dict[str, Any]:
        """The constants this object carries, by name: `Family(**constants)` makes it again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def hold(self, fixed: dict[str, Any]) -> Vector:
        """The flat vector with the fixed parameters in their places and NaN elsewhere."""
        blank: dict[str, Any] = {p.name: math.nan for p in self.params}
        return self.unpack(blank | fixed)

    def table(self, s: Sums) -> tuple[Vector, Vector] | None:
        """The values and their weights, where the sums hold them."""
        return (s.values, s.weights) if isinstance(self.terms, TableTerms) else None

    def valid(self, theta: Vector) -> bool:
        """Whether θ lies inside the parameter space."""
        bounds = {"real": (-math.inf, math.inf), "positive": (0.0, math.inf), "unit": (0.0, 1.0)}
        return all(
            bounds[p.domain][0] < t < bounds[p.domain][1] for p, t in zip(self.params, theta, strict=True)
        )

    def pack(self, vector: Sequence[Any] | Vector) -> dict[str, Any]:
        """A flat vector (parameters or their errors) as the mapping that users see."""
        return {p.name: float(v) for p, v in zip(self.params, vector, strict=True)}

    def unpack(self, mapping: dict[str, Any]) -> Vector:
        """The flat vector of a mapping; the inverse of `pack`."""
        missing = [p.name for p in self.params if p.name not in mapping]
        unknown = [key for key in mapping if key not in {p.name for p in self.params}]
        if missing or unknown:
            said = ", ".join(p.name for p in self.params)
            raise FamilyError(f"{self.name} has the parameters {said}; got {', '.join(mapping) or 'none'}")
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

    def start(self, x: Vector, w: Vector) -> Vector:
        """A first estimate from a sample in memory (multi-pass families)."""
        raise FamilyError(f"{self.name} needs no start")

    def dist(self, theta: Vector) -> Any:
        """The frozen scipy.stats distribution with these parameters."""
        raise FamilyError(f"scipy.stats has no twin of {self.name}")

    def entropy(self, theta: Vector) -> float | None:
        """−E log p(X) in closed form; None where there is none."""
        return None

    def kl(self, theta: Vector, other: Vector) -> float | None:
        """KL(p_θ || p_other) within the family in closed form; None where there is none."""
        return None
