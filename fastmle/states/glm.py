"""The state of one pass of a generalized linear model at given coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..family import Sums, Vector
from ..kernels.fold import BLOCK
from ..kernels.glm import HEAD, LOGS, NOTHING, compile_glm
from ..kernels.gram import pairs
from ..kernels.tiles import KINDS, addresses_of
from .base import Chunk, Options
from .placed import PlacedState


@dataclass(frozen=True, eq=False)
class GlmTerms:
    """What a row of a generalized linear model adds: the row functions of kernels/glm.py, for `k` − 1 features."""

    name: str
    k: int
    row: Callable[..., Any]
    constants: Callable[..., Any]
    support: Callable[..., Any]
    where: str
    offset: bool = False
    trials: bool = False
    constants_too: bool = True
    matrix: int = 0  # of those of kernels/glm.py


class Place(NamedTuple):
    """Where a pass is taken: the coefficients of (1, u..), u = (x − center) · per, and the shape."""

    beta: Vector
    center: Vector
    per: Vector
    shape: float = 1.0


class GlmState(PlacedState):
    """Totals of `GlmTerms`; `theta` is the `Place`."""

    def __init__(self, terms: GlmTerms, options: Options, theta: Any = None) -> None:
        self.terms = terms
        self.precision = options.weighted and options.weight_kind == "precision"
        self.bare = terms.matrix == NOTHING
        super().__init__(options, "s" * (HEAD + terms.k + (0 if self.bare else pairs(terms.k))), theta)

    def _kernel(self, columns: Chunk, w: np.ndarray) -> Any:
        terms = self.terms
        columns = (*columns, *([w] if w.size else []))
        if self.options.device == "cuda":
            from ..kernels.cuda import run_glm

            weighing = (self.options.weighted, self.options.nulls == "drop", self.precision)

            def on_device(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
                run_glm(terms, self.theta, weighing, columns, sums, counts)

            return on_device
        columns = tuple(c if c.dtype in KINDS else c.astype(np.float64) for c in columns)
        addresses, strides, kinds = addresses_of(columns)
        rows = columns[0].size
        roles = np.array([1, terms.offset, terms.trials, self.options.weighted], np.int64)
        flags = np.array([self.options.nulls == "drop", terms.constants_too, terms.matrix, self.precision], np.int64)
        beta, center, per, shape = self.theta
        glm = compile_glm(terms.name, terms.row, terms.constants, terms.support)

        def kernel(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
            first, last = lo * BLOCK, min(hi * BLOCK, rows)
            count = last - first
            place = (addresses, strides, kinds, terms.k - 1, roles, first, count, beta, center, per, shape)
            glm(*place, flags, sums, counts)
            assert columns  # kept alive: the kernel reads by address

        return kernel

    def _possible(self, columns: Chunk, row: int) -> bool:
        at = self.terms.k - 1
        trials = float(columns[at + 1 + self.terms.offset][row]) if self.terms.trials else 1.0
        return bool(self.terms.support(float(columns[at][row]), trials))

    def _fault(self, columns: Chunk, row: int) -> tuple[int, str]:
        trials = self.terms.k + self.terms.offset
        if self.terms.trials and not float(columns[trials][row]) >= 0.0:
            return trials, "a number of trials is at least 0"
        return super()._fault(columns, row)

    def _outside(self) -> str:
        return f"outside the support ({self.terms.where})"

    def _theta_from(self, values: list[Any]) -> Any:
        beta, center, per = map(np.array, values[:3])
        return Place(beta, center, per, float(values[3]))

    # -- reading -------------------------------------------------------------------------------------------------------

    def sums(self) -> Sums:
        k = self.terms.k
        values = self._read()
        loss, pearson, u, v, weight, trials, hits, a, b, c, d = values[:LOGS].tolist()
        matrix = np.zeros((k, k))
        if not self.bare:
            upper = np.triu_indices(k)
            matrix[upper] = matrix.T[upper] = values[HEAD + k :]
        if not self.options.weighted:
            weight = float(self.rows)
        n = float(self.rows) if self.options.weighted and self.options.weight_kind != "frequency" else weight
        return Sums(
            weight, n, self.rows, log_weight=float(values[LOGS]), loss=loss, pearson=pearson, u=u, v=v, trials=trials, hits=hits,
            a=a, b=b, c=c, d=d, score=values[HEAD : HEAD + k], matrix=matrix,
        )  # fmt: skip
