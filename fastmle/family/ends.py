"""The extremes of a column."""

from __future__ import annotations

from typing import NamedTuple

from .terms import NoTheta, RowTerms, finite, row_function


class Ends(NamedTuple):
    """Both as maxima: kinds "mm"."""

    minus_low: float
    high: float


@row_function
def add_ends(x: float, _: NoTheta) -> Ends:
    return Ends(-x, x)


ends_terms = RowTerms(Ends, add_ends, finite, kinds="mm")
