"""The profile likelihood of a fit: the largest likelihood with one parameter held at a value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from ..errors import DataError, FamilyError
from ..family import Family, Solution, Sums, Vector
from ..newton import maximise
from ..request import passes_over
from ..states import new_state

if TYPE_CHECKING:
    from ..result import Fit

SumsAt = Callable[[Sequence[Vector]], Sequence[Sums]]  # the sums at several θ, from one read


@dataclass
class Profile:
    """The likelihood around a fit, and how far it may fall."""

    fit: Fit
    at: SumsAt
    fall: float

    @property
    def family(self) -> Family:
        return self.fit.family

    @property
    def bound(self) -> bool:
        """Whether an equation binds the parameters, so that none moves alone."""
        return self.family.constraint(self.fit.theta) is not None

    def free(self, j: int | None = None) -> np.ndarray:
        """The parameters that move, without the j-th."""
        return np.array([p.name not in self.fit.fixed and i != j for i, p in enumerate(self.family.params)])

    def beside(self, j: int, value: float) -> Solution | None:
        """The family's own estimate with parameter j at this value: steps in log θ or logit θ never leave an edge."""
        if not self.family.one_pass or self.bound:
            return None
        params = self.family.params
        held = {params[i].name: float(self.fit.theta[i]) for i in np.flatnonzero(~self.free(j))}
        return self.family.solve_fixed(self.at([self.fit.theta])[0], held | {params[j].name: value})

    def best(self, j: int, value: float, near: Vector) -> tuple[float, Vector]:
        """The largest log-likelihood with parameter j at this value, and where it is; the search begins near a θ."""
        if value == self.fit.theta[j]:
            return float(self.family.loglik(self.at([self.fit.theta])[0], self.fit.theta)), self.fit.theta
        beside = self.beside(j, value) if self.fit.status == "boundary" else None
        if beside is not None and not beside.approximate:
            theta = np.array(beside.theta, float)
            return float(self.family.loglik(self.at([theta])[0], theta)), theta
        theta, free = near.copy() if beside is None else np.array(beside.theta, float), self.free(j)
        theta[j] = value
        if self.bound:
            s = self.at([theta])[0]
            theta = self.family.best_beside(s, np.where(free, math.nan, theta))
            return (float(self.family.loglik(s, theta)), theta) if (theta >= 0.0).all() else (-math.inf, near)
        if free.any():
            point = maximise(self.family, lambda t: self.at([t])[0], theta, free, tolerance=1e-9).point
            return point.llf, point.theta
        return float(self.family.loglik(self.at([theta])[0], theta)), theta


def profile_of(fit: Fit, level: float, data: Any = None, reading: Mapping[str, Any] | None = None) -> Profile:
    """The likelihood to profile. Raises FamilyError where there is none, DataError for data that are not the fit's."""
    family, s = fit.family, fit.sums
    if fit.weight_kind == "sampling":
        raise FamilyError("sampling weights have no likelihood to profile: use method='wald'")
    fall = float(scipy.special.chdtri(1.0, 1.0 - level)) / 2.0
    if s is not None and family.one_pass:
        return Profile(fit, lambda thetas: [s] * len(thetas), fall)
    if data is None or s is None:
        raise FamilyError(f"profile intervals of {family.name} read the data at other parameters: pass data=, or use method='wald'")
    return Profile(fit, _reader(fit, data, dict(reading or {})), fall)


def _reader(fit: Fit, data: Any, reading: dict[str, Any]) -> SumsAt:
    """Passes over the data of the fit, each at several θ."""
    family = fit.family
    if (reading.get("weights") is not None) != (fit.weight_kind is not None):
        raise FamilyError("weights= goes with a fit that had weights, and only with such a fit")
    passes = passes_over(family, data, **reading)[1]

    def at(thetas: Sequence[Vector]) -> list[Sums]:
        states = [new_state(family.terms, passes.options, family.row_theta(t)) for t in thetas]
        return [state.sums() for state in passes.run_all(states)]

    here = float(family.loglik(at([fit.theta])[0], fit.theta))
    if not math.isclose(here, fit.llf, rel_tol=1e-9, abs_tol=1e-9):
        raise DataError(f"these are not the data of the fit: their log-likelihood is {here:.10g}, not {fit.llf:.10g}")
    return at


def profile_fall(profile: Profile, name: str, values: Vector) -> list[float]:
    """How far the profile log-likelihood lies below its maximum at each value, from the estimate outwards."""
    fit = profile.fit
    j = [p.name for p in fit.family.params].index(name)
    assert fit.sums is not None
    top, found = float(fit.family.loglik(fit.sums, fit.theta)), [0.0] * len(values)
    best = fit.theta[j]
    for side in (values >= best, values < best):
        near = fit.theta
        for i in sorted(np.flatnonzero(side).tolist(), key=lambda i: abs(values[i] - best)):
            height, near = profile.best(j, float(values[i]), near)
            found[i] = top - height
    return found
