"""Designs from R-style formulas, evaluated chunk by chunk by formulaic; levels of text columns are found in one read.

A categorical of more than `CODED` levels that stands by itself becomes a `Block`: no matrix with its columns is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..sources import Source
from ..sources.prefetch import prefetch
from ..sources.resolve import advice
from ..states import Chunk
from .blocks import Block
from .frames import codes_of, distinct, frames_of, library, nulls_of, values_of

NUMBERS = 1 << 22  # of a chunk of a design, at most
ROWS = 1 << 18  # and rows
CODED = 32  # levels, from which on a categorical is a block
MOST_LEVELS = 500  # of one that is none, each of which is a column of the design
MOST = 4096  # coefficients
WHOLE = ("bs", "cc", "cr", "cs", "center", "lag", "poly", "scale", "standardize")  # functions of whole columns
WHOLE_SAID = "needs all rows at once: compute the column first"
CALLS_C = re.compile(r"(?<![\w.])C\(")
IS_C = re.compile(r"C\((`[^`]+`|[^\W\d]\w*)(, .*)?\)")


class FormulaSource(Source):
    """The dense columns of a design without its intercept, the codes of its blocks, then the target and other roles."""

    def __init__(
        self, data: Any, formula: str, roles: Mapping[str, Any], levels: Mapping[str, Any] | None, target: bool,
        of_classes: bool = False, classes: Any = None,
    ) -> None:  # fmt: skip
        formulaic = library("formulaic", "formula")
        self._pandas: Any = library("pandas", "formula")
        self._start, self.reopenable, self.rows = frames_of(data)
        self.in_memory, self.description, self.formula = False, f"formula {formula!r}", formula  # made anew by each read
        self._left: Any = None
        try:
            parsed = formulaic.Formula(formula)
            self._left, self._right = (parsed.lhs, parsed.rhs) if hasattr(parsed, "lhs") else (None, parsed)
        except Exception as error:  # whatever its parser raises
            reason = str(error).split("\n")[0]  # a drawing in colours follows
            raise FamilyError(f"the formula {formula!r} cannot be read: {reason}") from error
        if target and self._left is None:
            raise FamilyError(f"the formula {formula!r} has no target: write y ~ a + b")
        if not all(hasattr(part, "required_variables") for part in (self._right, self._left) if part is not None):
            raise FamilyError(f"the formula {formula!r} has several parts: write y ~ a + b")
        factors = [str(f.expr) for term in self._right for f in term.factors]
        for factor in factors:
            if factor.partition("(")[0] in WHOLE:
                raise FamilyError(f"{factor} {WHOLE_SAID}")
            if CALLS_C.search(factor) and not IS_C.fullmatch(factor):
                raise FamilyError(f"{factor}: C() takes a column by itself: compute the column first")
        self._in_c = {found[1].strip("`") for found in map(IS_C.fullmatch, factors) if found}
        others = (f for term in self._right for f in term.factors if not IS_C.fullmatch(str(f.expr)))
        self._elsewhere = {str(v.root) for f in others for v in f.required_variables}
        self._variables = sorted({str(v) for v in self._right.required_variables})
        if "Intercept" in self._variables:
            raise FamilyError("a column of a formula cannot be called 'Intercept', as its constant is: rename it")
        self._of_classes, self._class_column = of_classes, str(self._left) if of_classes and target else ""
        self._extra = {role: part for role, part in roles.items() if part is not None}
        left = sorted({str(v) for v in self._left.required_variables}) if target else []
        own = [p for p in self._extra.values() if isinstance(p, str)]
        self._wanted, self._chunk = list(dict.fromkeys([*self._variables, *left, *own])), ROWS >> 2
        if self._class_column and [self._class_column] != left:
            raise FamilyError(f"the formula {formula!r} has a target of classes, which is a column by itself: write y ~ a + b")
        self.levels = dict(levels) if levels is not None else self._find_levels(classes)
        self.classes = tuple(self.levels.get(self._class_column, ()))
        self._coded: list[str] = []  # the variables of the blocks
        self._clusters: dict[str, int] = {}
        self.blocks = ()
        self._spec, self._target_spec = self._specify(target)
        columns = [str(c) for c in self._spec.column_names]
        self._keep = [i for i, c in enumerate(columns) if c != "Intercept"]
        self._dense = sorted({str(v) for v in self._spec.required_variables} | set([] if self._class_column else left))
        self._nulls = {str(v): [self._keep.index(i) for i in at if i in self._keep] for v, at in self._spec.variable_indices.items()}
        self._left_names = left
        self._chunk = max(1 << 10, min(ROWS, NUMBERS // max(1, len(columns))))
        self.names = (*(columns[i] for i in self._keep), *(block.label for block in self.blocks))
        self.roles = (*(["target"] if target else []), *self._extra)
        named = (self._named(role, part) for role, part in self._extra.items())
        self.labels = (*self.names, *([str(self._left)] if target else []), *named)

    def _find_levels(self, classes: Any) -> dict[str, list[Any]]:
        found: dict[str, set[Any]] = {self._class_column: set()} if self._class_column and not classes else {}
        for piece in self._start(self._wanted, self._chunk):
            if not any(self._is_categorical(piece, name) for name in self._variables) and not found:
                return {}
            kept = ~self._lost(piece)
            for name in dict.fromkeys([*self._variables, *found]):
                if name in found or self._is_categorical(piece, name):
                    found.setdefault(name, set()).update(distinct(piece[name], kept))
        for name, seen in found.items():
            if not seen:
                raise DataError(f"column {name!r}: no row without a null has a level of it", column=name)
            if len(seen) > MOST:
                raise DataError(
                    f"column {name!r} has {len(seen)} levels, at most {MOST} are possible: each is a coefficient", column=name
                )
        levels = {name: self._sorted(name, seen) for name, seen in found.items()}
        return levels | ({self._class_column: list(classes)} if self._class_column and classes else {})

    def _sorted(self, name: str, seen: set[Any]) -> list[Any]:
        try:
            return sorted(seen)
        except TypeError as error:
            raise DataError(f"column {name!r} has levels of several types: {error}", column=name) from error

    def _is_categorical(self, piece: Any, name: str) -> bool:
        kind = str(getattr(piece[name], "dtype", ""))
        if name not in self._in_c and any(word in kind.lower() for word in ("date", "time", "duration")):
            said = f"column {name!r} has type {kind}, a number is wanted{advice(kind)}; or write C({name}), a level for each time"
            raise DataError(said, column=name)
        if values_of(piece[name][:1], name).dtype.kind not in "biuf":
            return True
        if name in self._in_c & self._elsewhere:
            raise FamilyError(f"column {name!r} is both in C({name}) and a number in other terms: give it a second name there")
        return name in self._in_c

    def _lost(self, piece: Any) -> np.ndarray:
        """Rows with a null in any column, or of weight 0: their levels do not count."""
        lost = np.any([nulls_of(piece[name]) for name in self._wanted], axis=0)
        weights = self._extra.get("weights")
        return np.asarray(lost | (np.asarray(piece[weights]) == 0.0) if isinstance(weights, str) else lost)

    def _frame(self, piece: Any, names: list[str], row: int, lost: np.ndarray) -> tuple[Any, dict[str, np.ndarray]]:
        """The named columns as a pandas frame with categories, and where each has nulls."""
        plain = [name for name in names if name not in self.levels]
        columns: dict[str, Any] = {name: values_of(piece[name], name) for name in plain}
        nulls = {name: np.asarray(self._pandas.isna(columns[name])) for name in plain}
        for name in (n for n in names if n in self.levels):
            codes = self._codes(piece, name, row, lost)
            nulls[name] = np.isnan(codes)
            whole = np.nan_to_num(codes, nan=0.0).astype(np.int64)  # what stands for a null is taken out again below
            columns[name] = self._pandas.Categorical.from_codes(whole, categories=self.levels[name])
        return self._pandas.DataFrame(columns), nulls

    def _codes(self, piece: Any, name: str, row: int, lost: np.ndarray) -> np.ndarray:
        """The places of a column's values among its levels. Raises DataError for a level not seen before."""
        codes, strange = codes_of(piece[name], self.levels[name])
        unseen = np.flatnonzero(strange & ~lost)
        if unseen.size:
            value, at = np.asarray(piece[name])[unseen[0]], row + int(unseen[0])
            value = value.item() if isinstance(value, np.generic) else value
            raise DataError(f"column {name!r}, row {at}: the level {value!r} was not in the fit", column=name, row=at)
        return codes

    def _specify(self, target: bool) -> tuple[Any, Any]:
        piece = next(iter(self._start(self._wanted, 64)), None)
        head = None if piece is None else {name: piece[name][:64] for name in self._wanted}
        if head is None or not len(next(iter(head.values()), ())):
            raise DataError("the data have no rows")
        names = list(dict.fromkeys([*self._variables, *(self._left.required_variables if target else [])]))
        frame, _ = self._frame(head, [str(n) for n in names], 0, self._lost(head))
        spec = self._guarded(lambda: self._right.get_model_matrix(frame, na_action="ignore").model_spec)
        numbers = target and not self._class_column
        left = self._guarded(lambda: self._left.get_model_matrix(frame, na_action="ignore").model_spec) if numbers else None
        if left is not None and len(left.column_names) > 1 and not str(left.column_names[-1]).endswith("[True]"):
            numeric = self._pandas.api.types.is_numeric_dtype
            if all(numeric(frame[str(v)]) for v in left.required_variables):
                raise FamilyError(f"the target {self._left} makes {len(left.column_names)} columns, and one is wanted")
            raise FamilyError(f"the target {self._left} is a categorical: fit \"multinomial\", or write I({self._left} == ...)")
        self.intercept = "Intercept" in spec.column_names
        self._check_rows(spec, frame)
        if left is not None:
            self._check_rows(left, frame)
        empty = [part.term for part in spec.structure if not part.columns]
        if empty:
            raise DataError(f"the term {empty[0]} has one level only, in the rows that count: leave it out of the formula")
        return spec.subset([part.term for part in spec.structure if not self._is_block(part)]), left

    def _check_rows(self, spec: Any, frame: Any) -> None:
        """Raise FamilyError for a term whose value in a row depends on other rows, as chunks would change it."""
        half = len(frame) // 2
        if not half:
            return
        whole = np.asarray(self._evaluate(spec, frame), float)
        for rows in (slice(0, half), slice(half, None)):
            part = np.asarray(self._evaluate(spec, frame.iloc[rows]), float)
            same = np.isclose(part, whole[rows], rtol=1e-9, atol=0.0, equal_nan=True).all(axis=0)
            if not same.all():
                raise FamilyError(f"{spec.column_names[int(np.argmin(same))]} {WHOLE_SAID}")

    def _is_block(self, part: Any) -> bool:
        """Whether a term of the formula is a categorical of many levels by itself, which becomes a block."""
        columns, factors = tuple(map(str, part.columns)), [f for scoped in part.scoped_terms for f in scoped.factors]
        if len(columns) < CODED or (self._of_classes and len(columns) <= MOST_LEVELS):
            return False
        expression = str(factors[0].factor.expr) if len(factors) == 1 else ""
        for name, levels in self.levels.items():
            if expression in (name, f"C({name})"):
                full = tuple(f"{expression}[{level}]" for level in levels)
                treatment = tuple(f"{expression}[T.{level}]" for level in levels[1:])
                if columns in (full, treatment):
                    self.blocks = (*self.blocks, Block(name, columns, columns == full))
                    self._coded.append(name)
                    return True
        if len(columns) > MOST_LEVELS:
            raise DataError(f"the term {part.term} has {len(columns)} columns, at most {MOST_LEVELS} are possible in an interaction")
        return False

    def _guarded(self, run: Callable[[], Any]) -> Any:
        try:
            with np.errstate(all="ignore"):  # what is not finite is said with its row
                return run()
        except FamilyError:
            raise
        except Exception as error:  # whatever the formula raises on these data
            raise DataError(f"the formula {self.formula!r} cannot be evaluated: {error}") from error

    def _evaluate(self, spec: Any, frame: Any) -> Any:
        return self._guarded(lambda: spec.get_model_matrix(frame, na_action="ignore"))

    def chunks(self, parted: bool = False) -> Iterator[Chunk]:
        return prefetch(self._make_chunks)

    def _make_chunks(self) -> Iterator[Chunk]:
        row = 0
        for piece in self._start(self._wanted, self._chunk):
            rows = len(piece[self._wanted[0]])
            if rows:
                yield self._columns(piece, row, rows)
            row += rows
        for role, part in self._extra.items():
            if not isinstance(part, str) and len(part) != row:
                raise DataError(f"{role} has {len(part)} rows, the data have {row}", column=role)

    def _columns(self, piece: Any, row: int, rows: int) -> Chunk:
        lost = self._lost(piece)
        frame, nulls = self._frame(piece, self._dense, row, lost)
        columns: list[np.ndarray] = []
        if self._keep:
            values = np.array(self._evaluate(self._spec, frame), float, order="F")
            columns = [values[:, i] for i in self._keep]
        for name, at in self._nulls.items():  # NaN > 15 is False, but null here; so is a category that was filled in
            if name in nulls and nulls[name].any():
                for j in at:
                    columns[j][nulls[name]] = np.nan
        for name, block in zip(self._coded, self.blocks, strict=True):
            codes = self._codes(piece, name, row, lost)
            columns.append(codes if block.full else codes - np.float32(1.0))
        if self._target_spec is not None:
            y = np.array(np.asarray(self._evaluate(self._target_spec, frame), float)[:, -1])
            for name in self._left_names:
                y[nulls[name]] = np.nan
            columns.append(y)
        if self._class_column:
            columns.append(self._codes(piece, self._class_column, row, lost))
        columns.extend(self._role(role, part, piece, row, rows) for role, part in self._extra.items())
        return tuple(columns)

    def _role(self, role: str, part: Any, piece: Any, row: int, rows: int) -> np.ndarray:
        """A role's numbers for these rows; the text of clusters as numbers in the order of their appearance."""
        own = np.asarray(piece[part] if isinstance(part, str) else np.asarray(part)[row : row + rows])
        if own.size != rows:
            raise DataError(f"{role} has {row + own.size} rows, the data have more", column=role)
        if own.dtype.kind not in "biuf" and role == "cluster":
            null = np.asarray(self._pandas.isna(own))
            names, inverse = np.unique(own[~null].astype(str), return_inverse=True)
            out = np.full(rows, np.nan)
            out[~null] = np.array([self._clusters.setdefault(name, len(self._clusters)) for name in names.tolist()], float)[inverse]
            return out
        try:
            return np.asarray(own, float)
        except (TypeError, ValueError) as error:
            raise DataError(f"column {self._named(role, part)!r} has type {own.dtype}, a number is wanted", column=role) from error

    def _named(self, role: str, part: Any) -> str:
        return part if isinstance(part, str) else role
