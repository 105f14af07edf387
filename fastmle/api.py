"""The thin API: choose the family and the source, run the passes, hand back the result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from .errors import ConvergenceError, DataError, FamilyError
from .estimate import check_weights, fit_passes, fit_state
from .families import REGISTRY, family_class, family_of
from .family import Family
from .passes import Bar, Passes, Progress
from .pool import cores
from .regression.design import Roles
from .regression.model import Regression
from .result import Fit, short
from .sources import Source, open_source
from .states import Options, State, new_state
from .states.bins import Bins
from .stats import SufficientStats

WeightKind = Literal["frequency", "precision", "sampling"]
Nulls = Literal["raise", "drop"]


def _options(
    source: Source | None,
    family: Family | None,
    weighted: bool,
    weight_kind: str,
    nulls: str,
    threads: int | None,
) -> Options:
    for given, known, name in (
        (weight_kind, ("frequency", "precision", "sampling"), "weight_kind"),
        (nulls, ("raise", "drop"), "nulls"),
    ):
        if given not in known:
            raise FamilyError(f"{name} is one of {', '.join(known)}, not {given!r}")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise FamilyError(f"threads is a number of threads, not {threads!r}")
    names = source.names if source else ("x",)
    return Options(
        labels=names,
        weighted=weighted,
        weight_kind=weight_kind,  # type: ignore[arg-type]
        weight_label=source.labels[len(names)] if source and weighted else "weights",
        nulls=nulls,  # type: ignore[arg-type]
        support=family.terms.where if family else "",
        threads=threads or cores(),
    )


def _check_device(device: str) -> None:
    if device not in ("cpu", "auto", "cuda"):
        raise FamilyError(f"device is 'cpu', 'cuda' or 'auto', not {device!r}")
    if device == "cuda":
        raise FamilyError("this version of fastmle has no CUDA kernels: use device='cpu'")


def _columns(column: Any, columns: Any) -> Any:
    if column is not None and columns is not None:
        raise FamilyError("give column= or columns=, not both")
    return column if column is not None else columns


def fit(
    family: str | Family,
    data: Any,
    *,
    column: str | int | None = None,
    columns: Sequence[str | int] | None = None,
    target: Any = None,
    features: Sequence[str | int] | None = None,
    formula: str | None = None,
    offset: Any = None,
    exposure: Any = None,
    trials: Any = None,
    cov: str = "model",
    cluster: Any = None,
    weights: Any = None,
    weight_kind: WeightKind = "frequency",
    nulls: Nulls = "raise",
    fixed: Mapping[str, Any] | None = None,
    threads: int | None = None,
    device: str = "cpu",
    strict: bool = False,
    chunk_rows: int | None = None,
    progress: bool | Progress | None = None,
    keep: Literal["bins"] | None = None,
    **constants: Any,
) -> Fit:
    """The exact maximum-likelihood fit of `family` to `data` of any size, with errors.

    family: a name ("gamma") or object (`fastmle.Binomial(n=10)`); a name takes its constants as keywords.
    data: an array, a frame, a file path or glob, an Arrow stream, a callable that returns chunks, ... read in chunks.
    column, columns: which; weights: a column name or one number a row; weight_kind: what they mean, "frequency" (a row
    counts w times), "precision" (variance σ²/w) or "sampling" (sandwich errors); nulls: "raise" or "drop" them.
    Regressions: target and features (or formula), or data=(X, y); offset, exposure, trials, cluster: a column or array;
    cov: "model", "HC0" .. "HC3" or "cluster". Their options (intercept, link, alpha, ...) are keywords too.
    fixed: parameters to hold; strict: raise ConvergenceError unless the status is "ok" or "nonregular";
    keep="bins": gather a small histogram in the same pass; progress: True or callable(rows, total, read).
    Raises DataError (with column and row) for data that cannot be, FamilyError for an unknown family or option.
    """
    _check_device(device)
    chosen = family_of(family, **constants)
    if keep not in (None, "bins"):
        raise FamilyError(f"keep is None or 'bins', not {keep!r}")
    bar = Bar() if progress is True else progress or None
    parts = {"target": target, "features": features, "formula": formula, "offset": offset, "exposure": exposure,
             "trials": trials, "cluster": cluster}  # fmt: skip
    if isinstance(chosen, Regression):
        if keep is not None or _columns(column, columns) is not None:
            raise FamilyError("column=, columns= and keep= are for distributions: a regression has target= and features=")

        def read(source: Source) -> Options:
            return _options(source, None, weights is not None, weight_kind, nulls, threads)

        check_weights(chosen, Options(weighted=weights is not None, weight_kind=weight_kind))
        roles = Roles(**parts, weights=weights, cov=cov, chunk_rows=chunk_rows, progress=bar, options=read)
        return judged(chosen.fit_data(data, roles, dict(fixed or {})), strict)
    given = [name for name, part in parts.items() if part is not None] + ["cov"] * (cov != "model")
    if given:
        raise FamilyError(f"{given[0]}= is for regressions, and {chosen.name} is a distribution")
    source = open_source(data, _columns(column, columns), {"weights": weights}, chunk_rows=chunk_rows)
    chosen = chosen.bind(source.names)
    options = _options(source, chosen, weights is not None, weight_kind, nulls, threads)
    check_weights(chosen, options)
    bins = Bins() if keep == "bins" else None
    passes = Passes(source, options, bar, bins)
    result = fit_passes(chosen, passes, dict(fixed or {}))
    result.bins = bins
    return judged(result, strict)


def judged(result: Fit, strict: bool) -> Fit:
    """The fit itself, or under `strict` an error for every status but "ok" and "nonregular"."""
    if strict and result.status not in ("ok", "nonregular"):
        raise ConvergenceError(f"{result.family.name}: {result.status}: {result.message}")
    return result


def suffstats(
    family: str | Family,
    *,
    column: str | int | None = None,
    columns: Sequence[str | int] | None = None,
    target: str | None = None,
    features: Sequence[str] | None = None,
    weight_kind: WeightKind = "frequency",
    nulls: Nulls = "raise",
    threads: int | None = None,
    keep: Literal["bins"] | None = None,
    **constants: Any,
) -> SufficientStats:
    """An empty mergeable state of a one-pass family: `update` it with chunks, add states with +, then `fit`.

    Linear models take target= and features=; without them each chunk is a pair (X, y).

    Raises FamilyError for families that need several passes.
    """
    options = _options(None, None, False, weight_kind, nulls, threads)
    chosen, wanted = family_of(family, **constants), _columns(column, columns)
    if target is not None or features is not None:
        if not isinstance(chosen, Regression) or wanted is not None or target is None or features is None:
            raise FamilyError("target= and features= belong together, and to regressions")
        wanted = [*features, target]
    return SufficientStats(chosen, options, wanted, keep)


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
    return _loglik(
        family,
        data,
        {**(params or {}), **more},
        _columns(column, columns),
        weights,
        weight_kind,
        nulls,
        threads,
        device,
        chunk_rows,
    )[0]


def nll(family: str | Family, data: Any, params: Mapping[str, Any] | None = None, **options: Any) -> float:
    """The mean negative log-likelihood, −loglik/n; options as for `loglik`."""
    value, n = _loglik_with_n(family, data, params, **options)
    return math.inf if value == -math.inf else -value / n


def _loglik_with_n(
    family: str | Family, data: Any, params: Mapping[str, Any] | None, **options: Any
) -> tuple[float, float]:
    known = {"columns": _columns(options.pop("column", None), options.pop("columns", None))}
    defaults = {
        "weights": None,
        "weight_kind": "frequency",
        "nulls": "raise",
        "threads": None,
        "device": "cpu",
        "chunk_rows": None,
    }
    known |= {name: options.pop(name, default) for name, default in defaults.items()}
    return _loglik(family, data, {**(params or {}), **options}, *known.values())


def _loglik(
    family: str | Family, data: Any, values: dict[str, Any], columns: Any, weights: Any,
    weight_kind: str, nulls: str, threads: int | None, device: str, chunk_rows: int | None,
) -> tuple[float, float]:  # fmt: skip
    _check_device(device)
    names = (
        []
        if isinstance(family, Family)
        else [n for n in getattr(family_class(family), "__annotations__", {}) if n in values]
    )
    constants = {n: values.pop(n) for n in names if n not in ("name",)}
    chosen = family_of(family, **constants)
    source = open_source(data, columns, {"weights": weights}, chunk_rows=chunk_rows)
    chosen = chosen.bind(source.names)
    options = _options(source, chosen, weights is not None, weight_kind, nulls, threads)
    check_weights(chosen, options)
    options = Options(**{**options.__dict__, "outside": "count"})
    theta = chosen.unpack(values)
    _check_theta(chosen, theta)
    at = None if chosen.one_pass else chosen.row_theta(theta)
    state = Passes(source, options).run(chosen.terms, at)
    return loglik_of(chosen, state, values), float(state.sums().n) if not state.outside else math.nan


def _check_theta(family: Family, theta: Any) -> None:
    if not np.isfinite(theta).all() or not family.valid(theta):
        raise FamilyError(
            f"{family.name}: {', '.join(f'{k} = {short(v)}' for k, v in family.pack(theta).items())} lies outside the parameter space"
        )


def loglik_of(family: Family, state: State, values: Mapping[str, Any]) -> float:
    """The log-likelihood at given parameters from a state."""
    theta = family.unpack(dict(values))
    _check_theta(family, theta)
    if state.outside:
        return -math.inf
    s = state.sums()
    bonus = 0.5 * s.log_weight if state.options.weighted and state.options.weight_kind == "precision" else 0.0
    return float(family.loglik(s, theta)) + bonus


class Comparison(list[Fit]):
    """Fits of several families to the same data, the best AIC first."""

    @property
    def table(self) -> list[dict[str, Any]]:
        """One dict a fit: family, params, llf, aic, bic, delta_aic, status."""
        best = min((f.aic for f in self if f.aic is not None and not math.isnan(f.aic)), default=math.nan)
        return [
            {
                "family": f.family.name,
                "params": dict(f.params),
                "llf": f.llf,
                "aic": f.aic,
                "bic": f.bic,
                "delta_aic": None if f.aic is None else f.aic - best,
                "status": f.status,
            }
            for f in self
        ]

    def __repr__(self) -> str:
        head = ("family", "log-lik", "AIC", "BIC", "ΔAIC", "status", "parameters")
        rows = [head]
        for row in self.table:
            numbers = [row["llf"], row["aic"], row["bic"], row["delta_aic"]]
            shown = ["" if v is None else f"{v:.2f}" for v in numbers]
            params = ", ".join(f"{k}={short(v)}" for k, v in row["params"].items())
            rows.append((row["family"], *shown, row["status"], params))
        widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
        left = (0, 5, 6)
        return "\n".join(
            "  ".join(
                c.ljust(w) if i in left else c.rjust(w)
                for i, (c, w) in enumerate(zip(r, widths, strict=True))
            ).rstrip()
            for r in rows
        )

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(repr(self))}</pre>"


def compare(
    data: Any,
    families: Sequence[str | Family] | Literal["all"],
    *,
    column: str | int | None = None,
    columns: Sequence[str | int] | None = None,
    weights: Any = None,
    weight_kind: WeightKind = "frequency",
    nulls: Nulls = "raise",
    threads: int | None = None,
    chunk_rows: int | None = None,
    progress: bool | Progress | None = None,
) -> Comparison:
    """Fits of several families to the same rows, ranked by AIC; one-pass families share one read.

    families: names or objects, or "all": every registered family of one column whose support holds the data.
    Raises DataError if a named family cannot have produced the data.
    """
    everything = isinstance(families, str) and families == "all"
    if isinstance(families, str) and not everything:
        families = [families]
    source = open_source(data, _columns(column, columns), {"weights": weights}, chunk_rows=chunk_rows)
    chosen: list[Family] = []
    for given in list(REGISTRY) if everything else families:
        if everything and not _fits_alone(str(given), source):
            continue
        chosen.append(family_of(given).bind(source.names))
    if not chosen:
        raise FamilyError("compare needs at least one family")
    base = _options(source, chosen[0], weights is not None, weight_kind, nulls, threads)
    if everything:
        chosen = [
            f
            for f in chosen
            if not (base.weighted and weight_kind == "precision" and not f.precision_weights)
        ]
    for f in chosen:
        check_weights(f, base)
    passes = Passes(source, base, Bar() if progress is True else progress or None)

    def options(f: Family) -> Options:
        where = f.terms.where
        return Options(**{**base.__dict__, "support": where, "outside": "count" if everything else "raise"})

    shared = [f for f in chosen if f.one_pass]
    fits = []
    if shared:
        states = passes.run_all([new_state(f.terms, options(f)) for f in shared])
        fits = [fit_state(f, state, {}) for f, state in zip(shared, states, strict=True) if not state.outside]
    for f in chosen:
        if not f.one_pass:
            try:
                fits.append(
                    fit_passes(
                        f,
                        Passes(
                            source, Options(**{**options(f).__dict__, "outside": "raise"}), passes.progress
                        ),
                        {},
                    )
                )
            except DataError:
                if not everything:
                    raise
    return Comparison(sorted(fits, key=lambda f: math.inf if f.aic is None or math.isnan(f.aic) else f.aic))


def _fits_alone(name: str, source: Source) -> bool:
    """Whether a family can be made for these columns without constants."""
    try:
        family_of(name).bind(source.names)
    except (FamilyError, TypeError):
        return False
    return len(source.names) == 1 or not family_class(name).discrete
