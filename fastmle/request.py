"""What a call asks for, checked: weights, nulls, threads, device, columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, Literal

import numpy as np

from .errors import DataError, FamilyError
from .family import Family, GramTerms
from .passes import Bar, Passes, Progress
from .pool import cores
from .sources import Source, open_source
from .sources.base import is_integer
from .states import Options
from .states.kept import Kept
from .text import with_text

WeightKind = Literal["frequency", "precision", "sampling"]
Nulls = Literal["raise", "drop"]
COLUMNS_A_CORE = 12  # 15 GFLOP/s of products a core against 10 GB/s of copying by way of pinned buffers


def reading_options(
    source: Source | None,
    family: Family | None,
    weighted: bool,
    weight_kind: str,
    nulls: str,
    threads: int | None,
    device: str = "cpu",
) -> Options:
    for given, known, name in (
        (weight_kind, ("frequency", "precision", "sampling"), "weight_kind"),
        (nulls, ("raise", "drop"), "nulls"),
    ):
        if not isinstance(given, str) or given not in known:
            raise FamilyError(f"{name} is one of {', '.join(known)}, not {given!r}")
    if threads is not None and (not is_integer(threads) or threads < 1):
        raise FamilyError(f"threads is a number of threads, not {threads!r}")
    check_device(device)
    names = source.names if source else ("x",)
    return Options(
        labels=names,
        weighted=weighted,
        weight_kind=weight_kind,  # type: ignore[arg-type]
        weight_label=source.labels[len(names)] if source and weighted else "weights",
        nulls=nulls,  # type: ignore[arg-type]
        support=family.terms.where if family else "",
        threads=int(threads or cores()),
        device=device_for(device, source, family),
    )


def passes_over(
    family: Family, data: Any, *,
    column: Any = None, columns: Any = None, weights: Any = None, weight_kind: str = "frequency", nulls: str = "raise",
    threads: int | None = None, device: str = "cpu", chunk_rows: int | None = None,
    progress: Progress | None = None, keep: bool = False, points: int = 0, named: Iterable[str] = (),
) -> tuple[Family, Passes]:  # fmt: skip
    """The family bound to the columns of the data, and the passes over these; `named` are parameters that are given."""
    family, data, column = with_text(family, data, column, named)
    source = open_source(data, wanted_columns(column, columns), {"weights": weights}, chunk_rows=chunk_rows)
    family = family.bind(source.names)
    options = reading_options(source, family, weights is not None, weight_kind, nulls, threads, device)
    check_weights(family, options)
    kept = Kept(family.pictured(len(source.names)), points) if keep else None
    return family, Passes(source, options, progress, kept)


def check_weights(family: Family, options: Options) -> None:
    if options.weighted and options.weight_kind == "precision" and not family.precision_weights:
        raise FamilyError(
            f"precision weights are not defined for {family.name}: it has no dispersion they could scale"
        )


def check_reopenable(name: str, source: Source) -> None:
    """Raise DataError for data that a fit of several passes would find empty at the second."""
    if not source.reopenable:
        raise DataError(
            f"{name} needs several passes, and {source.description} can be read only once: "
            "pass a callable that returns a fresh iterator of chunks"
        )


def check_keep(keep: Any, points: Any) -> None:
    if keep is not None and not (isinstance(keep, str) and keep == "bins"):
        raise FamilyError(f"keep is None or 'bins', not {keep!r}")
    if not is_integer(points) or points < 0 or (points and keep is None):
        raise FamilyError(f"points is a number of rows, and goes with keep='bins', not {points!r}")


def mapping_of(values: Any, name: str) -> dict[str, Any]:
    """The values of parameters by name, as an option of this name gives them; none for None."""
    if values is not None and not (isinstance(values, Mapping) and all(isinstance(key, str) for key in values)):
        raise FamilyError(f"{name} takes values by the names of parameters, {name}={{NAME: value}}, not {values!r}")
    return dict(values or {})


def progress_of(asked: bool | Progress | None) -> Progress | None:
    """Whom to tell how far the reading is: a bar for True."""
    if not (asked is None or isinstance(asked, bool) or callable(asked)):
        raise FamilyError(f"progress is True or a function of (rows, total, read), not {asked!r}")
    return Bar() if asked is True else asked or None


def check_level(level: Any) -> None:
    if not isinstance(level, Real) or not 0.0 < float(level) < 1.0:
        raise FamilyError(f"level must lie between 0 and 1, not {level}")


def generator_of(seed: Any) -> np.random.Generator:
    """What draws at random. Raises FamilyError if numpy cannot start with such a seed."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise FamilyError(f"seed is a whole number of at least 0 or a numpy Generator, not {seed!r}") from None


def check_device(device: str) -> None:
    if not isinstance(device, str) or device not in ("cpu", "auto", "cuda"):
        raise FamilyError(f"device is 'cpu', 'cuda' or 'auto', not {device!r}")
    if device == "cuda":
        from .kernels.cuda import why_not

        reason = why_not()
        if reason:
            raise FamilyError(f"device='cuda': {reason}; use device='cpu', or 'auto' to take what there is")


def device_for(asked: str, source: Source | None, family: Family | None) -> Literal["cpu", "cuda"]:
    """Where to compute: under "auto" on the GPU if the data lie there, or if a row of data in memory costs the processor
    more than its transfer would (README, section CUDA)."""
    if asked != "auto" or source is None:
        return "cuda" if asked == "cuda" else "cpu"
    squares = family is None or isinstance(family.terms, GramTerms)  # products of all pairs of columns
    heavy = squares and source.in_memory and len(source.names) > COLUMNS_A_CORE * cores()
    if not (source.on_device or heavy):
        return "cpu"
    from .kernels.cuda import why_not

    return "cpu" if why_not() else "cuda"


def wanted_columns(column: Any, columns: Any) -> Any:
    if column is not None and columns is not None:
        raise FamilyError("give column= or columns=, not both")
    wanted = column if column is not None else columns
    return [*map(_plain, wanted)] if hasattr(wanted, "__iter__") and not isinstance(wanted, str) else _plain(wanted)


def _plain(column: Any) -> Any:
    """A column's number as Python's own: a state keeps it, and is written as JSON."""
    return int(column) if isinstance(column, np.integer) else str(column) if isinstance(column, np.str_) else column
