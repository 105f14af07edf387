"""Several families on the same rows, ranked by AIC; those that one read decides share it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any, Literal

from .errors import DataError, FamilyError
from .estimate import fit_passes, fit_state
from .families import REGISTRY, family_class, family_of
from .family import Family, RowTerms, TableTerms, ends_terms
from .passes import Passes, Progress
from .regression.model import Regression
from .request import (
    Nulls,
    WeightKind,
    check_keep,
    check_weights,
    progress_of,
    reading_options,
    wanted_columns,
)
from .result import Fit
from .sources import Source, open_source
from .states import Options, new_state
from .states.kept import Kept
from .tables import html_table, text_table
from .text import with_text
from .values import short


class Comparison(list[Fit]):
    """Fits of several families to the same data, the best AIC first; those that found no maximum come last.

    A density is no probability, so of whole numbers the families of counts come first, and ΔAIC is told among each kind.
    """

    @property
    def table(self) -> list[dict[str, Any]]:
        """One dict a fit: family, params, llf, aic, bic, delta_aic, status."""
        best = {kind: min((_rank(f)[2] for f in self if f.family.discrete == kind), default=math.nan) for kind in (True, False)}
        return [
            {
                "family": f.family.name,
                "params": dict(f.params),
                "llf": f.llf,
                "aic": f.aic,
                "bic": f.bic,
                "delta_aic": None if f.aic is None else f.aic - best[f.family.discrete],
                "status": f.status,
            }
            for f in self
        ]

    def _cells(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("family", "log-lik", "AIC", "BIC", "ΔAIC", "status", "parameters")]
        for row in self.table:
            numbers = [row["llf"], row["aic"], row["bic"], row["delta_aic"]]
            shown = ["" if v is None else f"{v:.2f}" for v in numbers]
            params = ", ".join(f"{k}={short(v)}" for k, v in row["params"].items())
            rows.append((row["family"], *shown, row["status"], params))
        return rows

    def _note(self) -> str:
        mixed = len({f.family.discrete for f in self}) == 2
        return "probabilities before densities, which are in other units: ΔAIC is told among each kind" if mixed else ""

    def __repr__(self) -> str:
        return "\n".join(filter(None, [text_table(self._cells(), left=(0, 5, 6)), self._note()]))

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        columns = ", ".join(self[0].columns) if self else ""
        return html_table(rows, "; ".join(filter(None, [f"{columns}, the best AIC first", self._note()])), head)

    def plot(self, ax: Any = None) -> Any:
        """The best of the densities over the histogram (of `compare(..., keep="bins")`); returns the Axes. Needs matplotlib."""
        from .plots.density import plot_comparison

        return plot_comparison(self, ax)


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
    keep: Literal["bins"] | None = None,
) -> Comparison:
    """Fits of several families to the same rows, ranked by AIC; one-pass families share one read.

    families: names or objects, or "all": every registered family without constants whose support holds the data, but no
    density where all values are 0 or 1. Probabilities (families of counts) and densities are ranked apart: their
    likelihoods are in different units. A column of text is for `categorical`, the only one of "all" that takes it.
    Raises DataError if a named family cannot have produced the data.
    """
    everything = isinstance(families, str) and families == "all"
    if isinstance(families, (str, Family)) and not everything:
        families = [families]
    if not isinstance(families, Iterable):
        raise FamilyError(f"families are names or family objects in a list, or 'all', not {families!r}")
    candidates = [family_of(f) for f in (filter(_without_constants, REGISTRY) if everything else families)]
    for f in candidates:
        if isinstance(f, Regression):
            raise FamilyError(f"{f.name} is a regression, and distributions are compared: fit each and look at its aic")
    texts = [f for f in candidates if f.takes_text]
    if texts:
        coded, data, column = with_text(texts[0], data, column)
        if coded != texts[0]:
            others = [f.name for f in candidates if not f.takes_text]
            if others and not everything:
                raise FamilyError(f"{others[0]} takes numbers, and the column holds text")
            candidates = texts
        candidates = [coded if f.takes_text else f for f in candidates]
    source = open_source(data, wanted_columns(column, columns), {"weights": weights}, chunk_rows=chunk_rows)
    chosen = [f.bind(source.names) for f in candidates if not everything or _competes(f, source)]
    if not chosen:
        raise FamilyError("compare needs at least one family")
    base = reading_options(source, chosen[0], weights is not None, weight_kind, nulls, threads)
    if everything:
        chosen = [
            f
            for f in chosen
            if not (base.weighted and weight_kind == "precision" and not f.precision_weights)
        ]
    for f in chosen:
        check_weights(f, base)
    check_keep(keep, 0)
    shared = [f for f in chosen if f.one_pass]
    kept = None

    def passes_for(f: Family, options: Options) -> Passes:
        again = None if keep is None or kept is not None else Kept(f.pictured(len(source.names)))
        return Passes(source, options, bar, again)

    def options(f: Family) -> Options:
        where = f.terms.where
        return Options(**{**base.__dict__, "support": where, "outside": "count" if everything else "raise"})

    bar = progress_of(progress)
    fits = []
    if shared:
        passes = passes_for(shared[0], base)
        ends = [new_state(ends_terms, base)] if everything and len(source.names) == 1 else []
        states = passes.run_all([*ends, *(new_state(f.terms, options(f)) for f in shared)])
        low, high = (-ends[0].sums().minus_low, ends[0].sums().high) if ends else (math.nan, math.nan)
        kept = passes.kept
        held = [
            (f, state)
            for f, state in zip(shared, states[len(ends) :], strict=True)
            if not (state.outside or (ends and not f.on_the_line(low, high)))
        ]
        if ends and low >= 0.0 and high <= 1.0 and any(f.discrete for f, _ in held):
            held = [(f, state) for f, state in held if f.discrete]
            chosen = [f for f in chosen if f.discrete]
        fits = [fit_state(f, state, {}) for f, state in held]
    for f in chosen:
        if not f.one_pass:
            passes = passes_for(f, replace(options(f), outside="raise"))
            try:
                fits.append(fit_passes(f, passes, {}))
            except DataError:
                if not everything:
                    raise
                continue
            kept = kept or passes.kept
    for fit in fits:
        fit.kept = kept
    return Comparison(sorted(fits, key=_rank))


def _rank(fit: Fit) -> tuple[bool, bool, float]:
    unknown = fit.aic is None or math.isnan(fit.aic) or not fit.converged
    return unknown, not fit.family.discrete, math.inf if unknown or fit.aic is None else fit.aic


def _without_constants(name: str) -> bool:
    """Whether a family can be made by its name alone."""
    return all(field.default is not MISSING for field in fields(family_class(name)))  # type: ignore[arg-type]


def _competes(family: Family, source: Source) -> bool:
    """Whether a family is for these columns; one for several columns wants several."""
    try:
        bound = family.bind(source.names)
    except FamilyError:
        return False
    return isinstance(bound.terms, (RowTerms, TableTerms)) == (len(source.names) == 1)
