"""Predictions and residuals of a fitted regression, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..family import Vector
from ..sources import Source
from .blocks import Block, coefficients_of, predictor_of
from .design import Roles, features_only, matrices, open_design
from .result import Prediction, RegressionFit

KINDS = ("response", "pearson", "deviance", "working")
WEIGHTED = ("pearson", "deviance")  # those whose squares add up to measures of the fit


def linear_predictor(fit: RegressionFit, chunk: tuple[np.ndarray, ...], source: Source, roles: tuple[str, ...]) -> Vector:
    """η = Xβ + offset + log exposure, of columns of `source` and then those of `roles`."""
    blocks, k = source.blocks, len(source.names)
    dense = k - len(blocks)
    eta = np.full(chunk[0].size, float(fit.params["intercept"]) if fit.model.intercept else 0.0)
    for name, column in zip(fit.model.features[:dense], chunk, strict=False):
        if name not in fit.model.dropped:
            eta += fit.params[name] * np.asarray(column, np.float64)
    beta = np.array([fit.params.get(name, 0.0) for block in blocks for name in block.columns])
    eta += predictor_of(blocks, chunk[dense:k], beta)
    for role, column in zip(roles, chunk[k:], strict=False):
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

    source = FormulaSource(data, model.formula, dict(extra), model.levels or {}, False, model.of_classes)
    found = coefficients_of(source)
    if found != model.features:
        strange = next((n for n in (*model.features, *found) if (n in found) != (n in model.features)), model.features[0])
        raise DataError(f"the formula makes other columns of these data than of those of the fit: {strange!r}")
    return source


def predict(fit: RegressionFit, data: Any, interval: str | None, level: float, extra: Mapping[str, Any]) -> Any:
    if interval not in (None, "confidence", "prediction"):
        raise FamilyError(f"interval is None, 'confidence' or 'prediction', not {interval!r}")
    if interval == "prediction" and not fit.use_t:
        raise FamilyError("prediction intervals are for linear models: use interval='confidence'")
    model = fit.model
    source = features_of(fit, data, extra)
    means, halves = [], []
    variance_of = _variance(fit, source.blocks) if interval is not None else None
    for chunk in source.host_chunks():
        eta = linear_predictor(fit, chunk, source, source.roles)
        means.append(eta)
        if variance_of is not None:
            halves.append(variance_of(chunk))
    eta = np.concatenate(means) if means else np.empty(0)
    if interval is None:
        return model.mean(eta)
    variance = np.concatenate(halves) if halves else np.empty(0)
    if interval == "prediction":
        if not np.isfinite(fit.measures.sigma):
            raise FamilyError("prediction intervals are for linear models: use interval='confidence'")
        variance = variance + fit.measures.dispersion
    half = fit._quantile(level) * np.sqrt(variance)
    return Prediction(model.mean(eta), *model.mean_range(eta - half, eta + half))


def _variance(fit: RegressionFit, blocks: tuple[Block, ...]) -> Callable[[tuple[np.ndarray, ...]], Vector]:
    """xᵀ Cov x of each row of a chunk."""
    model = fit.model
    dense = len(model.features) - sum(len(block.columns) for block in blocks)
    shown = model.shown
    k = int(shown.sum())  # without a negative binomial's theta
    cov, center = fit.cov_params()[:k, :k], np.zeros(shown.size)
    if model.intercept and fit.center is not None and fit.at_center is not None:
        center[shown] = fit.center
        cov[0] = cov[:, 0] = fit.at_center * fit.units[:k] * fit.units[0]

    root = None if fit.root is None else fit.root * fit.units[:k, None]

    def variance(chunk: tuple[np.ndarray, ...]) -> Vector:
        pieces = matrices(chunk, center[1 : 1 + dense], np.ones(dense), True, blocks)
        parts = (z[:, shown] for _, z in pieces)
        return np.concatenate([np.einsum("ij,ij->i", x @ cov, x) if root is None else np.sum((x @ root) ** 2, axis=1) for x in parts])

    return variance


def residuals(fit: RegressionFit, data: Any, kind: str, target: Any, extra: Mapping[str, Any]) -> Iterator[Vector]:
    return (residual for _, residual in means_and_residuals(fit, data, kind, target, extra))


def means_and_residuals(
    fit: RegressionFit, data: Any, kind: str, target: Any, extra: Mapping[str, Any]
) -> Iterator[tuple[Vector, Vector]]:
    """Both of the rows of each chunk."""
    if kind not in KINDS:
        raise FamilyError(f"residuals are {', '.join(KINDS)}, not {kind!r}")
    if fit.weight_kind == "precision" and kind in WEIGHTED and extra.get("weights") is None:
        raise FamilyError(f"the variance of a row is over its weight, and so is that of {kind} residuals: pass weights=")
    model = fit.model
    pair = isinstance(data, tuple)
    features = None if pair else list(model.features)
    roles = Roles(target=target if pair else target if target is not None else model.target, features=features, **extra)
    if model.formula is None:
        source = open_design(data, roles)
    else:
        from .formula import FormulaSource

        source = FormulaSource(data, model.formula, dict(extra), model.levels or {}, True)
    k = len(source.names)
    shape = float(fit.theta[-1])  # of the models that have one
    for chunk in source.host_chunks():
        y = np.asarray(chunk[k], np.float64)
        eta = linear_predictor(fit, (*chunk[:k], *chunk[k + 1 :]), source, source.roles[1:])
        mu = model.mean(eta)
        roles_of = dict(zip(source.roles, chunk[k:], strict=True))
        precision = roles_of.get("trials", 1.0) * np.asarray(roles_of.get("weights", 1.0))
        if kind == "response":
            yield mu, y - mu
        elif kind == "pearson":
            yield mu, (y - mu) * np.sqrt(precision / model.variance(mu, shape))
        elif kind == "working":
            yield mu, (y - mu) / model.mean_slope(eta)
        else:
            yield mu, np.sign(y - mu) * np.sqrt(np.maximum(precision * model.unit_deviance(y, mu, shape), 0.0))
