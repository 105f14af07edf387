"""Plots against stored images, at tolerance, and what they take and say.

To draw them anew after a wanted change, and then to look at them: `FASTMLE_DRAW=1 pytest tests/test_plots.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy

import fastmle as fm

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
STORED = Path(__file__).parent / "data" / "plots"
TOLERANCE = 0.02  # mean difference of a pixel, of 1
RNG = np.random.default_rng(12)
N = 5000
X = RNG.gamma(2.5, 4.0, N)
Y = 3.0 + 0.5 * X + RNG.normal(0.0, 1.0 + 0.1 * X, N)
HITS = (RNG.random(N) < scipy.special.expit(0.4 * (X - 10.0))).astype(float)
GAMMA = fm.fit("gamma", {"minutes $ late": X}, column="minutes $ late", keep="bins")
LINEAR = fm.fit("linear", {"x": X, "y": Y}, target="y", features=["x"], keep="bins")
LOGISTIC = fm.fit("logistic", {"x": X, "hit": HITS}, target="hit", features=["x"], keep="bins")
PLOTS: dict[str, Callable[[Any], Any]] = {
    "density": lambda ax: GAMMA.plot(ax=ax),
    "counts": lambda ax: fm.fit("poisson", RNG.poisson(4.0, N)).plot(ax=ax),
    "qq": lambda ax: GAMMA.plot_qq(ax=ax),
    "pp": lambda ax: fm.fit("gaussian", X, keep="bins").plot_pp(ax=ax),
    "profile": lambda ax: fm.fit("gamma", X[:40]).plot_profile("shape", ax=ax),
    "residuals": lambda ax: LINEAR.plot_residuals(ax=ax),
    "residuals_of_data": lambda ax: LOGISTIC.plot_residuals({"x": X, "hit": HITS}, ax=ax, kind="pearson"),
    "line": lambda ax: LINEAR.plot(ax=ax),
    "mean": lambda ax: LOGISTIC.plot(ax=ax),
    "comparison": lambda ax: fm.compare(X, ["gamma", "weibull", "gaussian", "exponential"], keep="bins").plot(ax=ax),
    "trace": lambda ax: LOGISTIC.plot_trace(ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_as_it_was(name: str, tmp_path: Path) -> None:
    from matplotlib import image, pyplot

    global RNG
    RNG = np.random.default_rng(12)
    figure, ax = pyplot.subplots(figsize=(4.2, 3.0), dpi=70, layout="constrained")
    assert PLOTS[name](ax) is ax
    path = (STORED if os.environ.get("FASTMLE_DRAW") else tmp_path) / f"{name}.png"
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)
    drawn, stored = (np.asarray(image.imread(p))[..., :3] for p in (path, STORED / f"{name}.png"))
    assert drawn.shape == stored.shape and drawn.std() > 0.05
    if matplotlib.__version_info__ < (3, 11):
        pytest.skip("the stored pictures have the letters and margins of matplotlib 3.11")
    assert np.abs(drawn - stored).mean() < TOLERANCE
    # and another picture would be seen to be another
    assert np.abs(np.roll(drawn, 6, axis=1) - stored).mean() > TOLERANCE


def test_axes_are_made_where_none_are_given() -> None:
    from matplotlib import pyplot

    ax = GAMMA.plot()
    assert ax.get_xlabel() == r"minutes \$ late" and ax.figure is not None
    pyplot.close("all")


def test_kept_residuals_are_those_of_the_rows() -> None:
    """The mean residual of each bin of the feature, exactly: from the sums in the cells."""
    lines = [ax.get_lines()[1].get_xydata() for ax in (LINEAR.plot_residuals(), LINEAR.plot_residuals({"x": X, "y": Y}))]
    for line in lines:
        near = np.interp(LINEAR.params["intercept"] + LINEAR.params["x"] * 8.0, *np.asarray(line).T)
        assert abs(near) < 0.25
    weights = LINEAR.kept.bins[0].weights
    x, y = LINEAR.kept.bins[0].sums.sum(axis=(1, 2)) / weights.sum()
    assert (x, y) == pytest.approx((X.mean(), Y.mean()), rel=1e-12)


def test_what_cannot_be_plotted_is_said() -> None:
    bare, several = fm.fit("gamma", X), fm.fit("linear", (np.stack([X, X**2], axis=1), Y), keep="bins")
    for act, what in (
        (bare.plot, "keep='bins'"),
        (bare.plot_qq, "keep='bins'"),
        (bare.plot_pp, "keep='bins'"),
        (bare.plot_trace, "closed form"),
        (bare.plot_residuals, "of regressions"),
        (several.plot_residuals, "one more pass"),
        (several.plot, "one feature"),
        (fm.fit("poisson", [1, 2, 3]).plot_qq, "keep='bins'|continuous"),
        (fm.compare(X, ["gamma"]).plot, "keep='bins'"),
        (lambda: fm.fit("weibull", X).plot_profile("shape"), "wald"),
    ):
        with pytest.raises(fm.FamilyError, match=what):
            act()
