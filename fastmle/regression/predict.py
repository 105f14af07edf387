"""Predictions and residuals of a fitted regression, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import FamilyError
from ..family import Vector
from ..sources import Source
from .design import Roles, features_only, open_design
from .result import Prediction, RegressionFit

KINDS = ("response", "pearson", "deviance", "working")


def linear_predictor(fit: RegressionFit, chunk: tuple[np.ndarray, ...], roles: tuple[str, ...]) -> Vector:
    """η = Xβ + offset + log exposure."""
    features = fit.model.features
    eta = np.full(chunk[0].size, float(fit.params["intercept"]) if fit.model.intercept else 0.0)
    for name, column in zip(features, chunk, strict=False):
        if name not in fit.model.dropped:
            eta += fit.params[name] * np.asarray(column, np.float64)
    for role, column in zip(roles, chunk[len(features) :], strict=False):
        if role == "offset":
            eta += column
        elif role == "exposure":
            eta += np.log(column)
    return eta


def features_of(fit: RegressionFit, data: Any, extra: Mapping[str, Any]) -> Source:
    """The features of the fit in other data, by its formula if it has one."""
    model = fit.model
    if model.formula is None:
        return features_only(data, model.features, dict(extra))
    from .formula import FormulaSource

    return FormulaSource(data, model.formula, dict(extra), model.levels or {}, False)


def predict(fit: RegressionFit, data: Any, interval: str | None, level: float, extra: Mapping[str, Any]) -> Any:
    if interval not in (None, "confidence", "prediction"):
        raise FamilyError(f"interval is None, 'confidence' or 'prediction', not {interval!r}")
    if interval == "prediction" and not fit.use_t:
        raise FamilyError("prediction intervals are for linear models: use interval='confidence'")
    model = fit.model
    source = features_of(fit, data, extra)
    means, halves = [], []
    for chunk in source.host_chunks():
        eta = linear_predictor(fit, chunk, source.roles)
        means.append(eta)
        if interval is not None:
            halves.append(_variance(fit, chunk))
    eta = np.concatenate(means) if means else np.empty(0)
    if interval is None:
        return model.mean(eta)
    variance = np.concatenate(halves)
    if interval == "prediction":
        if not np.isfinite(fit.measures.sigma):
            raise FamilyError("prediction intervals are for linear models: use interval='confidence'")
        variance = variance + fit.measures.dispersion
    half = fit._quantile(level) * np.sqrt(variance)
    ends = np.sort([model.mean(eta - half), model.mean(eta + half)], axis=0)
    return Prediction(model.mean(eta), ends[0], ends[1])


def _variance(fit: RegressionFit, chunk: tuple[np.ndarray, ...]) -> Vector:
    """xᵀ Cov x of each row."""
    model = fit.model
    columns = [np.asarray(c, np.float64) for f, c in zip(model.features, chunk, strict=False) if f not in model.dropped]
    x = np.stack(([np.ones(chunk[0].size)] if model.intercept else []) + columns)
    cov = fit.cov_params()
    if model.intercept and len(x) > 1 and (cov[1:, 1:].any()):
        # about the point where the mean is surest, so that large offsets do not cancel
        at = -np.linalg.lstsq(cov[1:, 1:], cov[1:, 0], rcond=None)[0]
        x = x - np.array([0.0, *at])[:, None]
        rest = cov[0, 0] - at @ cov[1:, 1:] @ at
        return np.asarray(np.einsum("ij,ij->j", x[1:], cov[1:, 1:] @ x[1:]) + max(rest, 0.0))
    return np.asarray(np.einsum("ij,ij->j", x, cov @ x))


def residuals(fit: RegressionFit, data: Any, kind: str, target: Any, extra: Mapping[str, Any]) -> Vector:
    return np.concatenate([residual for _, residual in means_and_residuals(fit, data, kind, target, extra)])


def means_and_residuals(
    fit: RegressionFit, data: Any, kind: str, target: Any, extra: Mapping[str, Any]
) -> Iterator[tuple[Vector, Vector]]:
    """Both of the rows of each chunk."""
    if kind not in KINDS:
        raise FamilyError(f"residuals are {', '.join(KINDS)}, not {kind!r}")
    model = fit.model
    pair = isinstance(data, tuple)
    features = None if pair else list(model.features)
    roles = Roles(target=target if pair else target if target is not None else model.target, features=features, **extra)
    if model.formula is None:
        source = open_design(data, roles)
    else:
        from .formula import FormulaSource

        source = FormulaSource(data, model.formula, dict(extra), model.levels or {}, True)
    k = len(model.features)
    for chunk in source.host_chunks():
        y = np.asarray(chunk[k], np.float64)
        eta = linear_predictor(fit, (*chunk[:k], *chunk[k + 1 :]), source.roles[1:])
        mu = model.mean(eta)
        if kind == "response":
            yield mu, y - mu
        elif kind == "pearson":
            yield mu, (y - mu) / np.sqrt(model.variance(mu))
        elif kind == "working":
            yield mu, (y - mu) / model.mean_slope(eta)
        else:
            yield mu, np.sign(y - mu) * np.sqrt(np.maximum(model.unit_deviance(y, mu), 0.0))
