"""Directions amid angles, about which sines and cosines are summed."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..kernels.vecmath import cos, sin
from .anchors import mean_of
from .terms import Anchor, Sums, row_function


class Direction(NamedTuple):
    """The anchor of angles."""

    c: float = 0.0
    per: float = 1.0


class Turns(NamedTuple):
    """What angles add about a direction."""

    sine: float  # of x − c
    versine: float  # 1 − cos(x − c) = 2 sin²((x − c)/2)


@row_function
def angle(x: float, a: Direction) -> bool:
    """The support of angles: where the sines have all their digits."""
    return abs(x) <= 1048576.0  # 2^20


@row_function
def add_turns(x: float, a: Direction) -> Turns:
    h = 0.5 * (x - a.c)
    s = sin(h)
    return Turns(2.0 * s * cos(h), 2.0 * s * s)


def turned(s: Sums, angle: float) -> tuple[Any, Any]:
    """Σ w sin(x − angle) and Σ w (1 − cos(x − angle))."""
    sine, versine = math.sin(angle - s.c), 2.0 * math.sin(0.5 * (angle - s.c)) ** 2
    cosine = 1.0 - versine
    return (
        s.sine * cosine - (s.weight - s.versine) * sine,
        s.weight * versine + s.versine * cosine - s.sine * sine,
    )


def _turn(s: Sums, old: Any, new: Any) -> tuple[Any, Any]:
    at = Sums(s.weight, s.n, s.rows, sine=s.sine, versine=s.versine, c=old.c)
    return turned(at, new.c)


@row_function
def _turn_drift(s: Sums) -> float:
    sine, versine = s.sine / s.weight, s.versine / s.weight
    return float(abs(sine) / math.sqrt(max(2.0 * versine - sine * sine, 0.0)))


def direction_of(s: Sums) -> float:
    """The mean direction, between −π and π."""
    return math.remainder(s.c + math.atan2(s.sine, s.weight - s.versine), 2.0 * math.pi)


turn_anchor = Anchor(
    of_block=lambda x, w: Direction(
        float(x[0]) if x.min() == x.max() else math.atan2(mean_of(np.sin(x), w), mean_of(np.cos(x), w))
    ),
    rebase=_turn,
    drift=_turn_drift,
    of_sums=lambda s: Direction(direction_of(s)),
)
"""For terms with the slots of `Turns`: nothing cancels where the angles lie close together."""
