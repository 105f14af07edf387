"""Streaming sufficient statistics: a small state that takes chunks, merges with +, and fits at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from .errors import DataError, FamilyError
from .estimate import fit_state, judged
from .family import Family
from .likelihood import loglik_of
from .pool import Turn
from .request import check_weights, mapping_of
from .result import Fit
from .sources import open_source
from .sources.arrays import plain
from .sources.streams import as_columns
from .states import Chunk, Options, State, new_state
from .states.kept import Kept
from .storage import states as storage
from .tables import html_table
from .text import with_text


def one_pass_of(family: Family) -> Family:
    if not family.one_pass:
        raise FamilyError(
            f"{family.name} needs several passes over the data, so it has no sufficient statistics: use fit"
        )
    return family


def go_together(known: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether columns of these names can be those that are known, in their order: they are, or either have but numbers."""
    if names == known or len(known) == 1 or len(names) != len(known):  # another number is refused elsewhere
        return True
    numbers = tuple(f"x{j}" for j in range(len(known)))
    return sorted(names) != sorted(known) and any(some in (numbers, (*numbers[:-1], "y")) for some in (known, names))


class SufficientStats:
    """What one read of the data leaves for a family: `update`, `+`, `fit`, `loglik`, `save`.

    Made by `fastmle.suffstats`. Holds no rows; merging is exact for sums about the same anchor, and to 1e-13 else (counts
    under weights that are no whole numbers: to the last bits).
    Threads may share a state: they take turns.
    """

    def __init__(
        self, family: Family, options: Options, columns: Any = None, keep: str | None = None, points: int = 0
    ) -> None:
        self.family = one_pass_of(family)
        check_weights(family, replace(options, weighted=True))
        self.options = options
        self.columns = columns
        self.keep = points if keep == "bins" else None  # how many points, beside histograms; None: nothing
        self.kept: Kept | None = None
        self._state: State | None = None
        self._turn = Turn()

    # -- adding --------------------------------------------------------------------------------------------------

    def update(self, chunk: Any, weights: Any = None) -> SufficientStats:
        """Add a chunk (anything `fit` takes) with one weight a row, or none; returns self.

        Raises DataError for a bad row, and then nothing of the chunk is added.
        """
        values = plain(chunk) if weights is None and self.columns is None else None
        with self._turn:
            if values is not None:
                self._add(("x",), (values,), None)
            else:
                self._add_all(chunk, weights)
        return self

    def _add_all(self, chunk: Any, weights: Any) -> None:
        """Piece by piece; all of them or none."""
        _, data, column = with_text(self.family, chunk, self.columns)
        source = open_source(as_columns(data), column, {"weights": weights})
        before = dict(self.__dict__)
        before["_state"] = None if self._state is None else copy(self._state)
        before["kept"] = self.kept and self.kept.copy()
        try:
            for piece in source.host_chunks():
                if self._state is not None and not go_together(known := self._state.options.labels, source.names):
                    if sorted(known) != sorted(source.names):
                        raise DataError(f"the columns are {', '.join(source.names)}, and were {', '.join(known)}")
                    piece = (*(piece[source.names.index(name)] for name in known), *piece[len(known) :])
                self._add(source.names, piece, None if weights is None else source.labels[len(source.names)])
        except BaseException:
            self.__dict__.update(before)
            raise

    def _add(self, names: tuple[str, ...], chunk: Chunk, weights: str | None) -> None:
        """Add a chunk, whose weights, if it has any, are called so."""
        weighted = weights is not None
        state = self._state
        family, options = self.family, self.options
        if state is None:
            family = family.bind(names)
            options = replace(options, labels=names, support=family.terms.where)
            always = options.weight_kind != "frequency"
            state = new_state(family.terms, replace(options, weighted=weighted or always))
        elif weighted and not state.options.weighted:
            state = state.weighted()
        if weights is not None and state.options.weight_label != weights:
            state.options = replace(state.options, weight_label=weights)
        if state.options.weighted and not weighted:
            chunk = (*chunk, np.ones(chunk[0].size))
        if len(chunk) != len(state.options.labels) + state.options.weighted:
            raise DataError(f"{family.name} takes {len(state.options.labels)} columns, not {len(names)}")
        first_row = state.seen
        state.add(chunk, first_row)
        self._state, self.family, self.options = state, family, options
        if self.keep is not None:
            if self.kept is None:
                self.kept = Kept(family.pictured(len(state.options.labels)), self.keep)
            self.kept.add(chunk, state.options.weighted, first_row)

    def __add__(self, other: SufficientStats) -> SufficientStats:
        """The state of both sets of rows. Raises FamilyError unless family, weights and nulls agree."""
        if not isinstance(other, SufficientStats):
            return NotImplemented
        mine, yours = (
            (
                s.family.name,
                s.options.weight_kind,
                s.options.nulls,
                s.family.constants() if s._state else None,
            )
            for s in (self, other)
        )
        if mine[:3] != yours[:3] or (mine[3] is not None and yours[3] is not None and mine[3] != yours[3]):
            said = [
                f"{name} ({', '.join([f'{kind} weights', f'nulls={nulls!r}', *(f'{k}={v}' for k, v in (own or {}).items())])})"
                for name, kind, nulls, own in (mine, yours)
            ]
            raise FamilyError(f"states of {said[0]} and {said[1]} do not merge")
        if self._state is not None and other._state is not None:
            known, names = self._state.options.labels, other._state.options.labels
            if not go_together(known, names):
                raise FamilyError(f"states of the columns {', '.join(known)} and {', '.join(names)} do not merge")
        one, two = (self, other) if self._state is not None else (other, self)
        merged = copy(one)
        merged.keep = None if self.keep is None or other.keep is None else max(self.keep, other.keep)
        merged.kept = None if merged.keep is None else merged.kept
        with two._turn:
            merged._merge(two._state, two.kept)
        return merged

    def _merge(self, right: State | None, kept: Kept | None) -> None:
        if self._state is not None and right is not None:
            if right.options.weighted and not self._state.options.weighted:
                self._state = self._state.weighted()
            elif self._state.options.weighted and not right.options.weighted:
                right = right.weighted()
            self._state.merge(right)
        if self.kept is not None and kept is not None:
            self.kept.merge(kept)

    def __copy__(self) -> SufficientStats:
        made = object.__new__(type(self))
        with self._turn:
            made.__dict__.update(self.__dict__)
            made._state = None if self._state is None else copy(self._state)
            made.kept = None if self.kept is None else self.kept.copy()
        made._turn = Turn()
        return made

    def __radd__(self, other: object) -> SufficientStats:
        """So that sum(states) begins with 0."""
        return copy(self) if other == 0 else NotImplemented

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SufficientStats) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def nobs(self) -> float:
        """The number of observations so far, as the weights count them."""
        with self._turn:
            return 0.0 if self._state is None else float(self._state.sums().n)

    @property
    def state(self) -> State:
        """The sums behind it. Raises DataError if there are no rows."""
        if self._state is None or not self._state.rows:
            raise DataError(f"column {self.options.labels[0]!r}: there are no rows in this state")
        return self._state

    def fit(self, fixed: Mapping[str, Any] | None = None, strict: bool = False) -> Fit:
        """The maximum-likelihood fit to all rows so far. Raises DataError if there are none."""
        with self._turn:
            fit = fit_state(self.family, self.state, mapping_of(fixed, "fixed"))
            fit.kept = self.kept and self.kept.copy()
        return judged(fit, strict)

    def loglik(self, params: Mapping[str, Any] | None = None, **more: Any) -> float:
        """Σ w log p(x; params) of all rows so far; −inf if one of them is impossible."""
        with self._turn:
            return loglik_of(self.family, self.state, {**mapping_of(params, "params"), **more})

    def nll_surface(self, intercepts: Any, slopes: Any, feature: str | None = None) -> Any:
        """The mean NLL of a linear model over a grid (intercepts, slopes), from the sums alone; the other parameters stay
        at their estimates. `feature` says whose slope, the first one's by default."""
        from .regression.surface import nll_surface

        with self._turn:
            return nll_surface(self.family, self.state, intercepts, slopes, feature)

    def __repr__(self) -> str:
        return f"<SufficientStats {self.family.name}: n={self.nobs:,.10g}>"

    def _repr_html_(self) -> str:
        labels = "" if self._state is None else ", ".join(self._state.options.labels)
        facts = {"rows": f"{self.nobs:,.10g}", "columns": labels, "nulls": self.options.nulls, "weights": self.options.weight_kind}
        facts |= {"histograms": "kept"} if self.kept is not None else {}
        return html_table(list(facts.items()), f"state of {self.family.name}")

    # -- keeping -------------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-safe; floats as exact hexadecimal strings."""
        with self._turn:
            return storage.to_dict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], family: Family | None = None) -> SufficientStats:
        """A state from `to_dict()`; `family` is needed for one that is not fastmle's own.

        Raises DataError if it is none, of a later version, or of another family.
        """
        return storage.from_dict(cls, stored, family)

    def to_bytes(self) -> bytes:
        """The state as versioned JSON in UTF-8, with a checksum; reading it runs no code."""
        return storage.to_bytes(self)

    @classmethod
    def from_bytes(cls, stored: bytes, family: Family | None = None) -> SufficientStats:
        """A state from `to_bytes()`, read like `from_dict`. Raises DataError if it is none."""
        return storage.from_bytes(cls, stored, family)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `to_bytes()` to a file: beside it first, then in its place at once. Raises OSError if that cannot be."""
        storage.save(self, path)

    def __reduce__(self) -> Any:
        return _unpickled, (self.family, self.to_dict(), self.options.threads)


def load(path: str | os.PathLike[str], family: Family | None = None) -> SufficientStats:
    """A state saved by `save`, read like `SufficientStats.from_dict`. Raises DataError if the file is none."""
    return SufficientStats.from_bytes(storage.read(path), family)


def _unpickled(family: Family, stored: Mapping[str, Any], threads: int) -> SufficientStats:
    made = SufficientStats.from_dict(stored, family)
    made.options = replace(made.options, threads=threads)
    return made
