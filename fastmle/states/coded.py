"""The state of a pass whose rows have dense columns and one level of each of some categoricals.

The dense part is a `GlmState`, to which the levels are an offset. What rows add to the columns of levels is summed in
places of 2^16 rows, in the order of the rows, and these are added up in double-double in the order of the stream, so
that neither threads nor chunks show. No matrix of rows and levels exists at any time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..family import Sums, Vector
from ..kernels.coded import compile_coded
from ..kernels.tiles import KINDS, addresses_of
from ..pool import run_slices
from .base import Chunk, Options, Tally, on_host
from .glm import GlmState, GlmTerms, Place

PLACE = 1 << 16  # rows


def places_of(codes: np.ndarray) -> np.ndarray:
    """Codes as whole numbers: nulls become −2, which also is where `with_ends` has its NaN."""
    return np.asarray(np.nan_to_num(codes, nan=-2.0).astype(np.int32))


def with_ends(beta: Vector) -> Vector:
    """The coefficients of a block, such that place −1 (the base level) is 0 and place −2 (a null) NaN."""
    return np.asarray(np.append(beta, [np.nan, 0.0]))


class CodedState(Tally):
    """Sums of `terms` over the dense columns and blocks of `levels` columns each; beta covers all of them."""

    def __init__(self, terms: GlmTerms, levels: tuple[int, ...], options: Options, theta: Place) -> None:
        super().__init__(options)
        self.terms, self.levels, self.theta = terms, levels, theta
        d, b = terms.k - 1, len(levels)
        labels = options.labels
        own = (*labels[:d], labels[d + b], labels[d + b + 1] if terms.offset else ", ".join(labels[d : d + b]))
        rest = labels[d + b + 1 + terms.offset :]
        inner = replace(options, labels=(*own, *rest))
        self.dense = GlmState(replace(terms, offset=True), inner, theta._replace(beta=theta.beta[: terms.k]))
        ends = terms.k + np.cumsum(levels)
        self.columns = [slice(int(end - count), int(end)) for count, end in zip(levels, ends, strict=True)]
        pairs = sum(p * q for i, p in enumerate(levels) for q in levels[i + 1 :])
        self.high = np.zeros(sum(levels) * (terms.k + 1) + pairs)
        self.low = np.zeros_like(self.high)
        self.begun = np.zeros_like(self.high)  # of a place that is not full yet

    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        for lo in range(0, chunk[0].size, 4 * PLACE):
            self._add(on_host(tuple(c[lo : lo + 4 * PLACE] for c in chunk)), first_row + lo)
        for name in ("rows", "seen", "dropped", "outside"):
            setattr(self, name, getattr(self.dense, name))

    def _add(self, chunk: Chunk, first_row: int) -> None:
        d, b = self.terms.k - 1, len(self.levels)
        codes = np.stack([places_of(c) for c in chunk[d : d + b]])
        extra = np.zeros(chunk[0].size)
        for at, own in zip(self.columns, codes, strict=True):
            extra += with_ends(self.theta.beta[at])[own]
        if self.terms.offset:
            extra += chunk[d + b + 1]
        columns = (*chunk[:d], chunk[d + b], extra, *chunk[d + b + 1 + self.terms.offset :])
        self._refuse_nulls(codes, chunk, first_row)
        self.dense.add(columns, first_row)
        self._scatter(columns, codes, first_row)

    def _refuse_nulls(self, codes: np.ndarray, chunk: Chunk, first_row: int) -> None:
        if self.options.nulls != "raise" or codes.min(initial=0) > -2:
            return
        null = codes == -2
        if self.options.weighted:
            null &= chunk[-1] != 0.0
        if null.any():
            row = int(np.flatnonzero(null.any(axis=0))[0])
            label = self.options.labels[self.terms.k - 1 + int(np.flatnonzero(null[:, row])[0])]
            raise DataError(
                f"column {label!r}, row {first_row + row}: the value is null: pass nulls='drop' to leave such rows out",
                column=label, row=first_row + row,
            )  # fmt: skip

    def _scatter(self, columns: Chunk, codes: np.ndarray, first_row: int) -> None:
        terms, rows = self.terms, columns[0].size
        columns = tuple(c if c.dtype in KINDS else c.astype(np.float64) for c in columns)
        roles = np.array([1, 1, terms.trials, self.options.weighted], np.int64)
        beta, center, per, shape = self.dense.theta
        coded = compile_coded(terms.name, terms.row, terms.support)
        levels = np.array(self.levels, np.int64)
        edges = [0, *range(PLACE - first_row % PLACE, rows, PLACE), rows]
        found = [self.begun] + [np.zeros_like(self.high) for _ in edges[2:]]

        def job(first: int, last: int) -> None:
            for at in range(first, last):
                piece = tuple(c[edges[at] : edges[at + 1]] for c in columns)
                own = np.ascontiguousarray(codes[:, edges[at] : edges[at + 1]])
                place = (*addresses_of(piece), terms.k - 1, roles, piece[0].size, beta, center, per, shape)
                coded(*place, own, levels, terms.matrix, found[at])

        run_slices(job, len(found), self.options.threads)
        if (first_row + rows) % PLACE == 0:
            found.append(np.zeros_like(self.high))
        for full in found[:-1]:
            self.high, self.low = _plus(self.high, self.low, full)
        self.begun = found[-1]

    def sums(self) -> Sums:
        """As of a `GlmState`, with the score and the matrix of all columns."""
        s = self.dense.sums()
        high, low = _plus(self.high, self.low, self.begun)
        values, k = high + low, self.terms.k
        count = k + sum(self.levels)
        score, matrix = np.zeros(count), np.zeros((count, count))
        score[:k], matrix[:k, :k] = s.score, s.matrix
        start = 0
        for at, levels in zip(self.columns, self.levels, strict=True):
            table = values[start : start + levels * (k + 1)].reshape(levels, k + 1)
            score[at], matrix[at, :k], matrix[:k, at] = table[:, k], table[:, :k], table[:, :k].T
            np.fill_diagonal(matrix[at, at], table[:, 0])
            start += table.size
        for i, one in enumerate(self.columns):
            for j in range(i + 1, len(self.columns)):
                table = values[start : start + self.levels[i] * self.levels[j]].reshape(self.levels[i], -1)
                matrix[one, self.columns[j]], matrix[self.columns[j], one] = table, table.T
                start += table.size
        s.__dict__["score"], s.__dict__["matrix"] = score, matrix
        return s


def _plus(high: Vector, low: Vector, x: Vector) -> tuple[Vector, Vector]:
    """(high, low) + x in double-double (D. E. Knuth's two-sum)."""
    total = high + x
    back = total - high
    return total, low + ((high - (total - back)) + (x - back))
