"""Paths: Parquet, Arrow IPC and CSV by polars, .npy by NumPy; one file, a list, a glob or a directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import ArrayReader
from fastmle.sources.base import Reader, guarded
from fastmle.sources.forked import refuse_after_fork
from fastmle.sources.paths import expand, is_stream, kind_of

HEAD_ROWS = 10_000  # of a CSV: they decide the types
NULL_WORDS = ["NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "null", "NULL", "None"]  # in a CSV, besides the empty field


def open_files(data: Any) -> Reader:
    several = isinstance(data, (list, tuple))
    parts = [os.fspath(part) for part in (data if several else [data])]
    try:
        paths = [path for part in parts for path in expand(os.path.expanduser(part))]
    except DataError as error:
        if not several:
            raise
        raise DataError(f"{error} (text in a list is taken for paths; values are given as an array)") from None
    kinds = {kind_of(path) for path in paths}
    if len(kinds) > 1:
        raise DataError(f"files of different kinds cannot be read as one: {', '.join(sorted(kinds))}")
    kind = kinds.pop()
    name = Path(parts[0]).name or parts[0]
    description = name if len(paths) == 1 else f"{name} ({len(paths)} files)"
    if kind == "npy":
        return open_npy(paths, description)
    return open_table(paths, kind, description)


def open_npy(paths: Sequence[str], description: str) -> Reader:
    if len(paths) > 1:
        raise DataError(f"{description}: pass one .npy file, or a callable that opens one after the other")
    try:
        values = np.load(paths[0], mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{paths[0]} cannot be read: {error}") from error
    return ArrayReader(values, description=description)


def open_table(paths: Sequence[str], kind: str, description: str) -> Reader:
    refuse_after_fork()
    try:
        polars: Any = import_module("polars")
    except ImportError as error:
        raise DataError("reading files needs the extra 'files': pip install 'fastmle[files]'") from error
    from fastmle.sources.polars_ import LazyReader

    for path in paths:
        if "://" in path:
            continue
        if not os.access(path, os.R_OK):
            raise DataError(f"{path} cannot be read: permission denied")
        if kind == "ipc" and is_stream(path):
            raise DataError(f"{path} is an Arrow stream, not a file: pass lambda: pyarrow.ipc.open_stream({path!r})")
    files = list(paths)
    separator = "\t" if kind == "tsv" else ","
    scan = {"parquet": partial(_scan_parquet, polars), "ipc": partial(polars.scan_ipc, glob=False)}.get(
        kind, partial(_scan_csv, polars, separator=separator)
    )
    place = partial(_culprit, scan, files)
    query = guarded(place, lambda: scan(files))
    if kind in ("csv", "tsv"):
        floats = guarded(place, lambda: _as_floats(polars, scan, files))
        query = guarded(place, lambda: scan(files, schema_overrides=floats))
    return LazyReader(query, description, place=place, count_rows=kind in ("parquet", "ipc"))


def _scan_csv(polars: Any, files: Sequence[str], **options: Any) -> Any:
    return polars.scan_csv(
        files, glob=False, infer_schema_length=HEAD_ROWS, null_values=NULL_WORDS, **options
    )


def _as_floats(polars: Any, scan: Callable[..., Any], files: Sequence[str]) -> dict[str, Any]:
    """Whole numbers, or nothing, at a file's head say nothing about its middle, nor about other files: read these as floats."""
    schema = scan(files).collect_schema()
    names = [name for name, dtype in schema.items() if dtype.is_integer()]
    texts = [name for name, dtype in schema.items() if dtype == polars.String]
    for file in files:  # none has text in the columns that are left
        if not texts:
            break
        query = scan([file])
        kinds = query.collect_schema()
        empty = query.head(HEAD_ROWS).select(polars.selectors.by_name(texts).is_null().all()).collect()
        texts = [name for name in texts if kinds[name].is_numeric() or empty[name][0]]
    return dict.fromkeys(names + texts, polars.Float64)


def _scan_parquet(polars: Any, files: Sequence[str]) -> Any:
    """Numbers may be of several types in the files; columns that are not wanted may be missing."""
    casts = polars.ScanCastOptions(integer_cast=["upcast", "allow-float"], float_cast="upcast")
    hive = len(files) > 1 and any("=" in part for path in files for part in Path(path).parent.parts)
    options = {"glob": False, "hive_partitioning": hive, "extra_columns": "ignore"}
    return polars.scan_parquet(files, schema=_widened(polars, files), cast_options=casts, **options)


def _widened(polars: Any, files: Sequence[str]) -> dict[str, Any] | None:
    """The first file's columns, as numbers that hold those of all files; None where its own types do."""
    if len(files) == 1 or any("://" in path for path in files):
        return None
    first, *others = [dict(polars.read_parquet_schema(path)) for path in files]
    wide = dict(first)
    for schema in others:
        for name in wide.keys() & schema.keys():
            wide[name] = _wider(polars, wide[name], schema[name])
    return None if wide == first else wide


def _wider(polars: Any, one: Any, two: Any) -> Any:
    """The type of numbers of both types; the first one where either is no number."""
    if one == polars.Null:
        return two
    if one == two or not (one.is_numeric() and two.is_numeric()) or one.is_decimal() or two.is_decimal():
        return one
    whole = polars.UInt64 not in (one, two) and one.is_integer() and two.is_integer()
    return polars.Int64 if whole else polars.Float64


def _culprit(scan: Callable[..., Any], files: Sequence[str]) -> str:
    """The first of the files whose head or foot cannot be read, or has other columns than the first, for the message."""
    first: dict[str, Any] = {}
    for path in files:
        try:
            found = dict(scan([path]).collect_schema())
        except Exception:  # noqa: BLE001  (the error itself is being reported already)
            return path
        first = first or found
        lacking = [name for name in first if name not in found]
        other = [name for name in first if name in found and found[name].is_numeric() != first[name].is_numeric()]
        if lacking:
            return f"{path}, which lacks the column {lacking[0]!r} of {files[0]},"
        if other:
            return f"{path}, whose column {other[0]!r} has type {found[other[0]]}, in {files[0]} {first[other[0]]},"
    return files[0] if len(files) == 1 else f"one of the {len(files)} files {files[0]} ..."
