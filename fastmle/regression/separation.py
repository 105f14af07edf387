"""Separated data: a combination of features tells the targets at a boundary from the others, so that the likelihood rises
for ever along it. Found when steps do not become small, then proved by a pass over all rows.

Source: A. Albert & J. A. Anderson, Biometrika 71 (1984) 1-10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..family import Vector
from ..passes import Passes
from .blocks import predictor_of
from .design import matrices, usable

if TYPE_CHECKING:
    from .scoring import At

AFTER = 6  # steps
STEADY = 0.7  # of the step before: along a separating direction Newton's steps become constant
MOVING = 0.05  # of the largest coefficient's part in a step
SLACK = 0.02  # of the largest change of η in a step, on the wrong side


def watch(fitting: Any, passes: Passes) -> Callable[[At, Vector, int], bool]:
    """A watcher of steps: true where they do not become small and a pass proves that they separate the rows.

    It looks after 6, 12, 24, ... steps.
    """
    model = fitting.model
    last, look = [0.0], [AFTER]

    def suspicious(at: At, step: Vector, steps: int) -> bool:
        if not model.discrete or model.alpha:
            return False
        size = float(np.abs(step).max(initial=0.0))
        steady, last[0] = size > STEADY * last[0] > 0.0, size
        if steps < look[0] or not steady:
            return False
        look[0] = 2 * steps
        fitting.lost = fitting.separated_by(passes, at, step)
        return bool(fitting.lost)

    return suspicious


def separating(fitting: Any, passes: Passes, at: At, step: Vector) -> list[int]:
    """The columns (0 the intercept) of the last step, if it separates the rows; else none."""
    passes.count += 1
    binary = fitting.model.takes_trials
    largest = 0.0
    for rows, _, change in _changes(fitting, passes, step):
        if rows:
            largest = max(largest, float(np.abs(change).max(initial=0.0)))
    for rows, y, change in _changes(fitting, passes, step):
        if not rows:
            continue
        low, high = y == 0.0, (y == 1.0) if binary else np.zeros(y.size, bool)
        wrong = np.where(low, change, np.where(high, -change, np.abs(change)))
        if float(wrong.max(initial=-np.inf)) > SLACK * largest:
            return []
    if not largest:
        return []
    return moving(fitting, step, np.arange(step.size) == 0)


def moving(fitting: Any, step: Vector, constants: np.ndarray) -> list[int]:
    """The coefficients that a step along which they become infinite moves; of constants those of x, not of z."""
    least = MOVING * float(np.abs(step).max())
    moved = np.where(np.abs(step) > least, step, 0.0)
    moved = np.where(constants, fitting.in_x(moved), moved)
    return [int(j) for j in np.flatnonzero(np.abs(moved) > least) if fitting.free[j]]


def _changes(fitting: Any, passes: Passes, step: Vector) -> Any:
    for chunk in passes.source.host_chunks():
        keep = usable(chunk, passes.options)
        y, dense = np.asarray(chunk[len(passes.source.names)], float), len(fitting.center)
        for rows, z in matrices(chunk, fitting.center, fitting.per, True):
            ok = keep[rows]
            codes = [c[rows][ok] for c in chunk[dense : len(passes.source.names)]]
            yield int(ok.sum()), y[rows][ok], z[ok] @ step[: 1 + dense] + predictor_of(fitting.blocks, codes, step[1 + dense :])


def diverging(names: list[str], lost: list[int]) -> str:
    said = ", ".join(names[j] for j in lost if j) or "the intercept"
    return f"a combination of {said} separates the targets, so their coefficients are infinite"
