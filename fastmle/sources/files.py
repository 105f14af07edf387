"""Paths: Parquet, Arrow IPC and CSV by polars, .npy by NumPy; one file, a list, a glob or a directory."""

from __future__ import annotations

import glob
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

KINDS = {
    **dict.fromkeys([".parquet", ".parq", ".pq"], "parquet"),
    **dict.fromkeys([".arrow", ".feather", ".ipc"], "ipc"),
    **dict.fromkeys([".csv", ".csv.gz", ".csv.zst"], "csv"),
    ".tsv": "tsv",
    ".npy": "npy",
}
MAGIC = {b"PAR1": "parquet", b"ARRO": "ipc", b"\x93NUM": "npy"}
HEAD_ROWS = 10_000  # of a CSV: they decide the types
NULL_WORDS = ["NA", "N/A", "null", "NULL", "None"]  # in a CSV, besides the empty field; NaN is a number there


def is_path(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return bool(data) and all(isinstance(part, (str, os.PathLike)) for part in data)
    return isinstance(data, (str, os.PathLike))


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


def expand(part: str) -> list[str]:
    """The sorted files a path stands for: itself, those a glob matches, those below a directory."""
    if "://" in part:
        return [part]
    if os.path.isdir(part):
        found = [path for path in sorted(Path(part).rglob("*")) if _is_data(path, Path(part))]
        if os.path.isdir(os.path.join(part, "_delta_log")):
            raise DataError(f"{part} is a Delta table: pass polars.scan_delta(path)")
        if not found:
            raise DataError(f"no data files in the directory {part}")
        return [str(path) for path in found]
    if not os.path.exists(part):
        matches = sorted(path for path in glob.glob(part, recursive=True) if os.path.isfile(path))
        if not matches:
            pattern = glob.has_magic(part)
            raise DataError(f"no file matches {part}" if pattern else f"file not found: {part}")
        return matches
    return [part]


def _is_data(path: Path, top: Path) -> bool:
    hidden = any(part.startswith(("_", ".")) for part in path.relative_to(top).parts)
    return not hidden and path.is_file() and _suffix(str(path)) in KINDS


def _suffix(path: str) -> str:
    low = path.lower()
    return next((end for end in KINDS if low.endswith(end)), os.path.splitext(low)[1])


def kind_of(path: str) -> str:
    """By the ending of the name, else by the file's first bytes."""
    suffix = _suffix(path)
    if suffix in KINDS:
        return KINDS[suffix]
    if suffix in (".h5", ".hdf5", ".nc", ".zarr"):
        raise DataError(f"{path}: open it with its own library and pass the dataset (an object with .shape)")
    try:
        with open(path, "rb") as file:
            kind = MAGIC.get(file.read(4))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if kind is None:
        raise DataError(f"{path}: unknown kind of file; known are {', '.join(KINDS)}")
    return kind


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
