"""Passes over a source as a family of several reads sees them, and what is found by them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .family import Family, Solution, Sums, Vector
from .newton import Step
from .passes import Passes
from .selection import median_interval
from .states import State


@dataclass
class Found:
    """The estimate, and the state and sums at it."""

    theta: Vector
    sums: Sums
    state: State
    status: str = "ok"
    message: str = ""
    how: str = "newton"
    path: list[Step] = field(default_factory=list)


class Run:
    """Passes over a source as a family sees them; the state of the last one is kept."""

    def __init__(self, family: Family, passes: Passes) -> None:
        self.family, self.passes = family, passes
        self.states: dict[int, State] = {}  # by the identity of their sums
        self._done: dict[bytes, Sums] = {}  # by θ

    def sums(self, theta: Any) -> Sums:
        state = self.passes.run(self.family.terms, theta)
        s = state.sums()
        self.states[id(s)] = state
        return s

    def evaluate(self, theta: Vector) -> Sums:
        key = theta.tobytes()
        if key not in self._done:
            with np.errstate(all="ignore"):  # 1/σ of subnormal data
                constants = self.family.row_theta(theta)
            self._done[key] = self.sums(constants)
        return self._done[key]

    def median(self) -> tuple[float, float]:
        return median_interval(self.passes, self.family.terms)  # type: ignore[arg-type]

    def found(self, s: Sums, solution: Solution, how: str = "newton", path: list[Step] | None = None) -> Found:
        theta = np.array(solution.theta, float)
        return Found(theta, s, self.states[id(s)], solution.status, solution.message, how, path or [])
