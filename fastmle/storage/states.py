"""States as JSON: a dict with floats as exact hexadecimal strings, bytes with a checksum, a file replaced at once."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import DataError, FastmleError
from ..families import family_of
from ..family import Family
from ..pool import cores
from ..states import Options, State, new_state
from ..states.kept import Kept
from ..values import to_json

if TYPE_CHECKING:
    from ..stats import SufficientStats

FORMAT = "fastmle-state"
VERSION = 1


def to_dict(stats: SufficientStats) -> dict[str, Any]:
    """See `SufficientStats.to_dict`."""
    o, state = stats.options, stats._state
    return {
        "format": FORMAT,
        "version": VERSION,
        "family": stats.family.name,
        "constants": to_json(stats.family.constants()),
        "weight_kind": o.weight_kind,
        "nulls": o.nulls,
        "columns": stats.columns,
        "keep": stats.keep,
        "kept": None if stats.kept is None else to_json(stats.kept.to_dict()),
        "state": None if state is None else _sums_to_dict(state),
    }


def _sums_to_dict(state: State) -> dict[str, Any]:
    return {
        "labels": list(state.options.labels),
        "weighted": state.options.weighted,
        "rows": state.rows,
        "seen": state.seen,
        "dropped": state.dropped,
        **state.payload(),
    }


def from_dict(kind: type[SufficientStats], stored: Mapping[str, Any], family: Family | None) -> SufficientStats:
    """See `SufficientStats.from_dict`."""
    try:
        if stored["format"] != FORMAT or stored["version"] > VERSION:
            raise DataError(f"this is no {FORMAT} of version {VERSION} or earlier")
        if family is None:
            family = family_of(stored["family"], **stored["constants"])
        elif (family.name, to_json(family.constants())) != (stored["family"], stored["constants"]):
            raise DataError(f"this is a state of {stored['family']} with {stored['constants']}, not of {family}")
        options = Options(weight_kind=stored["weight_kind"], nulls=stored["nulls"], threads=cores())
        made = kind(family, options, stored["columns"])
        made.keep = stored["keep"]
        made.kept = None if stored["kept"] is None else Kept.from_dict(stored["kept"])
        if (sums := stored["state"]) is not None:
            made.options = replace(options, labels=tuple(sums["labels"]), support=family.terms.where)
            made._state = _sums_from_dict(family, made.options, sums)
        return made
    except FastmleError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise DataError(f"this is no {FORMAT}: {error!r} is missing or damaged") from error


def _sums_from_dict(family: Family, options: Options, stored: Mapping[str, Any]) -> State:
    state = new_state(family.terms, replace(options, weighted=bool(stored["weighted"])))
    state.rows, state.seen, state.dropped = (int(stored[k]) for k in ("rows", "seen", "dropped"))
    state.restore(dict(stored))
    return state


def to_bytes(stats: SufficientStats) -> bytes:
    """See `SufficientStats.to_bytes`."""
    stored = stats.to_dict()
    return json.dumps({**stored, "check": _check(stored)}, allow_nan=False).encode()


def from_bytes(kind: type[SufficientStats], stored: bytes, family: Family | None) -> SufficientStats:
    """See `SufficientStats.from_bytes`."""
    try:
        found = json.loads(stored)
    except (TypeError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"this is no {FORMAT}: {error}") from error
    if not isinstance(found, dict) or found.pop("check", None) != _check(found):
        raise DataError(f"this is no {FORMAT}, or it is damaged: its checksum does not agree")
    return from_dict(kind, found, family)


def _check(stored: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(stored).encode())


def save(stats: SufficientStats, path: str | os.PathLike[str]) -> None:
    """See `SufficientStats.save`."""
    beside = f"{os.fspath(path)}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as file:
            file.write(to_bytes(stats))
        os.replace(beside, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(beside)
        if isinstance(error, OSError):  # about the file that was asked for
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file. Raises DataError if it cannot be read."""
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"a path is wanted, not {path!r}")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise DataError(f"{os.fspath(path)} cannot be read: {error.strerror}") from error
