"""States of passes at a given place, the coefficients of a regression: no anchor to choose, and none that moves."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..family import Family, Vector
from .base import Chunk, bad_value
from .totals import TotalsState


class PlacedState(TotalsState):
    """Totals at the place `theta`; the target is the column after the `terms.k` − 1 features."""

    terms: Any
    drifts = False

    @abstractmethod
    def _possible(self, columns: Chunk, row: int) -> bool:
        """Whether the model can produce the target of this row."""

    @abstractmethod
    def _outside(self) -> str:
        """What is wrong with a target that it cannot."""

    def _fault(self, columns: Chunk, row: int) -> tuple[int, str]:
        """The column that makes a row impossible, and how."""
        return self.terms.k - 1, self._outside()

    def judge(self, columns: Chunk, w: np.ndarray | None, rows: np.ndarray) -> int:
        """The first bad row, be it a null, an infinity, or a target that the model cannot produce."""
        found: DataError | None = None
        try:
            super().judge(columns, w, rows)
        except DataError as error:
            found = error
        present = np.ones(rows.size, bool) if w is None else np.asarray(w) > 0.0
        for c in columns:
            present &= ~np.isnan(c)
        for i in np.flatnonzero(present).tolist():
            if found is not None and found.row is not None and rows[i] >= found.row:
                raise found
            if not self._possible(columns, i):
                at, what = self._fault(columns, i)
                raise bad_value(self.options.labels[at], int(rows[i]), f"is {float(columns[at][i]):.17g}, {what}")
        if found is not None:
            raise found
        return 0

    def _anchor_of(self, columns: Chunk, w: np.ndarray) -> Any:
        return None

    def _anchor_of_sums(self) -> Any:
        return self.theta

    def _moved(self, new: Any) -> np.ndarray:
        raise NotImplementedError("sums at other coefficients need another pass")

    def _coarseness(self, theta: Any) -> float:
        return 1.0

    def meat(self, family: Family, theta: Vector) -> Vector:
        raise NotImplementedError("sandwich errors of regressions are a pass of their own")

    def weighted(self) -> Any:
        state = type(self)(self.terms, replace(self.options, weighted=True), self.theta)  # type: ignore[arg-type]
        state.totals[:] = self.totals
        state.merge_counts(self)
        return state
