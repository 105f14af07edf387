"""What one row adds: row functions, the terms they fill, and the sums that a family is handed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba.extending import register_jitable

Vector = np.ndarray[Any, np.dtype[np.float64]]

Function = TypeVar("Function", bound=Callable[..., Any])
_registered = register_jitable(fastmath={"contract"}, error_model="numpy", forceinline=True)


def row_function(function: Function) -> Function:
    """Marks a function of one row: ordinary Python, which the CPU's and the GPU's kernels both compile."""
    found: Function = _registered(function)
    found.__dict__["fastmle_row"] = True
    return found


def is_row_function(function: Any) -> bool:
    """Whether it is marked."""
    return "fastmle_row" in function.__dict__


LEAST_NORMAL = sys.float_info.min
SHOWN = 8  # names listed in a message
LARGEST = sys.float_info.max  # x <= LARGEST, not x < inf, which LLVM turns into slower tests of bits


@row_function
def positive(x: float, theta: Any) -> bool:
    """The support x > 0."""
    return (x > 0.0) & (x <= LARGEST)


@row_function
def normal(x: float, theta: Any) -> bool:
    """The numbers x > 0 that have all their digits."""
    return (x >= LEAST_NORMAL) & (x <= LARGEST)


@row_function
def not_negative(x: float, theta: Any) -> bool:
    """The support x >= 0."""
    return (x >= 0.0) & (x <= LARGEST)


@row_function
def between(x: float, theta: Any) -> bool:
    """The support 0 < x < 1."""
    return (x > 0.0) & (x < 1.0)


@row_function
def finite(x: float, theta: Any) -> bool:
    """The support of all finite numbers, for terms whose sums do not show one that is not."""
    return abs(x) <= LARGEST


_TWO_52 = 2.0**52


@row_function
def whole(x: float) -> bool:
    """Whether x >= 0 is a whole number; adding 2^52 rounds it to one."""
    return ((x + _TWO_52) - _TWO_52 == x) | (x >= _TWO_52)


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

    of_block(x, w): the constants, from the finite rows inside the support of one block; w is empty without weights.
    rebase(s, old, new): the slots of `s` taken with `new` instead; plain arithmetic, which is given rationals.
    drift(s): how many standard deviations the mean lies from the anchor, a row function of running sums. None: it stays.
    of_sums(s): the constants for data with these sums.
    """

    of_block: Callable[[Vector, Vector], Any]
    rebase: Callable[[Sums, Any, Any], tuple[Any, ...]]
    drift: Callable[[Any], float] | None
    of_sums: Callable[[Sums], Any]


@dataclass(frozen=True, eq=False)
class RowTerms:
    """f(x; θ) of one column: `row(x, theta)` returns a `sums` tuple; `kinds`, a letter a field, tells sums ("s", the
    default) from maxima ("m"), sums of logarithms ("l") and sums over the rows ("r") that precision weights leave alone.

    A field of kind "l" is a positive number y whose logarithm is summed (one logarithm serves eight rows); at most
    two of them. Fields of kind "e", last and one for each "l", are what rounding took from y. Kind "f" is the same where
    errors of 1e-16 a row do not count, for y >= 2^-120, and faster. Kind "q" sums log(y/c), c a field of `theta`, for
    supports where y > 0 is all that is asked; the only one of its kind.

    `support(x, theta)` says which rows are possible (None: every finite number), `where` the same in words; `fill` is
    any point inside it, which stands in for rows that are masked. It is called on floats and, uncompiled, on arrays:
    conditions are joined by & and |. `theta` is the NamedTuple of the row function's constants.

    `quick`, a row function and a support within `support`, gives the same on that support, but for rows whose product or
    sum leaves float64: it is tried first on each block, and `row` where it did not do.
    """

    sums: type[Any]
    row: Callable[..., Any]
    support: Callable[..., Any] | None = None
    where: str = "every finite number"
    fill: float = 0.0
    theta: Any = NoTheta  # a NamedTuple class
    kinds: str = ""
    anchor: Anchor | None = None
    quick: tuple[Callable[..., Any], Callable[..., Any] | None] | None = None

    def all_kinds(self) -> str:
        """One letter a field of the row's tuple."""
        return self.kinds or "s" * len(self.sums._fields)

    def letters(self) -> str:
        """One letter a slot."""
        return self.all_kinds().replace("e", "")


@dataclass(frozen=True, eq=False)
class TableTerms:
    """The weight of each value of a column of counts: `Sums.values`, `Sums.weights`, both ascending by value.

    `lowest` and `highest` bound the support, which is made of whole numbers; `names`, if they have some, in this order.
    """

    lowest: int = 0
    highest: float = math.inf
    names: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The support in words."""
        if self.names:
            listed = ", ".join(self.names[:SHOWN]) + (", ..." if len(self.names) > SHOWN else "")
            return f"the codes from 0 of the categories {listed}; any other text is -1"
        return f"whole numbers from {self.lowest}" + (
            f" to {self.highest:.0f}" if math.isfinite(self.highest) else ""
        )


@dataclass(frozen=True, eq=False)
class ColumnTerms:
    """`each` for each of `k` columns whose rows add up to 1: `Sums.columns`, one `Sums` a column.

    `scores(θ)` (k + 1, parameters) is the score of a row in units as a linear function of (1, logs of its columns), for
    sandwich errors.
    """

    each: RowTerms
    k: int
    scores: Callable[[Vector], Vector]

    @property
    def where(self) -> str:
        """The support in words."""
        return f"{self.each.where}, rows that add up to 1"


@dataclass(frozen=True, eq=False)
class GramTerms:
    """First and second moments of `k` columns about an anchor: `Sums.center`, `first` (k), `second` (k, k).

    The first `double_rows` rows are summed in double-double. `fourth`: under sampling weights also the sums of products
    of four columns, from which sandwich errors follow without another pass.
    """

    k: int
    double_rows: int = 0
    fourth: bool = True
    where: str = "every finite number"


Terms = RowTerms | TableTerms | ColumnTerms | GramTerms
