"""Blocks: the columns of a categorical of many levels, of which each row has at most one. A chunk holds one column of
codes instead: the place of the row's level among the block's columns, −1 for the base level, NaN for a null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..family import Vector
from ..states.coded import places_of, with_ends


class Block(NamedTuple):
    """A categorical by its label (a column of the chunks) and the names of its columns."""

    label: str
    columns: tuple[str, ...]
    full: bool  # every level has a column, none is the base


def coefficients_of(source: Any) -> tuple[str, ...]:
    """The names of all columns of a design: the dense ones, then those of the blocks."""
    dense = source.names[: len(source.names) - len(source.blocks)]
    return (*dense, *(name for block in source.blocks for name in block.columns))


def slices_of(blocks: Sequence[Block], start: int) -> list[slice]:
    """Where the columns of each block stand, the first from `start` on."""
    ends = start + np.cumsum([len(block.columns) for block in blocks], dtype=int)
    return [slice(int(end) - len(block.columns), int(end)) for block, end in zip(blocks, ends, strict=True)]


def predictor_of(blocks: Sequence[Block], codes: Sequence[np.ndarray], beta: Vector) -> Vector | float:
    """What the levels of each row add to η; `beta` covers the blocks' columns alone."""
    parts = zip(slices_of(blocks, 0), codes, strict=True)
    return sum((with_ends(beta[at])[places_of(column)] for at, column in parts), 0.0)


def spread(blocks: Sequence[Block], codes: Sequence[np.ndarray], out: np.ndarray) -> None:
    """Write ones into the columns of `out` (rows, columns of the blocks, zeros): for a few rows at a time only."""
    for at, column in zip(slices_of(blocks, 0), codes, strict=True):
        place = places_of(column)
        rows = np.flatnonzero(place >= 0)
        out[rows, at.start + place[rows]] = 1.0
