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
from .design import matrices, usable

if TYPE_CHECKING:
    from .scoring import At

AFTER = 7  # steps
STEADY = 0.3  # of η in a step, root mean square over the information
SLACK = 0.02  # of the largest change of η in a step, on the wrong side


def looks_separated(model: Any) -> Callable[[At, Vector, int], bool]:
    """Whether the steps still move η by a constant amount after several of them, where the target has a boundary."""

    def suspicious(at: At, step: Vector, steps: int) -> bool:
        if not model.discrete or model.alpha or steps < AFTER:
            return False
        matrix = at.matrix
        scale = np.sqrt(np.maximum(np.diag(matrix), 0.0)) / np.sqrt(max(at.sums.weight, 1.0))
        return bool(np.abs(step).max() > STEADY and (steps >= 3 * AFTER or float(scale[at.free].min()) < 0.05))

    return suspicious


def separating(fitting: Any, passes: Passes, at: At, step: Vector) -> list[int]:
    """The columns (0 the intercept) of the last step, if it separates the rows; else none."""
    passes.count += 1
    features, binary = len(fitting.model.features), fitting.model.takes_trials
    largest = 0.0
    for rows, y, change in _changes(fitting, passes, step, features):
        if rows:
            largest = max(largest, float(np.abs(change).max(initial=0.0)))
    for rows, y, change in _changes(fitting, passes, step, features):
        if not rows:
            continue
        low, high = y == 0.0, (y == 1.0) if binary else np.zeros(y.size, bool)
        wrong = np.where(low, change, np.where(high, -change, np.abs(change)))
        if float(wrong.max(initial=-np.inf)) > SLACK * largest:
            return []
    if not largest:
        return []
    return [int(j) for j in np.flatnonzero(np.abs(step) > 0.05 * np.abs(step).max()) if fitting.free[j]]


def _changes(fitting: Any, passes: Passes, step: Vector, features: int) -> Any:
    for chunk in passes.source.chunks():
        keep = usable(chunk, passes.options)
        for rows, z in matrices(chunk, features, fitting.center, fitting.per, True):
            ok = keep[rows]
            yield int(ok.sum()), np.asarray(chunk[features][rows], float)[ok], z[ok] @ step


def diverging(names: list[str], lost: list[int]) -> str:
    said = ", ".join(names[j] for j in lost if j) or "the intercept"
    return f"a combination of {said} separates the targets, so their coefficients are infinite"
