"""The state of row terms: exact totals of what each row adds."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ..family import Family, NoTheta, RowTerms, Sums, Vector
from ..kernels import exact
from ..kernels.drift import compile_drift
from ..kernels.fold import BLOCK, compile_fold
from ..kernels.ones import ONES, STRANGE, compile_ones
from ..kernels.sharing import new_board
from ..kernels.slots import slot_kinds, slot_layout
from ..pool import share
from ..sources.parts import Parts
from . import expansions
from .base import Chunk, Options
from .totals import DRIFT, TotalsState

FEW_BYTES = 1 << 23  # that one thread counts before another would have started
_NO_WEIGHTS = np.empty(0)
WHOLE = 2.0**24  # up to this, products of whole numbers with numbers of rows are exact


@cache
def _name(dtype: np.dtype[Any]) -> str:
    """Its name, which numpy makes anew each time."""
    return dtype.name


@lru_cache(256)
def _slots(terms: RowTerms, weight_kind: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The layout of the slots, a letter for each, and the names of those of the terms."""
    layout = slot_layout(terms.all_kinds(), weight_kind)
    return layout, slot_kinds(layout), terms.sums._fields[: len(terms.letters())]


@lru_cache(64)
def _whole_numbers(terms: RowTerms, theta: Any) -> np.ndarray | None:
    """What a zero and a one add to each slot, if these are whole numbers: their sums are exact, whatever the blocks."""
    theta = terms.theta() if theta is None else theta
    if terms.anchor is not None or (terms.support and not (terms.support(0.0, theta) and terms.support(1.0, theta))):
        return None
    rows = np.array([terms.row(0.0, theta), terms.row(1.0, theta)], float)
    rows.flags.writeable = False
    return rows if np.all((rows == np.round(rows)) & (abs(rows) <= WHOLE)) else None


@lru_cache(64)
def compile_leaves(terms: RowTerms) -> Any:
    """The kernel that finds where the mean leaves the anchor, for terms whose anchor may move; else None."""
    if terms.anchor is None or terms.anchor.drift is None:
        return None
    return compile_drift(terms.anchor.drift, _slots(terms, None)[2], terms.theta._fields)


class RowState(TotalsState):
    """Totals of `RowTerms`; `theta` holds the anchor, or the parameters of a multi-pass family."""

    def __init__(self, terms: RowTerms, options: Options, theta: Any = None) -> None:
        self.terms = terms
        self.layout, letters, self.names = _slots(terms, options.weight_kind if options.weighted else None)
        if theta is None and terms.anchor is None:
            theta = terms.theta()
        super().__init__(options, letters, theta)
        self.drifts = terms.anchor is not None and terms.anchor.drift is not None
        self._folds: dict[np.dtype[Any], Any] = {}  # compiled, by the dtype of the column
        self.takes_parts = options.device == "cpu" and not options.weighted

    def _fold(self, dtype: np.dtype[Any]) -> Any:
        terms = self.terms
        drop = self.options.nulls == "drop"
        checked = terms.support is not None or self.options.weighted or drop
        found = self._folds[dtype] = compile_fold(
            terms.row, terms.support, terms.theta, terms.fill, self.layout, _name(dtype), checked, drop, terms.quick
        )
        return found

    def _kernel(self, columns: Chunk, w: np.ndarray) -> Any:
        constants = tuple(map(float, self.theta if self.theta is not None else self.terms.theta()))
        if self.options.device == "cuda":
            from ..kernels.cuda import run_fold

            given, drop = (*columns, w) if w.size else columns, self.options.nulls == "drop"

            def on_device(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
                run_fold(self.terms, self.layout, drop, constants, given, sums, counts)

            return on_device
        x: Any = columns[0]
        fold = self._folds.get(x.dtype) or self._fold(x.dtype)
        if isinstance(x, Parts):

            def by_parts(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
                at = 0
                for some in x.arrays(lo * BLOCK, min(hi * BLOCK, x.size), BLOCK):
                    end = at - (-some.size // BLOCK)
                    fold(some, _NO_WEIGHTS, constants, sums[at:end], counts[at:end])
                    at = end

            return by_parts
        x = np.ascontiguousarray(x)

        def kernel(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
            rows = slice(lo * BLOCK, hi * BLOCK)
            fold(x[rows], w[rows], constants, sums, counts)

        return kernel

    # -- zeros and ones --------------------------------------------------------------------------------------------

    def _add_until_drift(self, columns: Chunk, w: np.ndarray, first_row: int) -> int:
        """Of a column of zeros and ones only the ones are counted, where what they add makes no rounding."""
        if columns[0].dtype == np.uint8 and set(self.layout) == {"s", "|"} and self.options.device == "cpu":
            x, added = np.ascontiguousarray(columns[0]), _whole_numbers(self.terms, self.theta)
            if added is not None and (ones := self._ones(x)) >= 0:
                totals = self.totals.copy()
                exact.add_multiples()(totals, added, float(x.size - ones), float(ones))
                self.totals = totals
                self.count(x.size, 0, 0, 0)
                return x.size
        return super()._add_until_drift(columns, w, first_row)

    def _ones(self, x: np.ndarray) -> int:
        """How many ones, or -1 if there are other numbers."""
        kernel, board = compile_ones(), new_board()
        share(lambda leads: kernel(x, board, leads), self.options.threads if x.size > FEW_BYTES else 1)
        found = board.tolist()
        return -1 if found[STRANGE] else found[ONES]

    def possible(self, x: Any) -> Any:
        support = self.terms.support
        return super().possible(x) if support is None else support(x, self.theta or self.terms.theta())

    # -- the anchor ------------------------------------------------------------------------------------------------

    def _anchor_of(self, columns: Chunk, w: np.ndarray) -> Any:
        if self.terms.anchor is None:
            return None
        x = np.asarray(columns[0], np.float64)
        if w.size or self.terms.support is not None or not math.isfinite(float(x.min()) - float(x.max())):
            keep = np.isfinite(x)
            if w.size:
                keep &= (w > 0.0) & (w < np.inf)
            if self.terms.support is not None:
                keep &= self.terms.support(x, self.terms.theta())
            if not keep.all():
                x, w = x[keep], w[keep] if w.size else w
        return self.terms.anchor.of_block(x, w) if x.size else None

    def _anchor_of_sums(self) -> Any:
        assert self.terms.anchor is not None
        return self.terms.anchor.of_sums(self.sums())

    def _drifted(self, at: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> int:
        rows = math.nan if self.options.weighted else float(self.rows)
        constants = tuple(map(float, self.theta))
        return int(compile_leaves(self.terms)(self.is_max, self._read(), sums, counts, at, rows, constants, DRIFT))

    def _coarseness(self, theta: Any) -> float:
        return 1.0 / float(theta.per) if self.terms.anchor else 1.0

    def _moved(self, new: Any) -> np.ndarray:
        """In rational arithmetic, so that the order of merges does not show."""
        anchor, k = self.terms.anchor, len(self.names)
        assert anchor is not None
        columns = []
        for j in range(k + 1):  # what a unit of each of (weight, slots) becomes
            unit = [Fraction(int(i == j)) for i in range(k + 1)]
            columns.append(
                [
                    unit[0],
                    *map(Fraction, anchor.rebase(self._named(unit[1:], unit[0], unit[0]), self.theta, new)),
                ]
            )
        matrix = np.array(columns, dtype=object).T
        values = self.exact_values()
        weight = values[k] if self.options.weighted else Fraction(self.rows)
        totals = self.totals.copy()
        for slot, moved in zip(totals, (matrix @ [weight, *values[:k]])[1:], strict=False):
            expansions.set_exact(slot, moved)
        if "o" in self.layout:
            upper = np.triu_indices(k + 1)
            outer = np.zeros((k + 1, k + 1), dtype=object)
            outer[upper] = outer.T[upper] = values[k + 1 :]
            for slot, moved in zip(totals[k + 1 :], (matrix @ outer @ matrix.T)[upper], strict=True):
                expansions.set_exact(slot, moved)
        return totals

    # -- reading ---------------------------------------------------------------------------------------------------

    def _named(self, values: Any, rows: Any, weight: Any = None) -> Sums:
        """The slots by name; `values` may hold arrays (running sums) or rationals in place of floats."""
        extra: dict[str, Any] = dict(zip(self.names, values, strict=False))
        if self.theta is not None:
            extra.update(zip(self.theta._fields, self.theta, strict=True))
        if weight is None:
            weight = values[len(self.names)] if self.options.weighted else rows
            if "p" in self.layout:
                extra["log_weight"] = values[len(self.names) + 1]
        return Sums(weight, rows if "p" in self.layout else weight, rows, **extra)

    def weighted(self) -> RowState:
        state = RowState(self.terms, replace(self.options, weighted=True), self.theta)
        state.totals[: len(self.letters)] = self.totals
        expansions.write_components(state.totals[len(self.letters)], [float(self.rows)] if self.rows else [])
        state.merge_counts(self)
        return state

    def meat(self, family: Family, theta: Vector) -> Vector:
        units = np.eye(len(self.names) + 1)
        scores = np.array(
            [family.score(self._named(unit[1:].tolist(), unit[0], unit[0]), theta) for unit in units]
        )
        used = scores.any(axis=1)  # what no score depends on may have overflowed
        return np.asarray(scores[used].T @ self.sums().outer[np.ix_(used, used)] @ scores[used])

    def sums(self) -> Sums:
        values = self.values()
        s = self._named(values, float(self.rows))
        if "o" in self.layout:
            k = len(self.names) + 1
            outer = np.zeros((k, k))
            outer[np.triu_indices(k)] = values[k:]
            s.outer = outer + np.triu(outer, 1).T
        return s

    def _theta_from(self, values: list[Any]) -> Any:
        return self.terms.theta(*values) if self.terms.theta is not NoTheta else NoTheta()
