"""Which columns play which part, and chunks of them as matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import DataError, FamilyError
from ..family import Vector
from ..passes import Passes, Progress
from ..sources import Held, Source, open_source
from ..states import Chunk, Options
from ..states.kept import Kept
from .blocks import Block, spread

PART = 1 << 16  # rows turned into a matrix at a time
PILOT_BLOCK = 512  # rows taken together from each place of an array


@dataclass
class Roles:
    """What `fit` was asked: parts of columns, and how to read."""

    target: Any = None
    features: Any = None
    formula: str | None = None
    levels: Any = None  # of the formula's categoricals, where they are known
    of_classes: bool = False  # the target is codes of classes
    classes: Any = None  # these, where they are known
    offset: Any = None
    exposure: Any = None
    trials: Any = None
    cluster: Any = None
    weights: Any = None
    cov: str = "model"
    chunk_rows: int | None = None
    progress: Progress | None = None
    keep: int | None = None  # histograms of each feature with the target, and so many points
    options: Callable[[Source], Options] = field(default=lambda source: Options())


def open_design(data: Any, roles: Roles) -> Source:
    """The features, then target, offset, exposure, trials, cluster, weights, as far as they are given."""
    target, features = roles.target, roles.features
    if isinstance(data, tuple) and len(data) == 2 and target is None and all(hasattr(p, "__len__") for p in data):
        data, target = data
        if isinstance(data, np.ndarray) and data.ndim == 1:
            data = data.reshape(-1, 1)
    extra = {name: getattr(roles, name) for name in ("offset", "exposure", "trials", "cluster", "weights")}
    if roles.formula is not None:
        from .formula import FormulaSource

        if target is not None or features is not None:
            raise FamilyError("give formula=, or target= and features=, not both")
        return FormulaSource(data, roles.formula, extra, roles.levels, True, roles.of_classes, roles.classes)
    if target is None:
        raise FamilyError("a regression needs target=, formula=, or the data as a pair (X, y)")
    source = open_source(data, features, {"target": target, **extra}, chunk_rows=roles.chunk_rows)
    names = list(source.names)
    if not isinstance(target, str):
        source.labels = tuple("y" if label == "target" else label for label in source.labels)
    target_name = source.labels[len(names)]
    if target_name in names:
        raise FamilyError(f"{target_name!r} cannot be both target and feature")
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise FamilyError(f"feature {repeated[0]!r} is given twice")
    return source


def features_only(data: Any, features: Sequence[str], extra: Mapping[str, Any]) -> Source:
    """The features by name; or by place, for an array of as many columns."""
    if isinstance(data, np.ndarray) and data.dtype.names is None:
        if data.ndim == 1:
            data = data.reshape(-1, 1) if len(features) == 1 else data.reshape(1, -1)
        if data.shape[1] != len(features):
            raise DataError(f"{len(features)} columns are wanted ({', '.join(features[:8])}), not {data.shape[1]}")
        return open_source(data, None, extra)
    return open_source(data, list(features), extra)


def matrices(
    chunk: Chunk, center: Vector, per: Vector, intercept: bool, blocks: Sequence[Block] = ()
) -> Iterator[tuple[slice, Vector]]:
    """Rows of the design as (rows, columns): 1, then (x − center) · per, then the columns of blocks, a few rows at a time."""
    features, levels = len(center), sum(len(block.columns) for block in blocks)
    part = max(256, PART * 16 // (16 + levels)) if levels else PART
    for lo in range(0, chunk[0].size, part):
        rows = slice(lo, min(lo + part, chunk[0].size))
        z = np.zeros((rows.stop - lo, features + intercept + levels))
        spread(blocks, [c[rows] for c in chunk[features : features + len(blocks)]], z[:, features + intercept :])
        if intercept:
            z[:, 0] = 1.0
        for j in range(features):
            np.subtract(chunk[j][rows], center[j], out=z[:, j + intercept], casting="unsafe")
            z[:, j + intercept] *= per[j]
        yield rows, z


def usable(chunk: Chunk, options: Options) -> np.ndarray:
    """Which rows count: no nulls, a weight above 0."""
    keep = np.ones(chunk[0].size, bool)
    for column in chunk:
        keep &= np.isfinite(column)
    if options.weighted:
        keep &= np.asarray(chunk[-1]) > 0
    return keep


def passes_of(source: Source, roles: Roles) -> Passes:
    """Passes over features and target (and what else the source has), the weights last."""
    options = roles.options(source)
    weighted = roles.weights is not None
    labels = source.labels[:-1] if weighted else source.labels
    options = replace(options, labels=labels, weight_label=source.labels[-1] if weighted else "weights")
    k = len(source.names)
    dense = k - len(source.blocks)
    kept = None if roles.keep is None or not dense else Kept(tuple((j, k) for j in range(dense)), roles.keep)
    return Passes(source, options, roles.progress, kept)


class Merged(Source):
    """Another source's features, target, offset (with log exposure), trials and weights, in this order.

    A row whose cluster is null is one whose target is.
    """

    def __init__(self, inner: Source, roles: Roles) -> None:
        self.inner, self.nulls = inner, roles.options(inner).nulls
        self.names, self.rows, self.reopenable = inner.names, inner.rows, inner.reopenable
        self.in_memory, self.description, self.on_device = inner.in_memory, inner.description, inner.on_device
        self.formula, self.levels = getattr(inner, "formula", None), getattr(inner, "levels", None)
        self.intercept, self.blocks = getattr(inner, "intercept", True), inner.blocks
        given = dict(zip(inner.roles, inner.labels[len(inner.names) :], strict=True))
        self.at = {role: len(inner.names) + i for i, role in enumerate(inner.roles)}
        self.offset = "offset" in given or "exposure" in given
        self.roles = tuple(r for r in ("target", *(["offset"] * self.offset), "trials", "weights") if r in given or r == "offset")
        self.labels = (*inner.names, *(given.get(r, given.get("exposure", r)) for r in self.roles))

    def chunks(self, parted: bool = False) -> Iterator[Chunk]:
        row = 0
        for chunk in self.inner.chunks():
            yield self.merged(chunk, row)
            row += chunk[0].size

    def merged(self, chunk: Chunk, row: int) -> Chunk:
        columns = list(chunk[: len(self.names)])
        for role in self.roles:
            columns.append(self._offset(chunk, row) if role == "offset" else chunk[self.at[role]])
        null = np.isnan(chunk[self.at["cluster"]]) if "cluster" in self.at else np.zeros(0, bool)
        if null.any():
            columns[len(self.names)] = np.where(null, np.nan, columns[len(self.names)])
        if null.any() and self.nulls == "raise":
            label, at = self.inner.labels[self.at["cluster"]], row + int(np.flatnonzero(null)[0])
            raise DataError(f"column {label!r}, row {at}: the cluster is null: pass nulls='drop' to leave such rows out",
                            column=label, row=at)  # fmt: skip
        return tuple(columns)

    def _offset(self, chunk: Chunk, row: int) -> np.ndarray:
        offset = chunk[self.at["offset"]] if "offset" in self.at else None
        if "exposure" not in self.at:
            assert offset is not None
            return offset
        exposure = np.asarray(chunk[self.at["exposure"]], np.float64)
        bad = np.flatnonzero(exposure <= 0.0)
        if bad.size:
            label = self.inner.labels[self.at["exposure"]]
            raise DataError(
                f"column {label!r}, row {row + bad[0]}: the exposure is {exposure[bad[0]]:g}, it must be above 0",
                column=label, row=row + int(bad[0]),
            )  # fmt: skip
        logs = np.log(exposure)
        return logs if offset is None else logs + offset


def _side_by_side(chunk: Chunk) -> np.ndarray | None:
    """The columns before all others that lie by rows next to each other, as one matrix."""
    first, count = chunk[0], 0
    if isinstance(first, np.ndarray) and first.dtype == np.float64 and first.strides[0] > 0:
        start = first.__array_interface__["data"][0]
        for c in chunk:
            if not isinstance(c, np.ndarray) or c.dtype != first.dtype or c.strides != first.strides:
                break
            if c.__array_interface__["data"][0] != start + 8 * count:
                break
            count += 1
    if count < 2 or count * 8 > first.strides[0]:
        return None
    return np.lib.stride_tricks.as_strided(first, (first.size, count), (first.strides[0], 8), writeable=False)


def _gathered(chunk: Chunk, starts: range, rows: int) -> list[np.ndarray]:
    """`rows` rows from each of the starts on, as float64: columns that lie side by side as one matrix, then the others."""
    matrix = _side_by_side(chunk)
    parts = chunk if matrix is None else (matrix, *chunk[matrix.shape[1] :])
    return [np.concatenate([np.asarray(c[lo : lo + rows], np.float64) for lo in starts]) for c in parts]


def pilot(passes: Passes, rows: int, support: Callable[..., Any]) -> tuple[Held, bool]:
    """The usable ones of about `rows` rows, as float64: blocks spread over an array, or the head of a file or stream;
    and whether that is all there is."""
    source, parts, have, whole = passes.source, [], 0, True
    features = len(source.names)
    trials = features + source.roles.index("trials") if "trials" in source.roles else None
    for chunk in source.chunks():
        size = chunk[0].size
        step = 1 if size <= 2 * rows else max(1, size // rows)
        if size:
            arrays = _gathered(chunk, range(0, size, step * PILOT_BLOCK), PILOT_BLOCK)
            part = tuple(c for a in arrays for c in (a.T if a.ndim == 2 else (a,)))
            sound = not passes.options.weighted and math.isfinite(sum(float(a.sum()) for a in arrays))
            keep = np.ones(part[0].size, bool) if sound else usable(part, passes.options)
            m = part[trials] if trials is not None else np.ones(keep.size)
            keep &= support(part[features], m)
            parts.append(part if keep.all() else tuple(c[keep] for c in part))
            have += parts[-1][0].size
        whole = whole and step == 1
        if have >= 2 * rows:
            whole = False
            break
    width = len(source.labels)
    if len(parts) == 1:
        return Held(parts[0], source), whole
    columns = tuple(np.concatenate(c) for c in zip(*parts, strict=True)) if parts else (np.empty(0),) * width
    return Held(columns, source), whole
