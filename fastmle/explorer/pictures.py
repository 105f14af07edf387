"""Histograms and tables as the page shows them: cropped to where the data are, and not finer than a screen."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..states.bins import Bins

BARS = 90
CELLS = 140, 110
MOST_POINTS = 2000
TAIL = 0.0005  # of the weight, that may lie outside of the picture on each side


def window_of(weights: np.ndarray, most: int) -> tuple[int, int, int]:
    """(first, last + 1, group): the bins to show, and how many make a bar."""
    used = np.flatnonzero(weights)
    running = np.cumsum(weights) / weights.sum()
    first, last = int(used[0]), int(used[-1])
    low, high = int(np.searchsorted(running, TAIL)), int(np.searchsorted(running, 1.0 - TAIL))
    margin = (high - low + 1) // 12 + 1
    first, last = max(first, low - margin), min(last, high + margin)
    step = int(np.gcd.reduce(np.diff(used[(used >= first) & (used <= last)]))) if used.size > 1 else 1
    group = 1
    while step > 1 and step % 2 == 0:  # values on a coarser lattice than the bins, whole numbers say: no empty stripes
        group, step = group * 2, step // 2
    while (last - first + 1) / group > most:
        group *= 2
    return first, last + 1, group


def grouped(array: np.ndarray, axis: int, origin: int, window: tuple[int, int, int]) -> tuple[np.ndarray, int]:
    """Sums over groups of bins whose numbers (origin + i) are multiples of the group; and the number of the first one."""
    first, stop, group = window
    lead = (origin + first) % group
    taken = np.moveaxis(array, axis, 0)[first:stop]
    sums = np.add.reduceat(taken, np.r_[0, np.arange(group - lead, stop - first, group)], axis=0)
    return np.moveaxis(sums, 0, axis), (origin + first - lead) // group


def histogram(bins: Bins | None) -> dict[str, Any] | None:
    """Bars of density: their start and width, heights, and the share of the rows outside."""
    if bins is None:
        return None
    axis = bins.axes[0]
    window = window_of(bins.weights, BARS)
    bars, first = grouped(bins.weights, 0, axis.first, window)
    total, width = float(bins.weights.sum()), float(np.ldexp(window[2], axis.exponent or 0))
    return {
        "start": first * width,
        "width": width,
        "heights": np.round(bars / total / width * 1e12 * width) / 1e12 / width,
        "outside": max(0.0, 1.0 - float(bars.sum()) / total),
    }


def counted(values: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    """Bars of probability for values that are counted."""
    low, high = int(values[0]), int(values[-1])
    running = np.cumsum(weights) / weights.sum()
    if high - low >= BARS:
        low, high = (int(v) for v in values[np.searchsorted(running[:-1], [TAIL, 1.0 - TAIL])])
    group = max(1, -(-(high - low + 1) // BARS))
    bars = np.zeros(-(-(high - low + 1) // group))
    inside = (values >= low) & (values <= high)
    np.add.at(bars, ((values[inside] - low) // group).astype(int), weights[inside])
    total = float(weights.sum())
    return {
        "start": low - 0.5,
        "width": group,
        "heights": bars / total / group,
        "outside": max(0.0, 1.0 - float(bars.sum()) / total),
        "counted": True,
    }


def heat(grid: Bins) -> dict[str, Any]:
    """Cells of a histogram of two columns: places, widths, and weights row by row."""
    windows = [window_of(grid.weights.sum(axis=1 - k), CELLS[k]) for k in (0, 1)]
    cells, x = grouped(grid.weights, 0, grid.axes[0].first, windows[0])
    cells, y = grouped(cells, 1, grid.axes[1].first, windows[1])
    widths = [float(np.ldexp(w[2], a.exponent or 0)) for w, a in zip(windows, grid.axes, strict=True)]
    total = float(grid.weights.sum())
    whole = bool((cells == np.floor(cells)).all())
    return {
        "x": [x * widths[0], widths[0], cells.shape[0]],
        "y": [y * widths[1], widths[1], cells.shape[1]],
        "cells": [int(v) if whole else float(f"{v:.4g}") for v in cells.T.ravel().tolist()],
        "outside": max(0.0, 1.0 - float(cells.sum()) / total),
    }


def scatter(rows: np.ndarray, x: int, y: int) -> list[list[float]]:
    return [[float(f"{row[x]:.6g}"), float(f"{row[y]:.6g}")] for row in rows[:MOST_POINTS]]
