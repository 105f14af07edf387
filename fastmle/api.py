"""The thin API: choose the family and the source, run the passes, hand back the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from .errors import FamilyError
from .estimate import fit_passes, judged
from .families import family_of
from .family import Family
from .passes import Progress
from .regression import RegressionName
from .regression.design import Roles
from .regression.model import Regression
from .request import (
    Nulls,
    WeightKind,
    check_keep,
    check_weights,
    mapping_of,
    passes_over,
    progress_of,
    reading_options,
    wanted_columns,
)
from .result import Fit
from .sources import Source
from .states import Options
from .stats import SufficientStats

if TYPE_CHECKING:
    from .regression.result import RegressionFit


@overload
def fit(family: RegressionName | Regression, data: Any, **options: Any) -> RegressionFit: ...


@overload
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
    points: int = 0,
    **constants: Any,
) -> Fit: ...


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
    points: int = 0,
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
    keep="bins": gather small histograms in the same pass, for pictures; points: and so many rows drawn at random;
    progress: True or callable(rows, total, read).
    Raises DataError (with column and row) for data that cannot be, FamilyError for an unknown family or option.
    """
    chosen, held = family_of(family, fit.__kwdefaults__, **constants), mapping_of(fixed, "fixed")
    check_keep(keep, points)
    bar = progress_of(progress)
    parts = {"target": target, "features": features, "formula": formula, "offset": offset, "exposure": exposure,
             "trials": trials, "cluster": cluster}  # fmt: skip
    if isinstance(chosen, Regression):
        if wanted_columns(column, columns) is not None:
            raise FamilyError("column= and columns= are for distributions: a regression has target= and features=")

        def read(source: Source) -> Options:
            return reading_options(source, None, weights is not None, weight_kind, nulls, threads, device)

        check_weights(chosen, Options(weighted=weights is not None, weight_kind=weight_kind))
        roles = Roles(**parts, weights=weights, cov=cov, chunk_rows=chunk_rows, progress=bar, options=read)
        roles.keep = points if keep == "bins" else None
        return judged(chosen.fit_data(data, roles, held), strict)
    given = [name for name, part in parts.items() if part is not None] + ["cov"] * (cov != "model")
    if given:
        raise FamilyError(f"{given[0]}= is for regressions, and {chosen.name} is a distribution")
    chosen, passes = passes_over(
        chosen, data, column=column, columns=columns, weights=weights, weight_kind=weight_kind, nulls=nulls, threads=threads,
        device=device, chunk_rows=chunk_rows, progress=bar, keep=keep is not None, points=points,
    )  # fmt: skip
    result = fit_passes(chosen, passes, held)
    result.kept = passes.kept
    return judged(result, strict)


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
    points: int = 0,
    **constants: Any,
) -> SufficientStats:
    """An empty mergeable state of a one-pass family: `update` it with chunks, add states with +, then `fit`.

    Linear models take target= and features=; without them each chunk is a pair (X, y). weight_kind, nulls, keep and points
    are those of `fit`, for all chunks.
    Raises FamilyError for families that need several passes, and for an unknown family or option.
    """
    if "formula" in constants:
        raise FamilyError("a state takes columns, target= and features=, not a formula")
    options = reading_options(None, None, False, weight_kind, nulls, threads)
    chosen, wanted = family_of(family, suffstats.__kwdefaults__, **constants), wanted_columns(column, columns)
    if target is not None or features is not None:
        if not isinstance(chosen, Regression) or wanted is not None or target is None or not isinstance(features, Iterable):
            raise FamilyError("target= and features= belong together, and to regressions")
        wanted = wanted_columns(None, [*([features] if isinstance(features, str) else features), target])
    check_keep(keep, points)
    return SufficientStats(chosen, options, wanted, keep, points)
