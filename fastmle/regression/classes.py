"""Targets of classes: text as codes, and the classes that occur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..sources import Source
from ..sources.categories import coded
from ..states import Options
from .design import Roles, usable

MOST = 256  # classes


def as_codes(model: Any, data: Any, roles: Roles) -> tuple[Any, Roles, tuple[float, ...]]:
    """(data, roles, values): the target as numbers, and the number of each of the model's classes (none yet: ())."""
    names: tuple[Any, ...] = ()
    if roles.formula is not None:  # its source makes the codes
        return data, replace(roles, classes=model.classes or None), ()
    if isinstance(data, tuple) and len(data) == 2 and roles.target is None:
        y, names = _codes(data[1])
        data = (data[0], y)
    elif isinstance(roles.target, str):
        numbers = isinstance(data, Mapping) and np.asarray(data.get(roles.target)).dtype.kind not in "OUS"
        data, _, names = (data, None, ()) if numbers else coded(data, roles.target)
    elif roles.target is not None:
        y, names = _codes(roles.target)
        roles = replace(roles, target=y)
    known = dict(zip(names, range(len(names)), strict=True))
    if names and model.classes:
        lost = [c for c in names if c not in model.classes]
        if lost:
            raise DataError(f"the target has the class {lost[0]!r}, which is none of {', '.join(map(str, model.classes))}")
        return data, roles, tuple(float(known.get(c, -1 - j)) for j, c in enumerate(model.classes))
    if any(isinstance(c, str) for c in model.classes):
        raise DataError(f"the classes are text ({model.classes[0]!r}, ...) and the target is numbers")
    if names:
        return data, replace(roles, classes=names), tuple(map(float, range(len(names))))
    return data, roles, tuple(map(float, model.classes))


def _codes(y: Any) -> tuple[Any, tuple[Any, ...]]:
    values = np.asarray(y) if not hasattr(y, "__array_interface__") else y
    if np.asarray(values).dtype.kind not in "OUS":
        return y, ()
    column = np.asarray(values)
    null = np.array([v is None or v != v for v in column.tolist()], bool)
    text = np.array([str(v) for v in column.tolist()])
    names, codes = np.unique(text[~null], return_inverse=True)
    out = np.full(column.size, np.nan)
    out[~null] = codes
    return out, tuple(names.tolist())


def classes_in(source: Source, options: Options) -> tuple[Any, ...]:
    """The values of the target in rows that count, in order. Raises DataError for one that is no whole number."""
    found: set[float] = set()
    at, row = len(source.names), 0
    label = source.labels[at]
    for chunk in source.host_chunks():
        keep = usable(chunk, options)
        y = np.asarray(chunk[at], float)
        new = np.unique(y[keep])
        part = new[new != np.rint(new)]
        if part.size:
            first = row + int(np.flatnonzero(keep & (y == part[0]))[0])
            raise DataError(f"column {label!r}, row {first}: the value is {part[0]:.17g}: classes are whole numbers or text",
                            column=label, row=first)  # fmt: skip
        found |= set(new.tolist())
        if len(found) > MOST:
            raise DataError(f"column {label!r} has more than {MOST} values: is it a target of classes?", column=label)
        row += y.size
    return tuple(int(v) for v in sorted(found))
