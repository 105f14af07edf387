"""What a page needs of a regression: the sums of one feature and the target, their histogram, points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

from ..errors import FamilyError
from ..regression.result import RegressionFit
from ..states.bins import Bins
from . import pictures

NEAR = 5.0  # standard errors
WIDE = 2.5  # residual standard deviations
GROUPS = 40  # of a feature, whose shares of ones are shown


def _chosen(fit: RegressionFit, feature: str | None) -> tuple[int, str]:
    """The place of the feature whose slope moves, and its name."""
    model = fit.model
    kept = [f for f in model.features if f not in model.dropped]
    name = kept[0] if feature is None and kept else feature
    if name not in kept:
        raise FamilyError(f"no feature {feature!r} to explore; there are {', '.join(kept)}")
    if fit.fixed:
        raise FamilyError(f"this fit cannot be explored: {', '.join(fit.fixed)} is held")
    return model.features.index(name), str(name)


def _grid(fit: RegressionFit, at: int) -> Bins | None:
    kept = fit.kept
    return None if kept is None or at >= len(kept.bins) or kept.bins[at].empty else kept.bins[at]


def _coefficients(fit: RegressionFit, name: str, scale: float, mean: float, spread: float) -> list[dict[str, Any]]:
    """Sliders of intercept and slope, as wide as the likelihood's hills."""
    errors = fit.bse
    half = {"intercept": WIDE * scale * math.hypot(1.0, mean / spread), name: WIDE * scale / spread}
    names = (["intercept"] if fit.model.intercept else []) + [name]
    return [
        {
            "name": n, "role": "intercept" if n == "intercept" and i == 0 and len(names) == 2 else "slope", "domain": "real",
            "best": fit.params[n], "error": errors[n], "wide": (fit.params[n] - half[n], fit.params[n] + half[n]),
            "near": (fit.params[n] - NEAR * errors[n], fit.params[n] + NEAR * errors[n]),
        }
        for i, n in enumerate(names)
    ]  # fmt: skip


def _page(fit: RegressionFit, kind: str, at: int, name: str, params: Any, sums: Any) -> dict[str, Any]:
    model, kept = fit.model, fit.kept
    names = list(model.names)
    places = [names.index(n) for n in (["intercept"] if model.intercept else []) + [name]]
    points = None if kept is None or kept.points is None else pictures.scatter(kept.points.rows, at, len(model.features))
    others = [f for f in model.features if f != name and f not in model.dropped]
    return {
        "kind": kind, "title": f"{model.target} ~ {name}", "what": f"{model.name} regression", "x": name, "y": model.target,
        "others": others, "n": fit.nobs, "params": params, "cov": fit.cov_params()[np.ix_(places, places)], "sums": sums,
        "points": points, "n_points": 0 if points is None else len(points),
    }  # fmt: skip


def linear(fit: RegressionFit, feature: str | None) -> dict[str, Any]:
    """NLL(a, b, σ) = ½ [factor log 2πσ² + (rss + ratio ((Δa + m Δb)² + v Δb²))/σ²] + shift, Δ from the estimates."""
    at, name = _chosen(fit, feature)
    if fit.least is None or fit.least.sums is None:
        raise FamilyError("this fit cannot be explored: it holds no sums")
    least, s, n, sigma = fit.least, fit.least.sums, fit.nobs, fit.measures.sigma
    means = s.center + s.first / s.weight / s.per
    j = at
    mean, variance = float(means[j]), float((s.second[j, j] - s.first[j] ** 2 / s.weight) / s.weight / s.per[j] ** 2)
    divisor = s.weight if fit.weight_kind == "sampling" else n
    rest = sum(fit.params[f] * means[i] for i, f in enumerate(fit.model.features) if f != name and f not in fit.model.dropped)
    params = _coefficients(fit, name, sigma, mean, math.sqrt(variance))
    error = sigma / math.sqrt(2.0 * n)
    params.append({
        "name": "sigma", "role": "sigma", "domain": "positive", "best": sigma, "error": error, "wide": (0.3 * sigma, 2.6 * sigma),
        "near": (max(sigma - NEAR * error, 0.5 * sigma), sigma + NEAR * error),
    })  # fmt: skip
    sums = {
        "mean": mean, "variance": variance, "rss": least.rss / n, "ratio": s.weight / n, "factor": divisor / n, "rest": rest,
        "shift": -0.5 * least.log_weight / n if fit.weight_kind == "precision" else 0.0, "intercept": fit.model.intercept,
        "target": float(means[-1]),
    }  # fmt: skip
    made = _page(fit, "linear", at, name, params, sums)
    grid = _grid(fit, at)
    return made | {"heat": None if grid is None else pictures.heat(grid), "beside": {"offset": None}}


def logistic(fit: RegressionFit, feature: str | None) -> dict[str, Any]:
    """NLL(a, b) = Σ_c w_c log(1 + e^{a + b x_c})/n − a ȳ − b mean(xy), with cells c of x and the mean x_c in each."""
    at, name = _chosen(fit, feature)
    grid = _grid(fit, at)
    if len(fit.model.features) > 1 or grid is None or getattr(fit.model, "link_name", "") != "logit":
        raise FamilyError("a logistic page is for one feature, the logit link, and a fit with keep='bins'")
    if set(fit.columns) - {*fit.model.features, fit.model.target}:
        raise FamilyError("a logistic page is for fits without offset and trials")
    weights, (x_sums, y_sums) = grid.weights, grid.sums
    m, x, hits = weights.sum(axis=1), x_sums.sum(axis=1), y_sums.sum(axis=1)
    share = _ratio(y_sums, weights)
    n, used = float(m.sum()), m > 0.0
    centers = x[used] / m[used]
    mean = float(x.sum()) / n
    spread = math.sqrt(float((m[used] * (centers - mean) ** 2).sum()) / n)
    sums = {
        "x": centers, "w": m[used] / n, "y": float(hits.sum()) / n, "xy": float((x_sums * share).sum()) / n,
        "mean": mean, "variance": spread * spread, "factor": n / fit.nobs, "intercept": fit.model.intercept, "rest": 0.0,
    }  # fmt: skip
    p = _ratio(hits, m)[used]
    entropy = -float(m[used] @ (scipy.special.xlogy(p, p) + scipy.special.xlog1py(1.0 - p, -p))) / n
    params = _coefficients(fit, name, 2.0, mean, spread)
    made = _page(fit, "logistic", at, name, params, sums)
    beside = {"offset": -entropy * n / fit.nobs, "exact": False, "method": f"estimate over {centers.size} groups of {name}"}
    return made | {"approximate": True, "shares": _shares(m, hits, grid), "beside": beside}


def _shares(m: np.ndarray, hits: np.ndarray, grid: Bins) -> dict[str, Any]:
    """The share of ones over groups of x."""
    axis, total = grid.axes[0], float(m.sum())
    window = pictures.window_of(m, GROUPS)
    (bars, first), (ones, _) = (pictures.grouped(v, 0, axis.first, window) for v in (m, hits))
    width = float(np.ldexp(window[2], axis.exponent or 0))
    return {
        "start": first * width, "width": width, "share": _ratio(ones, bars), "weight": bars / total,
        "outside": max(0.0, 1.0 - float(bars.sum() / total)),
    }  # fmt: skip


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0.0).clip(0.0, 1.0))
