"""The way to the maximum of a regression: a sample's estimate, what it leads to, and scoring over all rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DataError
from ..family import Vector
from ..passes import Passes
from ..sources import Held
from .model import aliases
from .scoring import At, Climb, climb
from .separation import watch
from .solve import correlation_of, full_rank, sweep
from .surrogate import Surrogate, regular

PILOT, HEAD = 1 << 16, 1 << 17  # rows of the sample, of data in memory and of files
THIN = 4  # every fourth row of it gives a start for all of it
SAME = 1e-11  # what is left of a column that repeats others
MANY = 1 << 18
PILOT_STEPS, STEPS = 25, 60


def pilot_rows(source: Any) -> int:
    """How many rows a sample is to have."""
    return PILOT if source.in_memory and (source.rows or 0) >= MANY else HEAD


def climb_to(fitting: Any, passes: Passes, small: Passes, whole: bool, shape: float) -> tuple[Climb, dict[int, Vector]]:
    start = fitting.start
    if small.source.rows:
        some = _thinned(small) if fitting.by_sample and not whole else small
        start = fitting.first(some, shape)
        if not whole:
            start, shape, begun = _pilot(fitting, some, small, start, shape)
            fitting.lost = []
            if begun is not None:
                guide = Surrogate(fitting, passes, small, begun)
                found = guide.climb(_tolerance)
                if found is not None:
                    return found, {}
                if guide.path:
                    start, shape = guide.path[-1].beta, guide.path[-1].shape
    evaluate = fitting.evaluator(passes)
    first = evaluate(start, shape)
    aliased = _aliased(fitting, first)
    known: list[At] = [] if aliased else [first]
    later = fitting.from_one(first, evaluate) if fitting.model.quadratic and known else evaluate

    def from_first(beta: Vector, q: float) -> At:
        return known.pop() if known else later(beta, q)

    found = climb(from_first, start, shape, _tolerance(first.sums.n), STEPS, fitting.dispersion, watch(fitting, passes),
                  fitting.model.newton)  # fmt: skip
    return found, aliased


def _tolerance(n: float) -> float:
    """Of the score, in standard errors."""
    return min(5e-7, 3e-10 * math.sqrt(n)) if n > 1e5 else 1e-10


def _thinned(small: Passes) -> Passes:
    chunk = next(iter(small.source.chunks()))
    return Passes(Held(tuple(c[::THIN] for c in chunk), small.source), small.options)


def _pilot(fitting: Any, some: Passes, small: Passes, start: Vector, shape: float) -> tuple[Vector, float, At | None]:
    """A start from some rows of a sample; and the whole sample there, if it can lead further."""
    near = 0.5 * math.sqrt(start.size) if fitting.by_sample else 1e-2  # the sample's own error is larger
    begun = climb(fitting.evaluator(some, prior=True), start, shape, near, PILOT_STEPS, fitting.dispersion, watch(fitting, some),
                  fitting.model.newton)  # fmt: skip
    if begun.message == "separated" or not begun.at.good() or not begun.at.shape < 1e4:
        return start, shape, None
    start, shape = begun.at.beta, begun.at.shape
    if not fitting.by_sample:
        return start, shape, None
    at = fitting.evaluator(small)(start, shape)
    return start, shape, at if at.good() and regular(at) else None


def _aliased(fitting: Any, at: At) -> dict[int, Vector]:
    """Columns that repeat others: an error, or out of the model."""
    matrix, free = fitting.columns_of(at)
    index = np.flatnonzero(free)
    if not at.good() or not index.size:
        return {}
    correlation = correlation_of(matrix[np.ix_(index, index)])[0]
    if full_rank(correlation, SAME):
        return {}
    found = sweep(correlation, index.size, SAME).aliased
    if not found:
        return {}
    names = ["intercept", *fitting.model.features]
    aliased = {}
    for k, combination in found.items():
        aliased[int(index[k])] = np.zeros(len(names))
        aliased[int(index[k])][index] = combination
    if fitting.model.rank_deficient == "raise":
        raise DataError(
            f"{aliases(fitting.model, aliased, names)}: leave such columns out, or pass rank_deficient='drop'",
            column=names[next(iter(aliased))],
        )
    fitting.leave_out(list(aliased))
    return aliased
