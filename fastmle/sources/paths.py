"""Paths: which files one stands for, and of what kind they are."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import Any

from fastmle.errors import DataError

KINDS = {
    **dict.fromkeys([".parquet", ".parq", ".pq"], "parquet"),
    **dict.fromkeys([".arrow", ".arrows", ".feather", ".ipc"], "ipc"),
    **dict.fromkeys([".csv", ".csv.gz", ".csv.zst"], "csv"),
    ".tsv": "tsv",
    ".npy": "npy",
}
MAGIC = {b"PAR1": "parquet", b"ARRO": "ipc", b"\x93NUM": "npy"}


def is_path(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return bool(data) and all(isinstance(part, (str, os.PathLike)) for part in data)
    return isinstance(data, (str, os.PathLike))


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


def is_stream(path: str) -> bool:
    """Whether an Arrow file is a stream, which has no footer that says where its batches lie."""
    with open(path, "rb") as file:
        return file.read(4) == b"\xff\xff\xff\xff"
