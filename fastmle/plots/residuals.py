"""Residuals of a regression against its means: a histogram of both, and the mean of each column of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import FamilyError
from ..explorer import pictures
from ..regression.predict import means_and_residuals
from ..regression.result import RegressionFit
from ..states.bins import Bins
from . import MODEL, SOFT, axes
from .density import means_of_groups, show_heat


def plot_residuals(fit: Any, data: Any, ax: Any, kind: str, extra: Mapping[str, Any]) -> Any:
    if not isinstance(fit, RegressionFit):
        raise FamilyError("residuals are of regressions: see plot_qq() and gof()")
    bins = _kept(fit, kind) if data is None else Bins(2)
    if data is not None:
        target = extra.get("target")
        for mean, residual in means_and_residuals(fit, data, kind, target, {k: v for k, v in extra.items() if k != "target"}):
            bins.add([mean, residual])
    ax = axes(ax, f"mean of {fit.model.target}", f"{kind} residual")
    x, _ = show_heat(ax, pictures.heat(bins))
    weights, (first, second) = bins.weights.sum(axis=1), bins.sums.sum(axis=2)
    at, mean = means_of_groups(weights, first, second)
    seen = (at >= x[0]) & (at <= x[-1])
    ax.axhline(0.0, color=SOFT, linewidth=1.0)
    ax.plot(at[seen], mean[seen], "o-", color=MODEL, markersize=3.5, linewidth=1.2, label="mean residual")
    ax.legend(frameon=False)
    return ax


def _kept(fit: RegressionFit, kind: str) -> Bins:
    """The histogram of mean and residual, cell by cell from that of feature and target."""
    if fit.kept is None or len(fit.model.features) != 1 or set(fit.columns) != {*fit.model.features, fit.model.target}:
        raise FamilyError(
            "this needs one feature and its histogram with the target (fit with keep='bins'), or the data for one more pass: "
            "plot_residuals(data)"
        )
    if kind != "response":
        raise FamilyError(f"{kind} residuals need the data for one more pass: plot_residuals(data, kind={kind!r})")
    grid = fit.kept.bins[0]
    used = np.nonzero(grid.weights)
    w = grid.weights[used]
    x, y = (s[used] / w for s in grid.sums)  # the mean of each cell
    eta = (fit.params["intercept"] if fit.model.intercept else 0.0) + fit.params[fit.model.features[0]] * x
    mean = fit.model.mean(eta)
    made = Bins(2)
    made.add([mean, y - mean], w)
    return made
