"""The state of several columns that add the same terms each: a row state a column, and a test of whole rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..family import ColumnTerms, Family, Sums, Vector
from ..kernels import exact
from ..kernels.fold import BLOCK
from ..kernels.simplex import compile_simplex
from ..kernels.tiles import KINDS, TILE, addresses_of
from ..pool import run_slices
from . import expansions
from .base import Chunk, Options, State, floats_from_json, floats_to_json, on_host
from .rows import RowState

PIECE = 1 << 22  # numbers that are looked at, and then added up, at a time: 32 MB
TILES = 32  # that a thread looks at at a time
SLACK, SLACK_OF_FLOATS = 1e-8, 1e-6  # that rows may be away from 1


class ColumnsState(State):
    """`parts`, one a column; under sampling weights also the exact totals of w² (1, logs)(1, logs)ᵀ, upper triangle."""

    def __init__(self, terms: ColumnTerms, options: Options, theta: Any = None) -> None:
        super().__init__(options)
        self.terms = terms
        masks = options.nulls == "drop" or options.outside == "count"  # such rows are null to the parts
        inner = replace(options, nulls="drop" if masks else "raise", outside="raise")
        self.parts = [RowState(terms.each, inner) for _ in range(terms.k)]
        self.upper = np.triu_indices(terms.k + 1)
        sampling = options.weighted and options.weight_kind == "sampling"
        self.outer = exact.empty_totals("s" * len(self.upper[0]) if sampling else "")

    def __copy__(self) -> ColumnsState:
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.parts = [part.__copy__() for part in self.parts]
        made.outer = self.outer.copy()
        return made

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        before = dict(self.__copy__().__dict__)
        step = max(1, PIECE // (self.terms.k * BLOCK)) * BLOCK
        room = np.empty(self.terms.k * min(step, chunk[0].size))
        try:
            for lo in range(0, chunk[0].size, step):
                self._add(on_host(tuple(c[lo : lo + step] for c in chunk)), first_row + lo, room)
        except BaseException:
            self.__dict__.update(before)
            raise

    def _add(self, chunk: Chunk, first_row: int, room: np.ndarray) -> None:
        given, w = chunk[: self.terms.k], chunk[self.terms.k :]
        columns, good, every = self._looked_at(given, room)
        if w:
            with np.errstate(invalid="ignore"):
                good &= (w[0] > 0.0) & np.isfinite(w[0])
            every &= bool(good.all())
        nulls = zeros = outside = 0
        if not every:
            masked, nulls, zeros, outside = self._judge(given, w, ~good, first_row)
            columns = tuple(np.where(masked, np.nan, c) if masked.any() else c for c in columns)
        for part, column in zip(self.parts, columns, strict=True):
            part.add((column, *w), first_row)
        if len(self.outer):
            self._add_outer(columns, w[0])
        self.count(columns[0].size, nulls, zeros, outside)

    def _looked_at(self, columns: Chunk, room: np.ndarray) -> tuple[Chunk, np.ndarray, bool]:
        """The columns, each by itself in memory (if need be in `room`); which of their rows are in the support and add up
        to 1; whether all do."""
        rows, slack = columns[0].size, SLACK if columns[0].itemsize > 4 else SLACK_OF_FLOATS
        columns = tuple(c if c.dtype in KINDS else c.astype(np.float64) for c in columns)
        apart = all(c.flags.c_contiguous for c in columns)
        kernel, place = compile_simplex(self.terms.each.support), addresses_of(columns)
        out, good = room[: 0 if apart else len(columns) * rows].reshape(-1, rows), np.empty(rows, np.bool_)
        bad: list[int] = []

        def job(lo: int, hi: int) -> None:
            bad.append(kernel(*place, lo * TILE, min(hi * TILE, rows) - lo * TILE, slack, out, good))

        run_slices(job, -(-rows // TILE), self.options.threads if rows >= 2 * TILES * TILE else 1, TILES)
        return columns if apart else tuple(out), good, not any(bad)

    def _judge(
        self, columns: Chunk, w: Chunk, suspect: np.ndarray, first_row: int
    ) -> tuple[np.ndarray, int, int, int]:
        """Which rows do not count though their weight is not 0, and how many are null, of weight 0, outside."""
        zero = (w[0] == 0.0) if w else np.zeros(suspect.size, bool)
        null = np.zeros(suspect.size, bool)
        if self.options.nulls == "drop":
            for c in chunk_of(columns, w):
                null |= np.isnan(c)
        null &= ~zero
        outside = suspect & ~zero & ~null
        rows = np.flatnonzero(outside)
        if rows.size:
            self.judge(tuple(c[rows] for c in columns), w[0][rows] if w else None, first_row + rows)
        return null | outside, int(null.sum()), int(zero.sum()), int(outside.sum())

    def possible_rows(self, columns: Chunk) -> np.ndarray:
        rows = columns[0].size
        return self._looked_at(columns, np.empty(len(columns) * rows))[1] if rows else np.empty(0, np.bool_)

    def possible(self, x: Any) -> Any:
        support = self.terms.each.support
        return super().possible(x) if support is None else support(x, self.terms.each.theta())

    def _add_outer(self, columns: Chunk, w: np.ndarray) -> None:
        blocks = []
        for lo in range(0, w.size, BLOCK):
            rows = slice(lo, lo + BLOCK)
            keep = (w[rows] > 0.0) & ~np.isnan(columns[0][rows])
            logs = [np.log(c[rows][keep].astype(np.float64)) for c in columns]
            one = w[rows][keep] * np.stack([np.ones(int(keep.sum())), *logs])
            blocks.append((one @ one.T)[self.upper])
        exact.add_blocks()(self.outer, np.zeros(len(self.outer), bool), np.array(blocks))

    def merge(self, other: ColumnsState) -> None:
        self.parts = [part.__copy__() for part in self.parts]
        for mine, yours in zip(self.parts, other.parts, strict=True):
            mine.merge(yours)
        outer = self.outer.copy()
        if len(outer):
            exact.merge_totals()(outer, np.zeros(len(outer), bool), other.outer)
        self.outer = outer
        self.merge_counts(other)

    def weighted(self) -> ColumnsState:
        state = ColumnsState(self.terms, replace(self.options, weighted=True))
        state.parts = [part.weighted() for part in self.parts]
        state.merge_counts(self)
        return state

    def sums(self) -> Sums:
        columns = [part.sums() for part in self.parts]
        return Sums(columns[0].weight, columns[0].n, self.rows, columns=columns)

    def meat(self, family: Family, theta: Vector) -> Vector:
        size = self.terms.k + 1
        outer = np.zeros((size, size))
        outer[self.upper] = outer.T[self.upper] = [expansions.value(t) for t in self.outer]
        scores = self.terms.scores(theta)
        return np.asarray(scores.T @ outer @ scores)

    def payload(self) -> dict[str, Any]:
        outer = [floats_to_json(expansions.stored(t)) for t in self.outer]
        return {"parts": [part.payload() for part in self.parts], "outer": outer}

    def restore(self, payload: dict[str, Any]) -> None:
        for part, stored in zip(self.parts, payload["parts"], strict=True):
            part.rows, part.seen = self.rows, self.seen
            part.restore(stored)
        for total, stored in zip(self.outer, payload["outer"], strict=True):
            total[: len(stored)] = floats_from_json(stored)


def chunk_of(columns: Chunk, w: Chunk) -> Chunk:
    return (*columns, *w)
