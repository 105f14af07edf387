"""The state of count data: the weight of each value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..family import Family, Sums, TableTerms, Vector
from ..kernels.fold import BLOCK
from ..kernels.table import WAYS, compile_count
from ..pool import run_slices, threads_for, with_own
from .base import LEAST, TRIAL, Chunk, Options, State, floats_from_json, floats_to_json

SMALLEST, LARGEST = 1 << 10, 1 << 16  # sizes of the dense table
LAUNCH = 1 << 26  # rows; a launch ends well within half a second, so that Ctrl-C is answered
ROOM = 1 << 20  # rows that a thread may leave over in a launch
_NO_WEIGHTS = np.empty(0)


class TableState(State):
    """A dense table of small values and a sorted list of large ones; row 0 holds Σw (or counts), row 1 Σw²."""

    def __init__(self, terms: TableTerms, options: Options, theta: Any = None) -> None:
        super().__init__(options)
        self.terms = terms
        self.dense: Any = np.zeros((2, SMALLEST), np.float64 if options.weighted else np.int64)
        self.large = np.empty(0)
        self.large_weights: Any = np.zeros((2, 0), self.dense.dtype)
        self._kernels: dict[np.dtype[Any], Any] = {}  # compiled, by the dtype of the column

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        if chunk[0].size < BLOCK and self._add_short(chunk):
            return
        on_device = self.options.device == "cuda" and not self.options.weighted
        x = chunk[0] if on_device else np.ascontiguousarray(chunk[0])
        w = np.ascontiguousarray(chunk[1], np.float64) if self.options.weighted else _NO_WEIGHTS
        before = dict(self.__dict__)
        try:
            self.dense = self.dense.copy()
            self.large_weights = self.large_weights.copy()
            step, lo = LAUNCH, 0
            while lo < x.size:
                some = slice(lo, lo + step)
                if on_device:
                    self._launch_on_device(x[some], first_row + lo)
                elif not self._launch(x[some], w[some], first_row + lo):
                    step = ROOM
                    continue
                lo += step
        except BaseException:
            self.__dict__.update(before)
            raise

    def _add_short(self, chunk: Chunk) -> bool:
        """Add few rows if each has its place in the table; else add nothing and say so: for frequent small updates."""
        if self.options.weighted or self.options.device != "cpu":
            return False
        x = np.ascontiguousarray(chunk[0])
        lowest, size = self._places()
        table, left = np.zeros((WAYS, size), np.int64), np.empty(x.size, np.int64)
        if self._kernel(x.dtype)(x, _NO_WEIGHTS, lowest, table, left):
            return False
        dense = self.dense.copy()
        dense[0, :size] += table.sum(axis=0)
        self.dense = dense
        self.count(x.size, 0, 0, 0)
        return True

    def _places(self) -> tuple[float, int]:
        """The values that have a place in the dense table: whole numbers from the first up to below the second."""
        return float(max(self.terms.lowest, 0)), int(min(self.dense.shape[1], self.terms.highest + 1))

    def _kernel(self, dtype: np.dtype[Any]) -> Any:
        found = self._kernels.get(dtype)
        if found is None:
            found = self._kernels[dtype] = compile_count(dtype.name, self.options.weighted)
        return found

    def _launch(self, x: np.ndarray, w: np.ndarray, first_row: int) -> bool:
        """Add rows; False, and none is added, if there was no room for those that the kernel left over."""
        weighted = self.options.weighted
        kernel = self._kernel(x.dtype)
        lowest, size = self._places()
        found: list[tuple[int, np.ndarray]] = []
        if weighted:  # in the order of rows, on from what there is
            tables: list[Any] = [self.dense[:, :size].copy()]
        else:
            threads = threads_for(x.size, self.options.threads, TRIAL * BLOCK)
            tables = [np.zeros((WAYS, size), np.int64) for _ in range(threads)]
        own = [(table, np.empty(min(ROOM, x.size), np.int64)) for table in tables]

        def job(lo: int, hi: int, mine: tuple[Any, np.ndarray]) -> None:
            table, left = mine
            m = kernel(x[lo:hi], w[lo:hi], lowest, table, left)
            found.append((lo if m >= 0 else -1, lo + left[: max(m, 0)]))

        run_slices(with_own(job, own), x.size, len(tables), LEAST * BLOCK, TRIAL * BLOCK)
        found.sort(key=lambda part: part[0])
        if found[0][0] < 0:
            return False
        for table in tables:
            if weighted:
                self.dense[:, :size] = table
            else:
                self.dense[0, :size] += table.sum(axis=0)
        rows = np.concatenate([rows for _, rows in found])
        nulls, zeros, outside = self._take_rest(x, w, rows, first_row) if rows.size else (0, 0, 0)
        self.count(x.size, nulls, zeros, outside)
        return True

    def _launch_on_device(self, x: np.ndarray, first_row: int) -> None:
        """The same by the device; the blocks in which a row has no place in the table come back to the host."""
        from ..kernels.cuda import run_count

        lowest, size = self._places()
        found, left = run_count(x, lowest, size)
        self.dense[0, :size] += found
        nulls = zeros = outside = 0
        for b in np.flatnonzero(left).tolist():
            block = np.asarray(x[b * BLOCK : (b + 1) * BLOCK])
            v = block.astype(np.float64)
            rows = np.flatnonzero(~((v >= lowest) & (v < size) & (v == np.floor(v))))
            some = self._take_rest(block, _NO_WEIGHTS, rows, first_row + b * BLOCK)
            nulls, zeros, outside = nulls + some[0], zeros + some[1], outside + some[2]
        self.count(x.size, nulls, zeros, outside)

    def possible(self, x: Any) -> Any:
        return (x >= self.terms.lowest) & (x <= self.terms.highest) & (x == np.floor(x))

    def _take_rest(
        self, x: np.ndarray, w: np.ndarray, rows: np.ndarray, first_row: int
    ) -> tuple[int, int, int]:
        """Rows the kernel passed over: large values, nulls, weight 0, and what cannot be."""
        v = x[rows].astype(np.float64)
        weights = w[rows] if w.size else np.ones(rows.size)
        zero = weights == 0.0
        null = (np.isnan(v) | np.isnan(weights)) & ~zero & (self.options.nulls == "drop")
        with np.errstate(invalid="ignore"):
            good = self.possible(v) & np.isfinite(v) & (weights > 0.0) & np.isfinite(weights)
        rest = rows[~(good | zero | null)]
        outside = self.judge((x[rest],), w[rest] if w.size else None, first_row + rest) if rest.size else 0
        self._take_large(v[good], weights[good])
        return int(null.sum()), int(zero.sum()), outside

    def _take_large(self, v: np.ndarray, weights: np.ndarray) -> None:
        if not v.size:
            return
        top = int(min(max(v[v < LARGEST], default=0), LARGEST - 1))
        if top >= self.dense.shape[1]:
            self._widen(1 << (top + 1 - 1).bit_length())
        columns = (
            np.stack([weights, weights * weights])
            if self.options.weighted
            else np.ones((2, v.size), np.int64)
        )
        if not self.options.weighted:
            columns[1] = 0
        small = v < self.dense.shape[1]
        for row in range(2):
            np.add.at(self.dense[row], v[small].astype(np.intp), columns[row, small])
        v, columns = v[~small], columns[:, ~small]
        merged = np.union1d(self.large, v)
        grown: Any = np.zeros((2, merged.size), self.dense.dtype)
        grown[:, np.searchsorted(merged, self.large)] = self.large_weights
        for row in range(2):
            np.add.at(grown[row], np.searchsorted(merged, v), columns[row])
        self.large, self.large_weights = merged, grown

    def _widen(self, size: int) -> None:
        wider = np.zeros((2, size), self.dense.dtype)
        wider[:, : self.dense.shape[1]] = self.dense
        self.dense = wider

    def merge(self, other: TableState) -> None:
        if other.dense.shape[1] > self.dense.shape[1]:
            self._widen(other.dense.shape[1])
        self.dense = self.dense.copy()
        self.dense[:, : other.dense.shape[1]] += other.dense
        merged = np.union1d(self.large, other.large)
        grown = np.zeros((2, merged.size), self.dense.dtype)
        grown[:, np.searchsorted(merged, self.large)] += self.large_weights
        grown[:, np.searchsorted(merged, other.large)] += other.large_weights
        self.large, self.large_weights = merged, grown
        self.merge_counts(other)

    def weighted(self) -> TableState:
        state = TableState(self.terms, replace(self.options, weighted=True))
        state.dense, state.large = self.dense.astype(np.float64), self.large
        state.large_weights = self.large_weights.astype(np.float64)
        for table in (state.dense, state.large_weights):
            table[1] = table[0]
        state.merge_counts(self)
        return state

    def meat(self, family: Family, theta: Vector) -> Vector:
        s = self.sums()
        scores = family.row_scores(s.values, theta)
        return np.asarray((scores * s.squares) @ scores.T)

    def sums(self) -> Sums:
        used = np.flatnonzero(self.dense[0])
        values = np.concatenate([used.astype(np.float64), self.large])
        table = np.concatenate([self.dense[:, used], self.large_weights], axis=1).astype(np.float64)
        weight = float(table[0].sum())
        squares = table[1] if self.options.weighted else table[0]
        return Sums(weight, weight, self.rows, values=values, weights=table[0], squares=squares)

    def payload(self) -> dict[str, Any]:
        s = self.sums()
        return {
            "values": s.values.tolist(),
            "weights": floats_to_json(s.weights),
            "squares": floats_to_json(s.squares),
        }

    def restore(self, payload: dict[str, Any]) -> None:
        values = np.array(payload["values"], np.float64)
        table = np.array([floats_from_json(payload[key]) for key in ("weights", "squares")]).reshape(2, -1)
        table = table.astype(self.dense.dtype)
        if not self.options.weighted:
            table[1] = 0
        small = values < LARGEST
        self.dense = np.zeros((2, SMALLEST), self.dense.dtype)
        if small.any():
            self._widen(max(SMALLEST, 1 << int(values[small].max()).bit_length()))
        self.dense[:, values[small].astype(np.intp)] = table[:, small]
        self.large, self.large_weights = values[~small], table[:, ~small]
