"""The log-likelihood at given parameters: from data in one fused pass, or from a state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from .errors import FamilyError
from .families import family_class, family_of
from .family import Family
from .request import Nulls, WeightKind, mapping_of, passes_over
from .states import State
from .values import short


def loglik(
    family: str | Family,
    data: Any,
    params: Mapping[str, Any] | None = None,
    *,
    column: str | int | None = None,
    columns: Sequence[str | int] | None = None,
    weights: Any = None,
    weight_kind: WeightKind = "frequency",
    nulls: Nulls = "raise",
    threads: int | None = None,
    device: str = "cpu",
    chunk_rows: int | None = None,
    **more: Any,
) -> float:
    """Σ w log p(x; params) in one fused pass, with no temporary as long as the data: `loglik("gaussian", x, mu=0, sigma=1)`.

    Parameters as keywords or as a mapping. −inf if a row lies outside the support. Raises FamilyError for parameters
    outside their space, DataError for nulls and infinities.
    """
    return _loglik_and_n(
        family, data, params, column=column, columns=columns, weights=weights, weight_kind=weight_kind, nulls=nulls,
        threads=threads, device=device, chunk_rows=chunk_rows, **more,
    )[0]  # fmt: skip


def nll(family: str | Family, data: Any, params: Mapping[str, Any] | None = None, **options: Any) -> float:
    """The mean negative log-likelihood, −loglik/n, +inf if a row lies outside the support; options as for `loglik`."""
    value, n = _loglik_and_n(family, data, params, **options)
    return math.inf if value == -math.inf else -value / n


def _loglik_and_n(
    family: str | Family, data: Any, params: Mapping[str, Any] | None, *,
    column: Any = None, columns: Any = None, weights: Any = None, weight_kind: str = "frequency", nulls: str = "raise",
    threads: int | None = None, device: str = "cpu", chunk_rows: int | None = None, **more: Any,
) -> tuple[float, float]:  # fmt: skip
    values = {**mapping_of(params, "params"), **more}
    constants = {} if not isinstance(family, str) else {n: values.pop(n) for n in constants_of(family) if n in values}
    chosen, passes = passes_over(
        family_of(family, **constants), data, column=column, columns=columns, weights=weights, weight_kind=weight_kind,
        nulls=nulls, threads=threads, device=device, chunk_rows=chunk_rows, named=values,
    )  # fmt: skip
    theta = chosen.unpack(values)
    check_theta(chosen, theta)
    at = None if chosen.one_pass else chosen.row_theta(theta)
    passes.options = replace(passes.options, outside="count")
    state = passes.run(chosen.loglik_terms, at)
    return loglik_of(chosen, state, values), math.nan if state.outside else float(state.sums().n)


def constants_of(family: str) -> list[str]:
    """The names of a registered family's constants."""
    return [field.name for field in fields(family_class(family))]  # type: ignore[arg-type]


def check_theta(family: Family, theta: Any) -> None:
    """Raise FamilyError for parameters outside their space."""
    if not np.isfinite(theta).all() or not family.valid(theta):
        said = ", ".join(f"{k} = {short(v)}" for k, v in family.pack(theta).items())
        raise FamilyError(f"{family.name}: {said} lies outside the parameter space")


@np.errstate(all="ignore")
def loglik_of(family: Family, state: State, values: Mapping[str, Any]) -> float:
    """The log-likelihood at given parameters from a state."""
    theta = family.unpack(dict(values))
    check_theta(family, theta)
    if state.outside:
        return -math.inf
    s = state.sums()
    bonus = 0.5 * s.log_weight if state.options.weighted and state.options.weight_kind == "precision" else 0.0
    return float(family.loglik(s, theta)) + bonus
