"""Quantiles, probabilities, profile likelihood and the steps of a fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

from ..errors import FamilyError
from ..family import Vector
from ..profile import profile_fall, profile_of
from . import MODEL, SOFT, axes, histogram_of

MOST = 300  # points


def _shares(fit: Any) -> tuple[Vector, Vector, float]:
    """Edges inside the data, the share of the data below each (at most `MOST`), and the number of rows."""
    bins = histogram_of(fit)
    below = np.cumsum(bins.weights)[:-1] / bins.weights.sum()
    edges = bins.edges[1:-1]
    inside = np.flatnonzero((below > 0.0) & (below < 1.0) & (bins.weights[:-1] > 0.0))
    some = inside[np.unique(np.linspace(0, inside.size - 1, min(MOST, inside.size)).astype(int))]
    if fit.family.discrete:
        raise FamilyError("quantiles and probabilities are for continuous families: see plot() and gof()")
    return edges[some], below[some], float(fit.nobs)


def plot_qq(fit: Any, ax: Any) -> Any:
    """Points on the line are quantiles that agree; the band is the 95 % error of a quantile of n rows."""
    edges, p, n = _shares(fit)
    ax = axes(ax, f"quantiles of {fit.family.name}", f"quantiles of {fit.columns[0]}")
    error = 1.96 * np.sqrt(p * (1.0 - p) / n)
    x = fit.ppf(p)
    ax.fill_between(x, fit.ppf(np.clip(p - error, 0.0, 1.0)), fit.ppf(np.clip(p + error, 0.0, 1.0)), color=SOFT, alpha=0.2, linewidth=0)
    ax.axline((x[0], x[0]), slope=1.0, color=MODEL, linewidth=1.2)
    ax.plot(x, edges, ".", color="#1d4ed8", markersize=4)
    return ax


def plot_pp(fit: Any, ax: Any) -> Any:
    """Probabilities of the fit against shares of the data."""
    edges, p, _ = _shares(fit)
    ax = axes(ax, f"probability by {fit.family.name}", f"share of {fit.columns[0]}")
    ax.axline((0.0, 0.0), slope=1.0, color=MODEL, linewidth=1.2)
    ax.plot(fit.cdf(edges), p, ".", color="#1d4ed8", markersize=4)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, 1.0)
    return ax


def plot_profile(fit: Any, name: str, ax: Any, data: Any = None, reading: Any = None) -> Any:
    """2 (llf − profile llf), its parabola by the standard error, and where both pass the 95 % quantile of χ²(1)."""
    profile = profile_of(fit, 0.95, data, reading)
    low, high = fit.conf_int(0.95, "profile", data, **(reading or {}))[name]
    best, error = fit.params[name], fit.bse[name]
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        raise FamilyError(f"{name} has no profile to plot")
    x = np.linspace(best - 1.6 * (best - low), best + 1.6 * (high - best), 81)
    ax = axes(ax, name, "2 × fall of the log-likelihood")
    ax.plot(x, [2.0 * fall for fall in profile_fall(profile, name, x)], color=MODEL, linewidth=2.0, label="profile")
    if error > 0.0:
        ax.plot(x, ((x - best) / error) ** 2, "--", color=SOFT, linewidth=1.2, label="Wald")
    ax.axhline(float(scipy.special.chdtri(1.0, 0.05)), color=SOFT, linewidth=0.8)
    for end in (low, high):
        ax.axvline(end, color="#0f766e", linewidth=1.0, linestyle=":")
    ax.plot([], [], ":", color="#0f766e", label="95 % interval")
    ax.set_ylim(bottom=0.0)
    ax.legend(frameon=False)
    return ax


def plot_trace(fit: Any, ax: Any) -> Any:
    if not fit.trace:
        raise FamilyError(f"there are no steps to plot: this fit was found by {fit.fitted_by}")
    ax = axes(ax, "step", "standard errors from the maximum")
    norms = np.maximum([step.norm for step in fit.trace], 1e-16)
    ax.semilogy(np.arange(norms.size), norms, "o-", color=MODEL, linewidth=1.5)
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax
