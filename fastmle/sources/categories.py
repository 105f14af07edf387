"""Columns of text or of dictionaries as codes of their categories, found in one read; by polars."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.base import guarded
from fastmle.sources.files import open_files
from fastmle.sources.memory import package_of
from fastmle.sources.paths import is_path

MOST = 1 << 16  # categories


def coded(data: Any, column: Any, known: tuple[str, ...] = ()) -> tuple[Any, str | None, tuple[str, ...]]:
    """(data, column, categories): the data with codes in place of the column, if it is of text; else all as it was.

    The categories are the known ones, any other value having the code −1; or those that occur, in the order of their
    names. Raises DataError for more than 65,536 of them, or fewer than two.
    """
    place = str(data) if is_path(data) else type(data).__name__
    return guarded(place, lambda: _coded(data, column, known))


def _coded(data: Any, column: Any, known: tuple[str, ...]) -> tuple[Any, str | None, tuple[str, ...]]:
    columns = _columns_of(data)
    if columns is None:
        found = _codes(_query_of(data), column, known)
        return found or (data, column, ())
    name = next(iter(columns)) if column is None and len(columns) == 1 else str(column)
    text = _text(columns.get(name))
    found = None if text is None else _codes(text.alias(name).to_frame().lazy(), name, known)
    return ({**columns, name: found[0].collect()}, *found[1:]) if found else (data, column, ())


def _codes(query: Any, column: Any, known: tuple[str, ...]) -> tuple[Any, str, tuple[str, ...]] | None:
    """The query with codes in place of the column, its name, and the categories; None unless it holds text."""
    if query is None:
        return None
    pl = import_module("polars")
    schema = query.collect_schema()
    name = next(iter(schema)) if column is None and len(schema) == 1 else column
    if not isinstance(name, str) or not _is_text(pl, schema.get(name)):
        return None
    values = pl.selectors.by_name(name)  # a name alone may be taken for a pattern
    text = values.cast(pl.String)
    if known:
        codes = text.replace_strict(list(known), list(range(len(known))), default=-1, return_dtype=pl.Int32)
        return query.with_columns(pl.when(values.is_not_null()).then(codes).alias(name)), name, known
    found = query.select(text.unique().drop_nulls().sort()).collect(engine="streaming")[name].to_list()
    if not 2 <= len(found) <= MOST:
        has = f"{len(found):,} categories" if len(found) > 1 else f"one category only, {found[0]!r}" if found else "no category"
        raise DataError(f"column {name!r} has {has}: from 2 to {MOST:,} are possible", column=name)
    return query.with_columns(text.cast(pl.Enum(found)).to_physical().cast(pl.Int32)), name, tuple(found)


def _is_text(pl: Any, dtype: Any) -> bool:
    return dtype is not None and dtype.base_type() in (pl.String, pl.Categorical, pl.Enum)


def _columns_of(data: Any) -> dict[str, Any] | None:
    """The columns of a dict or of a pandas frame by name, those of several columns named alike left out."""
    if isinstance(data, Mapping):
        return {str(name): values for name, values in data.items()}
    if package_of(data) != "pandas" or data.ndim != 2:
        return None
    names = [str(label) for label in data.columns]
    return {name: data.iloc[:, place] for place, name in enumerate(names) if names.count(name) == 1}


def _query_of(data: Any) -> Any:
    """The data as a polars query, where they may hold text; None otherwise."""
    if is_path(data):
        return getattr(open_files(data), "_query", None)
    if package_of(data) == "polars" and hasattr(data, "collect_schema") and hasattr(data, "collect"):
        return data
    text = _text(data)
    if text is not None:
        return text.to_frame().lazy()
    if hasattr(data, "__arrow_c_stream__") and not _alone(data):
        return import_module("polars").DataFrame(data).lazy()
    return None


def _text(values: Any) -> Any:
    """A column of text in memory as a polars Series; None for any other data."""
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "OT":
        values = values.tolist()
    if isinstance(values, np.ndarray):
        usable = values.ndim == 1 and values.dtype.kind == "U"
    elif isinstance(values, (list, tuple)):
        values = [None if isinstance(v, float) and v != v else v for v in values]
        usable = isinstance(next((v for v in values if v is not None), None), str)
    else:
        usable = _alone(values)
    if not usable:
        return None
    pl = import_module("polars")
    try:
        series = pl.Series(values)
    except ImportError:  # what polars takes of pandas only with pyarrow
        series = pl.Series([None if null else v for v, null in zip(values.tolist(), values.isna(), strict=True)])
    return series.alias(series.name or "x") if _is_text(pl, series.dtype) else None


def _alone(data: Any) -> bool:
    """Whether the data are one column of pandas, polars or pyarrow."""
    return package_of(data) in ("pandas", "polars", "pyarrow") and (hasattr(data, "dtype") or hasattr(data, "type"))
