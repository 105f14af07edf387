"""Plots with matplotlib (extra `plot`), from bins and sums. Nothing here is imported before a plot is asked for."""

from __future__ import annotations

from typing import Any

from ..errors import FamilyError

BARS, MODEL, SOFT = "#c3cbd9", "#c2410c", "#5d6068"
LINES = ("#c2410c", "#1d4ed8", "#0f766e", "#9333ea", "#a16207")


def axes(ax: Any, x: str = "", y: str = "") -> Any:
    """The Axes given, or new ones; labelled."""
    if ax is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("plots need matplotlib: pip install 'fastmle[plot]'") from error
        ax = pyplot.subplots(layout="constrained")[1]
    ax.set_xlabel(plain(x))
    ax.set_ylabel(plain(y))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plain(text: str) -> str:
    """A column's name, in which matplotlib shall see no formula."""
    return text.replace("$", r"\$")


def histogram_of(fit: Any) -> Any:
    """The bins of a fit, or an error that says how to have them."""
    if fit.bins is None:
        raise FamilyError("this needs a histogram of the data: fit with keep='bins'")
    return fit.bins
