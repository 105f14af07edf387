"""What a call asks for, checked: weights, nulls, threads, device, columns."""

from __future__ import annotations

from typing import Any, Literal

from .errors import FamilyError
from .family import Family
from .pool import cores
from .sources import Source
from .states import Options

WeightKind = Literal["frequency", "precision", "sampling"]
Nulls = Literal["raise", "drop"]


def reading_options(
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


def check_keep(keep: Any, points: Any) -> None:
    if keep not in (None, "bins"):
        raise FamilyError(f"keep is None or 'bins', not {keep!r}")
    if isinstance(points, bool) or not isinstance(points, int) or points < 0 or (points and keep is None):
        raise FamilyError(f"points is a number of rows, and goes with keep='bins', not {points!r}")


def check_device(device: str) -> None:
    if device not in ("cpu", "auto", "cuda"):
        raise FamilyError(f"device is 'cpu', 'cuda' or 'auto', not {device!r}")
    if device == "cuda":
        raise FamilyError("this version of fastmle has no CUDA kernels: use device='cpu'")


def wanted_columns(column: Any, columns: Any) -> Any:
    if column is not None and columns is not None:
        raise FamilyError("give column= or columns=, not both")
    return column if column is not None else columns
