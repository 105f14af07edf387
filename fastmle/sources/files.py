"""Paths: Parquet, Arrow IPC and CSV by polars, .npy by NumPy; one file, a list, a glob or a directory."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from fastmle.errors import DataError
from fastmle.sources.arrays import ArrayReader
from fastmle.sources.base import Reader
from fastmle.sources.forked import refuse_after_fork

KINDS = {
    **dict.fromkeys([".parquet", ".parq", ".pq"], "parquet"),
    **dict.fromkeys([".arrow", ".feather", ".ipc"], "ipc"),
    **dict.fromkeys([".csv", ".csv.gz", ".csv.zst"], "csv"),
    ".tsv": "tsv",
    ".npy": "npy",
}
MAGIC = {b"PAR1": "parquet", b"ARRO": "ipc", b"\x93NUM": "npy"}
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
    if kind == "parquet":
        casts = polars.ScanCastOptions(integer_cast="upcast", float_cast="upcast")
        hive = any("=" in part for path in files for part in Path(path).parent.parts)
        query = polars.scan_parquet(
            files, glob=False, hive_partitioning=hive, extra_columns="ignore", cast_options=casts
        )
        return LazyReader(query, description, count_rows=True)
    if kind == "ipc":
        return LazyReader(polars.scan_ipc(files, glob=False), description, count_rows=True)
    separator = "\t" if kind == "tsv" else ","
    options = {
        "glob": False,
        "separator": separator,
        "null_values": NULL_WORDS,
        "infer_schema_length": 10_000,
    }

    def as_floats(query: Any, names: Sequence[str]) -> Any:
        """Whole numbers at a file's head say nothing about its middle: read them as floats."""
        schema = query.collect_schema()
        floats = {name: polars.Float64 for name in names if schema[name].is_integer()}
        return polars.scan_csv(files, schema_overrides=floats, **options).select(names)

    return LazyReader(polars.scan_csv(files, **options), description, prepare=as_floats)
