"""The state of one pass of a multinomial logit model at given coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..family import Sums, Vector
from ..kernels.fold import BLOCK
from ..kernels.gram import pairs
from ..kernels.multinomial import compile_multinomial
from ..kernels.tiles import KINDS, addresses_of
from .base import Chunk, Options
from .placed import PlacedState


@dataclass(frozen=True)
class MultinomialTerms:
    """`k` − 1 features; the target's value of each class, the base last, and the classes in words."""

    k: int
    values: tuple[float, ...]
    where: str
    matrix: int = 0  # as in kernels/glm.py: the information, or sums of squared scores


class Spot(NamedTuple):
    """Where a pass is taken: the coefficients (classes − 1, k) of (1, u..), u = (x − center) · per."""

    beta: Vector
    center: Vector
    per: Vector


class MultinomialState(PlacedState):
    """Totals of `MultinomialTerms`; `theta` is the `Spot`."""

    def __init__(self, terms: MultinomialTerms, options: Options, theta: Any = None) -> None:
        self.terms = terms
        others = len(terms.values) - 1
        self.head = 2 + len(terms.values)
        super().__init__(options, "s" * (self.head + others * terms.k + pairs(others) * pairs(terms.k)), theta)

    def _kernel(self, columns: Chunk, w: np.ndarray) -> Any:
        terms = self.terms
        columns = (*columns, *([w] if w.size else []))
        columns = tuple(c if c.dtype in KINDS else c.astype(np.float64) for c in columns)
        places, rows = addresses_of(columns), columns[0].size
        flags = np.array([self.options.nulls == "drop", terms.matrix], np.int64)
        beta, center, per = self.theta
        values, run = np.array(terms.values), compile_multinomial()

        def kernel(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
            first, last = lo * BLOCK, min(hi * BLOCK, rows)
            weighted = int(self.options.weighted)
            run(*places, terms.k - 1, weighted, first, last - first, beta, center, per, values, flags, sums, counts)
            assert columns  # kept alive: the kernel reads by address

        return kernel

    def _possible(self, columns: Chunk, row: int) -> bool:
        return float(columns[self.terms.k - 1][row]) in self.terms.values

    def _outside(self) -> str:
        return f"not one of {self.terms.where}"

    def _theta_from(self, values: list[Any]) -> Any:
        return Spot(*map(np.array, values))

    # -- reading -------------------------------------------------------------------------------------------------------

    def sums(self) -> Sums:
        """`score` (classes − 1) k, `matrix` of all pairs of coefficients, by class; `hits` Σ w of each class, the base last."""
        k, others = self.terms.k, len(self.terms.values) - 1
        values = self._read()
        score = values[self.head : self.head + others * k]
        matrix, at = np.zeros((others, k, others, k)), self.head + others * k
        upper = np.triu_indices(k)
        for a in range(others):
            for b in range(a, others):
                one = np.zeros((k, k))
                one[upper] = one.T[upper] = values[at : at + pairs(k)]
                matrix[a, :, b], matrix[b, :, a] = one, one
                at += pairs(k)
        weight = float(values[1]) if self.options.weighted else float(self.rows)
        n = float(self.rows) if self.options.weighted and self.options.weight_kind != "frequency" else weight
        return Sums(
            weight, n, self.rows, loss=float(values[0]), hits=values[2 : self.head], score=score,
            matrix=matrix.reshape(others * k, others * k), u=0.0, v=0.0,
        )  # fmt: skip
