"""Columns of text or of dictionaries as codes of their categories, found in one read; by polars."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from fastmle.errors import DataError
from fastmle.sources.files import open_files
from fastmle.sources.paths import is_path

MOST = 1 << 16  # categories


def coded(data: Any, column: Any, known: tuple[str, ...] = ()) -> tuple[Any, str | None, tuple[str, ...]]:
    """(data, column, categories): a query whose column holds codes, if the column is of text; else all as it was.

    The categories are the known ones, any other value having the code −1; or those that occur, in the order of their
    names. Raises DataError for more than 65,536 of them.
    """
    unchanged = data, column, ()
    query = _query_of(data)
    if query is None:
        return unchanged
    pl = import_module("polars")
    schema = query.collect_schema()
    name = next(iter(schema)) if column is None and len(schema) == 1 else column
    kind = schema.get(name) if isinstance(name, str) else None
    if kind is None or kind.base_type() not in (pl.String, pl.Categorical, pl.Enum):
        return unchanged
    text = pl.col(name).cast(pl.String)
    if known:
        codes = text.replace_strict(list(known), list(range(len(known))), default=-1, return_dtype=pl.Int32)
        return query.with_columns(pl.when(text.is_not_null()).then(codes).alias(name)), name, known
    found = query.select(text.unique().drop_nulls().sort()).collect(engine="streaming")[name].to_list()
    if len(found) > MOST:
        raise DataError(f"column {name!r} has {len(found)} categories, at most {MOST} are possible", column=name)
    codes = text.cast(pl.Enum(found)).to_physical().cast(pl.Int32)
    return query.with_columns(codes), name, tuple(found)


def _query_of(data: Any) -> Any:
    """The data as a polars query, where they may hold text; None otherwise."""
    text = getattr(getattr(data, "dtype", None), "kind", "") == "U"
    if not text and is_path(data):
        return getattr(open_files(data), "_query", None)
    kind = type(data).__module__.partition(".")[0]
    if kind == "polars" and hasattr(data, "collect_schema") and hasattr(data, "collect"):
        return data
    if text or isinstance(data, Mapping):
        pl = import_module("polars")
        return pl.DataFrame(data if isinstance(data, Mapping) else {"x": data}, strict=False).lazy()
    if hasattr(data, "__arrow_c_stream__"):
        return import_module("polars").DataFrame(data).lazy()
    return None
