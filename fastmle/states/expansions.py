"""The exact totals of `kernels.exact`, as Python reads and writes them one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction

import numpy as np

from ..kernels.exact import FIRST, WIDTH


def components(total: np.ndarray) -> list[float]:
    return [float(v) for v in total[FIRST : FIRST + int(total[1])]]


def value(total: np.ndarray, kind: str = "s") -> float:
    """The total, correctly rounded."""
    if kind == "m" or total[0] != 0.0:
        return float(total[0])
    return math.fsum(components(total))


def stored(total: np.ndarray) -> list[float]:
    """A total in the fewest floats, each the nearest to what is left: the same however it came about."""
    parts, heads = components(total), list[float]()
    with suppress(OverflowError):  # it rounds to what is beyond the range: as it is
        while head := math.fsum([*parts, *heads]):
            heads.append(-head)
        parts = [-head for head in reversed(heads)]
    return [float(total[0]), float(len(parts)), *parts]


def exact_value(total: np.ndarray) -> Fraction:
    return sum((Fraction(v) for v in components(total)), Fraction(0))


def set_exact(total: np.ndarray, exact: Fraction) -> None:
    """Write a rational number into `total` as components, the smallest first, to 1e-300 or full precision."""
    parts: list[float] = []
    rest = exact
    while rest and len(parts) < WIDTH - FIRST:
        try:
            head = float(rest)
        except OverflowError:
            total[0] = math.inf if rest > 0 else -math.inf
            break
        if head == 0.0:
            break
        parts.append(head)
        rest -= Fraction(head)
    write_components(total, reversed(parts))


def write_components(total: np.ndarray, parts: Iterable[float]) -> None:
    values = list(parts)
    total[FIRST:] = 0.0
    total[FIRST : FIRST + len(values)] = values
    total[1] = len(values)
