"""The state of one pass of a multinomial logit model at given coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..errors import DataError
from ..family import Family, Sums, Vector
from ..kernels.fold import BLOCK
from ..kernels.gram import pairs
from ..kernels.multinomial import compile_multinomial
from ..kernels.tiles import KINDS, addresses_of
from .base import Chunk, Options, bad_value
from .totals import TotalsState


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


class MultinomialState(TotalsState):
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

    def judge(self, columns: Chunk, w: np.ndarray | None, rows: np.ndarray) -> int:
        """The first bad row, be it a null, an infinity, or a target that is none of the classes."""
        found: DataError | None = None
        try:
            super().judge(columns, w, rows)
        except DataError as error:
            found = error
        y = np.asarray(columns[self.terms.k - 1], float)
        wrong = ~np.isin(y, self.terms.values) & (np.ones(y.size, bool) if w is None else np.asarray(w) > 0.0)
        for c in columns:
            wrong &= ~np.isnan(c)
        first = int(np.flatnonzero(wrong)[0]) if wrong.any() else -1
        if first >= 0 and (found is None or found.row is None or rows[first] < found.row):
            said = f"is {y[first]:.17g}, not one of {self.terms.where}"
            raise bad_value(self.options.labels[self.terms.k - 1], int(rows[first]), said)
        if found is not None:
            raise found
        return 0

    # -- no anchor moves: the place is given ---------------------------------------------------------------------------

    def _anchor_of(self, columns: Chunk, w: np.ndarray) -> Any:
        return None

    def _anchor_of_sums(self) -> Any:
        return self.theta

    def _drift(self, running: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.zeros(len(running))

    def _drifted(self, at: np.ndarray, running: np.ndarray, tally: np.ndarray) -> int:
        return -1

    def _moved(self, new: Any) -> np.ndarray:
        raise NotImplementedError("sums at other coefficients need another pass")

    def _coarseness(self, theta: Any) -> float:
        return 1.0

    def _theta_from(self, values: list[Any]) -> Any:
        return Spot(*map(np.array, values))

    # -- reading -------------------------------------------------------------------------------------------------------

    def sums(self) -> Sums:
        """`score` (classes − 1) k, `matrix` of all pairs of coefficients, by class; `hits` Σ w of each class, the base last."""
        k, others = self.terms.k, len(self.terms.values) - 1
        values = np.array(self.values())
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

    def meat(self, family: Family, theta: Vector) -> Vector:
        raise NotImplementedError("sandwich errors of regressions are a pass of their own")

    def weighted(self) -> Any:
        state = MultinomialState(self.terms, replace(self.options, weighted=True), self.theta)
        state.totals[:] = self.totals
        state.merge_counts(self)
        return state
