"""What all states share: counts of rows, options, and the search for the row that is to blame."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..errors import DataError
from ..family import Family, Sums, Vector

LEAST = 64  # blocks that a thread takes at a time
TRIAL = 8  # blocks of one column, done by one thread to see whether others pay
Chunk = tuple[np.ndarray, ...]  # the columns, then the weights if there are any
WeightKind = Literal["frequency", "precision", "sampling"]


@dataclass(frozen=True)
class Options:
    """How rows are read: chosen at birth of a state, and the same for all states that merge."""

    labels: tuple[str, ...] = ("x",)  # column names, for messages
    weighted: bool = False
    weight_kind: WeightKind = "frequency"
    weight_label: str = "weights"
    nulls: Literal["raise", "drop"] = "raise"
    outside: Literal["raise", "count"] = "raise"  # rows outside the support
    support: str = "every finite number"  # in words
    threads: int = 1
    device: Literal["cpu", "cuda"] = "cpu"


class Tally(ABC):
    """What a pass feeds with chunks. `rows` counts those that entered, with weight above 0."""

    takes_parts = False  # whether `add` is best given a column in the buffers it lies in

    def __init__(self, options: Options) -> None:
        self.options = options
        self.rows = 0
        self.seen = 0
        self.dropped = 0
        self.outside = 0

    @abstractmethod
    def add(self, chunk: Chunk, first_row: int = 0) -> None:
        """Add a chunk whose first row is number `first_row`; nothing is added if a row is bad."""

    def count(self, rows: int, nulls: int, zeros: int, outside: int) -> None:
        self.seen += rows
        self.dropped += nulls
        self.outside += outside
        self.rows += rows - nulls - zeros - outside

    def observations(self, weight: float) -> float:
        """n as the likelihood counts it: Σw as if rows were repeated, or the rows."""
        return (
            float(self.rows) if self.options.weighted and self.options.weight_kind == "precision" else weight
        )

    def judge(self, columns: Chunk, w: np.ndarray | None, rows: np.ndarray) -> int:
        """Raise for the first bad one of these rows, whose numbers are `rows`; return how many are merely outside.

        A row of weight 0 is not there, so nothing of it is bad. Rows are numbered from 0.
        """
        options = self.options
        with np.errstate(invalid="ignore"):
            weights = np.ones(rows.size) if w is None else w
            values = [c.astype(np.float64) for c in columns]
            heavy = ~((weights >= 0.0) & np.isfinite(weights))
            absent = weights == 0.0
            if options.nulls == "drop":
                heavy &= ~np.isnan(weights)
                absent |= np.isnan(weights) | (np.any(np.isnan(values), axis=0) & ~heavy)
            null = ~np.isfinite(values).all(axis=0) & ~absent
            beyond = ~self.possible_rows(columns) & ~absent & ~null
        wrong = heavy | null
        if options.outside == "raise":
            wrong |= beyond
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise self._blame(None if heavy[i] else [float(v[i]) for v in values], float(weights[i]), int(rows[i]))
        return int(beyond.sum())

    def _blame(self, values: list[float] | None, weight: float, row: int) -> DataError:
        """The error for a row of which a value is bad, or (None) the weight."""
        options = self.options
        if values is None:
            bad = f"is {weight:g}: weights must be finite and not negative"
            null = "is null: pass nulls='drop' to leave such rows out"
            return bad_value(options.weight_label, row, null if math.isnan(weight) else bad)
        for label, v in zip(options.labels, values, strict=True):
            if math.isnan(v):
                return bad_value(label, row, "is null (NaN): pass nulls='drop' to leave such rows out")
            if math.isinf(v):
                return bad_value(label, row, f"is {v:g}: values must be finite")
            if not self.possible(v):
                return bad_value(label, row, f"is {v:.17g}, outside the support ({options.support})")
        return bad_value(", ".join(options.labels), row, f"is outside the support ({options.support})")

    def possible_rows(self, columns: Chunk) -> np.ndarray:
        """Which rows lie in the support."""
        return np.asarray(np.all([self.possible(c.astype(np.float64)) for c in columns], axis=0))

    def possible(self, x: Any) -> Any:
        """Which finite values, of a number or an array, lie in the support."""
        return np.ones(np.shape(x), bool)


class State(Tally):
    """Sums over the rows seen so far."""

    @abstractmethod
    def merge(self, other: Any) -> None:
        """Add the rows of another state of the same terms."""

    @abstractmethod
    def sums(self) -> Sums: ...

    @abstractmethod
    def meat(self, family: Family, theta: Vector) -> Vector:
        """Σ w² s sᵀ of the scores s in units: what sampling weights put between the breads."""

    @abstractmethod
    def payload(self) -> dict[str, Any]:
        """The state's numbers, JSON-safe and exact."""

    @abstractmethod
    def restore(self, payload: dict[str, Any]) -> None: ...

    @abstractmethod
    def weighted(self) -> Any:
        """The same rows as a state of frequency weights, each of weight 1."""

    def merge_counts(self, other: State) -> None:
        self.rows += other.rows
        self.seen += other.seen
        self.dropped += other.dropped
        self.outside += other.outside


def on_host(columns: Chunk) -> Chunk:
    """The same rows in the host's memory: what lies on a device is copied."""
    return tuple(map(np.asarray, columns))


def bad_value(column: str, row: int, what: str) -> DataError:
    return DataError(f"column {column!r}, row {row}: the value {what}", column=column, row=row)


def floats_to_json(values: Any) -> Any:
    """Nested arrays of floats as exact hexadecimal strings."""
    return [floats_to_json(v) if np.ndim(v) else float(v).hex() for v in values]


def floats_from_json(values: Any) -> Any:
    return [floats_from_json(v) if isinstance(v, list) else float.fromhex(v) for v in values]
