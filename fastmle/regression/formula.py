"""Designs from R-style formulas, evaluated chunk by chunk by formulaic; levels of text columns are found in one read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..sources import Source
from ..states import Chunk

ROWS = 1 << 16  # of a chunk; a design may have many columns
MOST_LEVELS = 500  # of one column, each of which becomes a column


def _library(name: str, extra: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise FamilyError(f"formulas need the extra '{extra}': pip install 'fastmle[{extra}]'") from error


def frames_of(data: Any) -> tuple[Callable[[], Iterator[Any]], bool, int | None]:
    """Pieces of the data as things with columns by name; whether they may be read again, and the rows if known."""
    from ..sources.files import open_files
    from ..sources.paths import is_path

    if is_path(data):
        data = getattr(open_files(data), "_query", None)
        if data is None:
            raise DataError("a formula needs columns with names: this file has none")
    kind = type(data).__module__.partition(".")[0]
    if kind == "polars" and hasattr(data, "collect_batches"):
        return lambda: iter(data.collect_batches(chunk_size=ROWS, maintain_order=True, lazy=True)), True, None
    if isinstance(data, Mapping):
        columns = {str(k): np.asarray(v) for k, v in data.items()}
        rows = len(next(iter(columns.values()), ()))
        starts = range(0, max(rows, 1), ROWS)
        return lambda: ({k: v[lo : lo + ROWS] for k, v in columns.items()} for lo in starts), True, rows
    if hasattr(data, "iloc"):
        return lambda: (data.iloc[lo : lo + ROWS] for lo in range(0, max(len(data), 1), ROWS)), True, len(data)
    if kind == "polars":
        return lambda: iter(data.iter_slices(ROWS)), True, len(data)
    if callable(data):
        return lambda: iter(data()), True, None
    if hasattr(data, "__arrow_c_stream__"):
        return frames_of(_library("polars", "files").DataFrame(data))
    raise DataError(f"a formula needs columns with names, and {type(data).__name__} has none")


class FormulaSource(Source):
    """The columns of a design without its intercept, then the target and other roles."""

    def __init__(self, data: Any, formula: str, roles: Mapping[str, Any], levels: Mapping[str, Any] | None, target: bool) -> None:
        formulaic = _library("formulaic", "formula")
        self._pandas: Any = _library("pandas", "formula")
        self._start, self.reopenable, self.rows = frames_of(data)
        self.in_memory, self.description, self.formula = self.rows is not None, f"formula {formula!r}", formula
        self._left: Any = None
        try:
            parsed = formulaic.Formula(formula)
            self._left, self._right = (parsed.lhs, parsed.rhs) if hasattr(parsed, "lhs") else (None, parsed)
        except Exception as error:  # whatever its parser raises
            raise FamilyError(f"the formula {formula!r} cannot be read: {error}") from error
        if target and self._left is None:
            raise FamilyError(f"the formula {formula!r} has no target: write y ~ a + b")
        self._variables = sorted({str(v) for v in self._right.required_variables})
        self._wanted = self._variables + (sorted({str(v) for v in self._left.required_variables}) if target else [])
        self._extra = {role: part for role, part in roles.items() if part is not None}
        self.levels = dict(levels) if levels is not None else self._find_levels()
        self._spec, self._target_spec = self._specify(target)
        columns = [str(c) for c in self._spec.column_names]
        self.intercept = "Intercept" in columns
        self._keep = [i for i, c in enumerate(columns) if c != "Intercept"]
        self.names = tuple(columns[i] for i in self._keep)
        own = [str(self._left)] if target else []
        self.roles = (*(["target"] if target else []), *self._extra)
        self.labels = (*self.names, *own, *(p if isinstance(p, str) else role for role, p in self._extra.items()))

    def _frames(self) -> Iterator[Any]:
        """Chunks as pandas frames of the wanted columns, with the levels that are known."""
        for piece in self._start():
            names = list(piece.keys() if isinstance(piece, Mapping) else piece.columns)
            wanted = self._wanted + [p for p in self._extra.values() if isinstance(p, str)]
            for name in wanted:
                if name not in names:
                    raise DataError(f"no column {name!r} in the data; it has {', '.join(map(repr, names[:8]))}", column=name)
            yield self._pandas.DataFrame({n: np.asarray(piece[n]) for n in dict.fromkeys(wanted)})

    def _find_levels(self) -> dict[str, list[Any]]:
        found: dict[str, set[Any]] = {}
        for frame in self._frames():
            for name in self._variables:
                if not self._pandas.api.types.is_numeric_dtype(frame[name]) or f"C({name}" in self.formula:
                    found.setdefault(name, set()).update(frame[name].dropna().unique().tolist())
        many = [name for name, seen in found.items() if len(seen) > MOST_LEVELS]
        if many:
            raise DataError(f"column {many[0]!r} has {len(found[many[0]])} levels, at most {MOST_LEVELS} are possible", column=many[0])
        return {name: sorted(seen) for name, seen in found.items()}

    def _with_levels(self, frame: Any, row: int) -> tuple[Any, np.ndarray]:
        """The frame with categories, and which rows have a null in one of them. Raises for a level not seen before."""
        lost = np.zeros(len(frame), bool)
        for name, levels in self.levels.items():
            null = frame[name].isna().to_numpy()
            unseen = np.flatnonzero(~frame[name].isin(levels).to_numpy() & ~null)
            if unseen.size:
                value = frame[name].iloc[unseen[0]]
                raise DataError(f"column {name!r}, row {row + unseen[0]}: the level {value!r} was not in the fit", column=name, row=row)
            made = self._pandas.Categorical(frame[name], categories=levels)
            frame[name] = made.fillna(levels[0]) if null.any() else made
            lost |= null
        return frame, lost

    def _specify(self, target: bool) -> tuple[Any, Any]:
        frame = next(self._frames(), None)
        if frame is None or not len(frame):
            raise DataError("the data have no rows")
        frame, _ = self._with_levels(frame, 0)
        spec = self._guarded(lambda: self._right.get_model_matrix(frame, na_action="ignore").model_spec)
        if spec.transform_state:
            raise FamilyError(f"{', '.join(map(str, spec.transform_state))} needs all rows at once: compute the column first")
        left = self._guarded(lambda: self._left.get_model_matrix(frame, na_action="ignore").model_spec) if target else None
        return spec, left

    def _guarded(self, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except Exception as error:  # whatever the formula raises on these data
            raise DataError(f"the formula {self.formula!r} cannot be evaluated: {error}") from error

    def _evaluate(self, spec: Any, frame: Any) -> Any:
        return self._guarded(lambda: spec.get_model_matrix(frame, na_action="ignore"))

    def chunks(self) -> Iterator[Chunk]:
        row = 0
        for piece in self._frames():
            empty = piece[self._wanted].isna().any(axis=1).to_numpy()  # NaN > 15 is False, but null here
            frame, lost = self._with_levels(piece, row)
            lost |= empty
            if not len(frame):
                continue
            values = np.array(self._evaluate(self._spec, frame), float, order="F")
            values[lost] = np.nan
            columns = [values[:, i] for i in self._keep]
            if self._target_spec is not None:
                y = np.asarray(self._evaluate(self._target_spec, frame), float)
                columns.append(np.where(lost, np.nan, y[:, -1]))
            for part in self._extra.values():
                own = frame[part] if isinstance(part, str) else np.asarray(part)[row : row + len(frame)]
                columns.append(np.asarray(own, float))
            row += len(frame)
            yield tuple(columns)
