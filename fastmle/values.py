"""Named values of a fit, as text for reading and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .errors import DataError


class Params(Mapping[str, Any]):
    """An ordered mapping of names to values, also by attribute: `p["mu"]`, `p.mu`, `dict(p)`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for before there are values: by pickle and copy
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        raise AttributeError(f"no parameter {name!r}; there are {', '.join(self._values)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "Params(" + ", ".join(f"{k}={short(v)}" for k, v in self._values.items()) + ")"


def short(value: Any, digits: int = 6) -> str:
    """A number, or an array of them, for reading."""
    if np.ndim(value):
        shown = np.array2string(np.asarray(value), separator=", ", formatter={"float_kind": lambda v: f"{v:.{digits}g}"})
        return " ".join(shown.split())
    return f"{value:.{digits}g}"


def points(x: Any, columns: tuple[str, ...]) -> Any:
    """Numbers as floats, nulls NaN: of any shape, or these columns of a frame; of several columns, one a row."""
    if columns and (isinstance(x, Mapping) or hasattr(x, "columns")):
        names = {str(name): name for name in getattr(x, "column_names", getattr(x, "columns", x))}
        for name in columns:
            if name not in names:
                raise DataError(f"no column {name!r}; there are {', '.join(names)}")
        parts = [points(x[names[name]], ()) for name in columns]
        x = parts[0] if len(parts) == 1 else np.stack(parts, axis=-1)
    try:
        kind = np.asarray(x).dtype
        if kind.kind not in "biufO":
            raise TypeError(f"they are of type {kind}")
        found = np.ma.filled(np.ma.asarray(x, float), np.nan) if isinstance(x, np.ma.MaskedArray) else np.asarray(x, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"these are no numbers: {error}") from error
    if len(columns) > 1 and (found.ndim == 0 or found.shape[-1] != len(columns)):
        raise DataError(f"a row has {len(columns)} columns ({', '.join(columns)}); these are of shape {found.shape}")
    return found


def to_json(value: Any) -> Any:
    """Numbers and arrays JSON-safe: NaN becomes null, infinities the strings "inf" and "-inf"."""
    if isinstance(value, Mapping):
        return {k: to_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [to_json(v) for v in value]
    if isinstance(value, (float, np.floating)):
        v = float(value)
        return None if math.isnan(v) else v if math.isfinite(v) else str(v)
    if isinstance(value, np.integer):
        return int(value)
    return value


def from_json(value: Any) -> Any:
    """The inverse of `to_json` for numbers: null is NaN."""
    if isinstance(value, Mapping):
        return {k: from_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [from_json(v) for v in value]
    return math.nan if value is None else float(value)
