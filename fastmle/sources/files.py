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
from fastmle.sources.paths import expand, kind_of

HEAD_ROWS = 10_000  # of a CSV: they decide the types
NULL_WORDS = ["NA", "N/A", "null", "NULL", "None"]  # in a CSV, besides the empty field; NaN is a number there


def open_files(data: Any) -> Reader:
    parts = [os.fspath(part) for part in (data if isinstance(data, (list, tuple)) else [data])]
    paths = [path for part in parts for path in expand(os.path.expanduser(part))]
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
        if "://" not in path and not os.access(path, os.R_OK):
            raise DataError(f"{path} cannot be read: permission denied")
    files = list(paths)
    separator = "\t" if kind == "tsv" else ","
    scan = {"parquet": partial(_scan_parquet, polars), "ipc": partial(polars.scan_ipc, glob=False)}.get(
        kind, partial(_scan_csv, polars, separator=separator)
    )
    place = partial(_culprit, scan, files)
    query = guarded(place, lambda: scan(files))
    if kind in ("csv", "tsv"):
        floats = guarded(place, lambda: _as_floats(polars, query))
        query = guarded(place, lambda: scan(files, schema_overrides=floats))
    return LazyReader(query, description, place=place, count_rows=kind in ("parquet", "ipc"))


def _scan_csv(polars: Any, files: Sequence[str], **options: Any) -> Any:
    return polars.scan_csv(
        files, glob=False, infer_schema_length=HEAD_ROWS, null_values=NULL_WORDS, **options
    )


def _as_floats(polars: Any, query: Any) -> dict[str, Any]:
    """Whole numbers, or nothing, at a file's head say nothing about its middle: read these as floats."""
    schema = query.collect_schema()
    names = [name for name, dtype in schema.items() if dtype.is_integer()]
    texts = [name for name, dtype in schema.items() if dtype == polars.String]
    if texts:
        empty = query.head(HEAD_ROWS).select(polars.col(texts).is_null().all()).collect()
        names += [name for name, nothing in zip(texts, empty.row(0), strict=True) if nothing]
    return dict.fromkeys(names, polars.Float64)


def _scan_parquet(polars: Any, files: Sequence[str]) -> Any:
    """Numbers may be narrower in some of the files; columns that are not wanted may be missing."""
    casts = polars.ScanCastOptions(integer_cast="upcast", float_cast="upcast")
    hive = len(files) > 1 and any("=" in part for path in files for part in Path(path).parent.parts)
    options = {"glob": False, "hive_partitioning": hive, "extra_columns": "ignore"}
    return polars.scan_parquet(files, cast_options=casts, **options)


def _culprit(scan: Callable[..., Any], files: Sequence[str]) -> str:
    """The first of the files whose head or foot cannot be read, for the message."""
    for path in files:
        try:
            scan([path]).collect_schema()
        except Exception:  # noqa: BLE001  (the error itself is being reported already)
            return path
    return files[0] if len(files) == 1 else f"one of the {len(files)} files {files[0]} ..."
