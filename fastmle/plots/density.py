"""The fitted density over the histogram; several of them; a regression's mean over the histogram of two columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import FamilyError
from ..explorer import pictures
from ..regression.result import RegressionFit
from . import BARS, LINES, MODEL, axes, histogram_of, plain

GROUPS = 40


def bars_of(fit: Any) -> dict[str, Any]:
    """Bars of the data: from the counted values where the sums hold them, else from the bins."""
    table = fit.family.table(fit.sums) if fit.sums is not None else None
    if table is not None:
        return pictures.counted(*table)
    bins = histogram_of(fit)
    if fit.family.discrete and bins.axes[0].exponent <= 0:
        used = bins.weights > 0.0
        return pictures.counted(np.floor(bins.edges[:-1][used]), bins.weights[used])
    shown = pictures.histogram(bins)
    assert shown is not None
    return shown


def plot_density(fit: Any, ax: Any) -> Any:
    if isinstance(fit, RegressionFit):
        return plot_mean(fit, ax)
    if len(fit.columns) > 1:
        raise FamilyError(f"{fit.family.name} has several columns: there is no plot of it")
    bars = bars_of(fit)
    ax = axes(ax, fit.columns[0], "probability" if fit.family.discrete else "density")
    _bars(ax, bars)
    _curve(ax, fit, bars, MODEL, ", ".join(f"{k} = {v:.4g}" for k, v in fit.params.items()))
    ax.legend(frameon=False, title=fit.family.name)
    return ax


def plot_comparison(fits: Any, ax: Any, most: int = len(LINES)) -> Any:
    """The best of several fits over one histogram, with what each loses in AIC."""
    if not fits:
        raise FamilyError("there is no fit to plot")
    bars = bars_of(fits[0])
    ax = axes(ax, fits[0].columns[0], "probability" if fits[0].family.discrete else "density")
    _bars(ax, bars)
    for fit, row, color in list(zip(fits, fits.table, LINES, strict=False))[:most]:
        delta = "" if row["delta_aic"] is None else f"  ΔAIC {row['delta_aic']:,.1f}"
        _curve(ax, fit, bars, color, f"{fit.family.name}{delta}")
    ax.legend(frameon=False)
    return ax


def _bars(ax: Any, bars: dict[str, Any]) -> None:
    heights, width = np.asarray(bars["heights"]), bars["width"]
    ax.bar(bars["start"] + width * np.arange(heights.size), heights, width, align="edge", color=BARS, edgecolor="white", linewidth=0.4)
    ax.margins(x=0.01)


def _curve(ax: Any, fit: Any, bars: dict[str, Any], color: str, label: str) -> None:
    low, high = bars["start"], bars["start"] + bars["width"] * len(bars["heights"])
    if fit.family.discrete:
        x = np.arange(np.ceil(low), high)
        ax.plot(x, np.exp(fit.logpdf(x)), "o-", color=color, markersize=4, linewidth=0.8, label=label)
        return
    x = np.linspace(low, high, 600)
    y = np.exp(fit.logpdf(x))
    tallest = 1.6 * float(np.max(bars["heights"]))
    ax.plot(x, np.where(np.isfinite(y) & (y < 4.0 * tallest), y, np.nan), color=color, linewidth=2.0, label=label)
    ax.set_ylim(0.0, min(max(ax.get_ylim()[1], 1.05 * float(np.nanmax(np.where(np.isfinite(y), y, 0.0)))), tallest))


def plot_mean(fit: RegressionFit, ax: Any) -> Any:
    if len(fit.model.features) != 1 or fit.kept is None:
        raise FamilyError("this needs one feature and its histogram with the target: fit with keep='bins'")
    name, target = fit.model.features[0], fit.model.target
    ax = axes(ax, name, target)
    bins = fit.kept.bins[0]
    if fit.family.discrete:  # cells of 0 and 1 show little: the mean of each group of rows does
        at, mean = means_of_groups(bins.weights.sum(axis=1), *bins.sums.sum(axis=2))
        ax.plot(at, mean, "o", color="#1d4ed8", markersize=4, label="mean of equal shares of the rows")
        x = at
    else:
        x, _ = show_heat(ax, pictures.heat(bins))
    grid = np.linspace(x[0], x[-1], 400)
    eta = (fit.params["intercept"] if fit.model.intercept else 0.0) + fit.params[name] * grid
    ax.plot(grid, fit.model.mean(eta), color=MODEL, linewidth=2.0, label=plain(f"mean of {target}"))
    ax.legend(frameon=False)
    return ax


def means_of_groups(weights: np.ndarray, *sums: np.ndarray) -> list[np.ndarray]:
    """Means of about `GROUPS` neighbouring groups of bins of equal weight."""
    running = np.cumsum(weights) - weights / 2.0
    group = np.minimum((running / weights.sum() * GROUPS).astype(int), GROUPS - 1)
    w = np.bincount(group, weights, GROUPS)
    used = w > 0.0
    return [np.bincount(group, s, GROUPS)[used] / w[used] for s in sums]


def show_heat(ax: Any, heat: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Cells, darker the more rows, on a scale of logarithms; returns their edges."""
    edges = [first + width * np.arange(count + 1) for first, width, count in (heat["x"], heat["y"])]
    cells = np.array(heat["cells"], float).reshape(heat["y"][2], heat["x"][2])
    shade = np.where(cells > 0.0, np.log1p(cells), np.nan)
    ax.pcolormesh(*edges, shade, cmap="Blues", vmin=-0.25 * float(np.nanmax(shade)), rasterized=True)
    return edges[0], edges[1]
