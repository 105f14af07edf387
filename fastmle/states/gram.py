"""The state of several columns: the exact Gram matrix of (1, u_1, .., u_k), u = (x − c)·per."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from ..family import Family, GramTerms, Sums, Vector, location_of
from ..kernels import drift
from ..kernels.double import compile_double_gram
from ..kernels.fold import BLOCK
from ..kernels.gram import compile_gram, pairs
from ..kernels.tiles import KINDS, addresses_of
from . import expansions
from .base import Chunk, Options, on_host
from .totals import DRIFT, TotalsState


class Locations(NamedTuple):
    """The anchor, a tuple of one float a column."""

    c: tuple[float, ...]
    per: tuple[float, ...]


class GramState(TotalsState):
    """Totals of `GramTerms`: the upper triangle by rows; then, where the terms or the weights ask for them, the triangle
    of the squares' outer, what float64 took from the first triangle, Σ log w."""

    def __init__(self, terms: GramTerms, options: Options, theta: Any = None) -> None:
        self.terms = terms
        kind = options.weight_kind if options.weighted else None
        self.slots = pairs(terms.k + 1)
        self.outer = kind == "sampling" and terms.fourth
        self.double = terms.double_rows > 0 and not self.outer
        self.precision = kind == "precision"
        end = self.slots + (pairs(self.slots) if self.outer else 0)
        self.low = slice(end, end + (self.slots if self.double else 0))
        super().__init__(options, "s" * (self.low.stop + self.precision), theta)

    def _kernel(self, columns: Chunk, w: np.ndarray) -> Any:
        return self._on_device(columns, w) if self.options.device == "cuda" else self._on_host(columns, w)

    def _on_device(self, columns: Chunk, w: np.ndarray) -> Any:
        """The rows that are wanted in double-double are summed by the host, the rest on the device."""
        from ..kernels.cuda import run_gram

        theta = self.theta or Locations((0.0,) * self.terms.k, (1.0,) * self.terms.k)
        flags = (self.options.weighted, self.outer, self.precision, self.options.nulls == "drop")
        given = (*columns, w) if w.size else columns
        first = min(-(-columns[0].size // BLOCK), self._doubled())
        wanted = np.r_[0 : self.low.start, self.low.stop : len(self.letters)]

        def kernel(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
            if first:
                head = slice(0, first * BLOCK)
                place = on_host(tuple(c[head] for c in columns)), np.ascontiguousarray(w[head], np.float64)
                self._on_host(*place)(0, first, sums[:first], counts[:first])
            if first < hi:
                rest = tuple(c[first * BLOCK :] for c in given)
                found = np.zeros((hi - first, wanted.size))
                run_gram(rest, np.array(theta.c), np.array(theta.per), flags, found, counts[first:])
                sums[first:] = 0.0
                sums[first:, wanted] = found

        return kernel

    def _doubled(self) -> int:
        """How many of the next blocks are summed in double-double."""
        return max(0, -(-(self.terms.double_rows - self.seen) // BLOCK)) if self.double else 0

    def _on_host(self, columns: Chunk, w: np.ndarray) -> Any:
        columns = tuple(c if c.dtype in KINDS else c.astype(np.float64) for c in columns)
        places = addresses_of(columns)
        rows = columns[0].size
        theta = self.theta or Locations((0.0,) * self.terms.k, (1.0,) * self.terms.k)
        center, per = np.array(theta.c), np.array(theta.per)
        weighted, drop = self.options.weighted, self.options.nulls == "drop"
        gram = compile_gram(weighted, self.outer, drop)
        doubled = self._doubled()

        def kernel(lo: int, hi: int, sums: np.ndarray, counts: np.ndarray) -> None:
            middle = min(max(doubled, lo), hi)
            if middle > lo:
                first, last = lo * BLOCK, min(middle * BLOCK, rows)
                place = (*places, first, last - first, w[first:last], center, per)
                some = sums[: middle - lo]
                double = compile_double_gram(weighted, drop)
                double(*place, some[:, : self.slots], some[:, self.low], counts[: middle - lo])
            if hi > middle:
                first, last = middle * BLOCK, min(hi * BLOCK, rows)
                place = (*places, first, last - first, w[first:last], center, per)
                gram(*place, sums[middle - lo :], counts[middle - lo :])
            if self.precision:
                for b in range(lo, hi):
                    block = slice(b * BLOCK, (b + 1) * BLOCK)
                    sums[b - lo, -1] = _sum_of_logs(tuple(c[block] for c in columns), w[block])

        return kernel

    # -- the anchor ------------------------------------------------------------------------------------------------

    def _anchor_of(self, columns: Chunk, w: np.ndarray) -> Any:
        x = np.stack([c.astype(np.float64) for c in columns])
        keep = np.isfinite(x).all(axis=0)
        if w.size:
            keep &= (w > 0.0) & (w < np.inf)
        if not keep.any():
            return None
        places = [location_of(row[keep], w[keep] if w.size else w) for row in x]
        return Locations(tuple(p.c for p in places), tuple(p.per for p in places))

    def _anchor_of_sums(self) -> Any:
        s = self.sums()
        center = s.center + s.first / s.weight / np.array(self.theta.per)
        return Locations(tuple(center.tolist()), self.theta.per)

    def _drifted(self, at: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> int:
        running = np.empty((at.size, sums.shape[1]))
        drift.running_sums()(self.is_max, self._read(), sums, at, running)
        k = self.terms.k + 1
        diagonal = [i * k - i * (i - 1) // 2 for i in range(1, k)]
        with np.errstate(all="ignore"):
            weight = running[:, :1]
            mean = running[:, 1:k] / weight
            sd = np.sqrt(np.maximum(running[:, diagonal] / weight - mean * mean, 0.0))
            gone = ((mean != 0.0) & (np.abs(mean) / sd > DRIFT)).any(axis=1).tolist()
        return int(at[gone.index(True)]) if True in gone else -1

    def _coarseness(self, theta: Any) -> float:
        return 1.0 / float(min(theta.per))

    def _moved(self, new: Any) -> np.ndarray:
        """t' = A t, hence G' = A G Aᵀ, in rational arithmetic."""
        k = self.terms.k + 1
        old = self.theta
        ratio = [Fraction(1)] + [Fraction(b) / Fraction(a) for a, b in zip(old.per, new.per, strict=True)]
        shift = [Fraction(0)] + [
            (Fraction(a) - Fraction(b)) * Fraction(p) for a, b, p in zip(old.c, new.c, new.per, strict=True)
        ]
        r, d = np.array(ratio, dtype=object), np.array(shift, dtype=object)
        values = self.exact_values()
        upper = np.triu_indices(k)
        g = np.zeros((k, k), dtype=object)
        g[upper] = g.T[upper] = values[: self.slots]
        cross = np.outer(r * g[0], d)
        moved = np.outer(r, r) * g + cross + cross.T + np.outer(d, d) * g[0, 0]
        totals = self.totals.copy()
        totals[self.low] = 0.0
        for slot, number in zip(totals, moved[upper], strict=False):
            expansions.set_exact(slot, number)
        if self.outer:
            a = np.diag(r)
            a[:, 0] += d
            i, j = upper
            b = a[np.ix_(i, i)] * a[np.ix_(j, j)] + np.where(i == j, 0, 1) * a[np.ix_(i, j)] * a[np.ix_(j, i)]
            second = np.zeros((self.slots, self.slots), dtype=object)
            half = np.triu_indices(self.slots)
            second[half] = second.T[half] = values[self.slots :]
            for slot, number in zip(totals[self.slots :], (b @ second @ b.T)[half], strict=False):
                expansions.set_exact(slot, number)
        return totals

    def exact_values(self) -> list[Fraction]:
        """Of the first two groups of slots, the first with what float64 took from it."""
        values = [expansions.exact_value(t) for t in self.totals[: self.low.start]]
        for at, t in enumerate(self.totals[self.low]):
            values[at] += expansions.exact_value(t)
        return values

    def decimals(self) -> list[Decimal]:
        """The triangle in decimals, of the digits of the present context."""
        parts = [expansions.components(t) for t in self.totals[: self.slots]]
        for own, t in zip(parts, self.totals[self.low], strict=False):
            own += expansions.components(t)
        return [sum(map(Decimal, own), Decimal(0)) for own in parts]

    # -- reading ---------------------------------------------------------------------------------------------------

    def _named(self, triangle: np.ndarray, weight: float) -> Sums:
        k = self.terms.k + 1
        theta = self.theta or Locations((0.0,) * (k - 1), (1.0,) * (k - 1))
        upper = np.triu_indices(k)
        g = np.zeros((k, k))
        g[upper] = g.T[upper] = triangle
        center, per = np.array(theta.c), np.array(theta.per)
        n = float(self.rows) if self.precision else weight
        return Sums(weight, n, self.rows, center=center, per=per, first=g[0, 1:], second=g[1:, 1:])

    def weighted(self) -> GramState:
        state = GramState(self.terms, replace(self.options, weighted=True), self.theta)
        state.totals[: len(self.letters)] = self.totals
        state.merge_counts(self)
        return state

    def meat(self, family: Family, theta: Vector) -> Vector:
        units = np.eye(self.slots)
        scores = np.array([family.score(self._named(unit, unit[0]), theta) for unit in units])
        return np.asarray(scores.T @ self.sums().outer @ scores)

    def sums(self) -> Sums:
        values = self._read()
        weight = float(values[0]) if self.options.weighted else float(self.rows)
        values[: self.low.stop - self.low.start] += values[self.low]
        s = self._named(values[: self.slots], weight)
        if self.precision:
            s.log_weight = float(values[-1])
        if self.outer:
            half = np.triu_indices(self.slots)
            s.outer = np.zeros((self.slots, self.slots))
            s.outer[half] = s.outer.T[half] = values[self.slots : self.low.start]
        return s

    def _theta_from(self, values: list[Any]) -> Any:
        return Locations(tuple(values[0]), tuple(values[1]))


def _sum_of_logs(columns: Chunk, w: np.ndarray) -> float:
    """Σ log w over the rows that count."""
    keep = w > 0.0
    for c in columns:
        keep &= np.isfinite(c)
    return float(np.log(w[keep]).sum())
