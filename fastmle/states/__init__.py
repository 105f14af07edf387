"""Mergeable states: what remains of the rows. One kind for each kind of terms; `new_state` picks it."""

from __future__ import annotations

from typing import Any

from ..family import ColumnTerms, GramTerms, RowTerms, TableTerms, Terms
from .base import Chunk, Options, State
from .columns import ColumnsState
from .gram import GramState
from .rows import RowState
from .table import TableState

__all__ = ["Chunk", "Options", "State", "new_state"]

_KINDS: dict[type[Any], Any] = {
    RowTerms: RowState,
    TableTerms: TableState,
    ColumnTerms: ColumnsState,
    GramTerms: GramState,
}


def new_state(terms: Terms, options: Options, theta: Any = None) -> State:
    """An empty state for these terms; `theta` holds the parameters where the terms depend on them."""
    state: State = _KINDS[type(terms)](terms, options, theta)
    return state
