"""The fold of a block beside its naive twin: row by row in Python, logarithms and sums in mpmath."""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import pytest
from cases import CASES

import fastmle as fm
from fastmle.families import family_class
from fastmle.family import RowTerms, positive, row_function
from fastmle.kernels.fold import BAD, BLOCK
from fastmle.states.base import Options
from fastmle.states.rows import RowState, compile_leaves

N = BLOCK - 5  # whole tiles and a rest
POSITIONS = (0, 17, 250, 2048, 3839, 3840, N - 1)  # in the first and the last tile, in the rest
# which of these are possible, and about what size they are, is for each family to say
ODD = (5e-324, 1e-310, 2.3e-308, 1e-200, 1e-19, 1e20, 1e37, 1e154, 1e300, 1.7e308, -1e-310, -1e20, -1e155, -1.7e308)
BAD_ONES = (math.nan, math.inf, -math.inf, -1.0, 0.0)


def family(name: str) -> fm.Family:
    return family_class(name)(**CASES[name].constants)


FAMILIES = [name for name in CASES if isinstance(family(name).terms, RowTerms)]


def both_terms(name: str) -> dict[str, RowTerms]:
    one = family(name)
    found = {"terms": one.terms, "loglik_terms": getattr(one, "loglik_terms", None) or one.terms}
    return {which: terms for which, terms in found.items() if which == "terms" or terms is not one.terms}


@cache
def usual(name: str) -> tuple[np.ndarray, Any]:
    x = np.ascontiguousarray(CASES[name].sample(3, N), np.float64)
    x.flags.writeable = False
    one = family(name)
    if one.terms.anchor is not None:
        return x, one.terms.anchor.of_block(x, np.empty(0))
    return x, None if one.one_pass else one.row_theta(fm.fit(one, x).theta)


def folded(terms: RowTerms, x: np.ndarray, theta: Any) -> tuple[np.ndarray, np.ndarray]:
    state = RowState(terms, Options(), theta)
    sums, counts = np.empty((1, len(state.letters))), np.empty((1, 3), np.int64)
    state._kernel((x,), np.empty(0))(0, 1, sums, counts)
    return sums[0], counts[0]


def logarithm(kind: str, v: Any, slip: float, theta: Any) -> mp.mpf:
    if kind == "q":
        return mp.log(mp.mpf(v) / mp.mpf(theta.c))
    return mp.log(mp.mpf(v) + mp.mpf(slip))


@cache
def added(terms: RowTerms, v: float, theta: Any) -> tuple[Any, ...]:
    """What a row adds to the slots."""
    kinds = terms.all_kinds()
    row, slips = terms.row(v, theta), iter([k for k, kind in enumerate(kinds) if kind == "e"])
    out = []
    for k, kind in enumerate(kinds.replace("e", "")):
        sharp = kind in "lfq"
        slip = row[next(slips)] if sharp and "e" in kinds else 0.0
        out.append(logarithm(kind, row[k], slip, theta) if sharp else row[k])
    return tuple(out)


def same(terms: RowTerms, x: np.ndarray, theta: Any) -> None:
    """Sums to the rounding of a block's additions; those of rows that add more than 1e50, as exponentials do, to that of
    the twin's exponents."""
    sums, counts = folded(terms, x, theta)
    theta = terms.theta() if theta is None else theta
    with np.errstate(all="ignore"):
        good = [v for v in x.tolist() if terms.support is None or terms.support(v, theta)]
        slots = list(zip(*(added(terms, v, theta) for v in good), strict=True))
    assert counts[BAD] == len(x) - len(good)
    for kind, got, slot in zip(terms.letters(), sums.tolist(), slots, strict=True):
        if kind == "m":
            assert got == max(slot)
            continue
        size = mp.fsum(map(abs, slot))
        if size < 1e307:
            assert abs(got - mp.fsum(slot)) <= (2e-14 if size < 1e50 else 1e-12) * size + 1e-290, (got, mp.fsum(slot))
        else:
            assert not math.isfinite(got) or abs(got) > 1e306


@pytest.mark.parametrize("name", FAMILIES)
def test_a_usual_block(name: str) -> None:
    x, theta = usual(name)
    for terms in both_terms(name).values():
        same(terms, x, theta)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_odd_row(name: str) -> None:
    """Far from the others, subnormal, huge: in any place of the block, the sums are those of the twin."""
    x, theta = usual(name)
    for terms in both_terms(name).values():
        at = terms.theta() if theta is None else theta
        possible = [v for v in ODD if terms.support is None or terms.support(v, at)]
        for i, odd in enumerate(possible):
            y = x.copy()
            y[POSITIONS[i % len(POSITIONS)]] = odd
            same(terms, y, theta)


def first_to_leave(state: RowState, sums: np.ndarray, at: np.ndarray, rows: np.ndarray, most: float) -> int:
    """The naive twin of `compile_leaves`: running sums one by one, and the anchor's function as it is written."""
    assert state.terms.anchor is not None and state.terms.anchor.drift is not None
    is_max, slots = state.is_max.tolist(), len(state.names)
    for place, number in zip(at.tolist(), rows.tolist(), strict=True):
        every = [state.values(), *sums[:place].tolist()]
        running = [max(s) if m else math.fsum(s) for m, s in zip(is_max, zip(*every, strict=True), strict=True)]
        weight = running[slots] if state.options.weighted else number
        named = dict(zip(state.names, map(np.float64, running), strict=False)) | state.theta._asdict()
        with np.errstate(all="ignore"):
            if state.terms.anchor.drift(SimpleNamespace(weight=np.float64(weight), **named)) > most:
                return place
    return -1


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [name for name in FAMILIES if (a := family(name).terms.anchor) and a.drift])
def test_where_the_mean_leaves_the_anchor(name: str, weighted: bool) -> None:
    """The first place where it does, whatever is asked of it, on from nothing or from sums that are there."""
    x, theta = usual(name)
    rng = np.random.default_rng(5)
    state = RowState(family(name).terms, Options(weighted=weighted), theta)
    assert state.drifts
    sums = np.empty((12, len(state.letters)))
    for b, block in enumerate(sums):  # first on one side of the anchor, then all over
        block[:] = weighed(state, np.sort(x)[: N // 4 * (1 + b // 4)], rng if weighted else None)
    at, each = np.array([1, 2, 4, 8, 9, 12]), np.array([N // 4 * (1 + b // 4) for b in range(12)])
    rows, counts = np.cumsum(each)[at - 1] * 1.0, np.zeros((12, 3), np.int64)
    counts[np.arange(12), np.arange(12) % 3] = BLOCK - each  # what is missing, for one of the three reasons
    leaves = compile_leaves(state.terms)
    found = set()
    for _ in range(2):
        for most in (0.01, 0.05, 0.2, 0.5, 0.8, 1.1, 1.3, 1.6, 2.0, 3.0, 10.0):
            before = math.nan if weighted else float(state.rows)
            got = leaves(state.is_max, state._read(), sums, counts, at, before, tuple(theta), most)
            assert got == first_to_leave(state, sums, at, rows + state.rows, most)
            found.add(got)
        state.add((x, rng.random(N)) if weighted else (x,))
    assert len(found) > 1


def weighed(state: RowState, x: np.ndarray, rng: Any) -> np.ndarray:
    sums, counts = np.empty((1, len(state.letters))), np.empty((1, 3), np.int64)
    x = np.ascontiguousarray(x)
    state._kernel((x,), np.empty(0) if rng is None else rng.random(x.size))(0, 1, sums, counts)
    return sums[0]


@pytest.mark.parametrize("name", FAMILIES)
def test_one_bad_row(name: str) -> None:
    """It is counted, wherever it stands; or, for supports of the whole line, the sums show it."""
    x, theta = usual(name)
    for terms in both_terms(name).values():
        at = terms.theta() if theta is None else theta
        for odd in BAD_ONES:
            if math.isfinite(odd) and (terms.support is None or terms.support(odd, at)):
                continue
            for place in POSITIONS:
                y = x.copy()
                y[place] = odd
                sums, counts = folded(terms, y, theta)
                assert counts[BAD] == 1 if terms.support is not None else not np.isfinite(sums).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_wide_data(name: str) -> None:
    """Over all powers of two that are possible."""
    rng = np.random.default_rng(5)
    x, theta = usual(name)
    for terms in both_terms(name).values():
        at = terms.theta() if theta is None else theta
        wide = np.ldexp(rng.uniform(0.5, 1.0, N), rng.integers(-1000, 1000, N)) * rng.choice([-1.0, 1.0], N)
        for y in (wide, np.ldexp(x, rng.integers(-30, 30, N)), np.floor(np.ldexp(x, 40))):
            keep = np.ones(N, bool) if terms.support is None else terms.support(y, at)
            if keep.sum() > BLOCK // 2:
                same(terms, np.resize(y[keep], N), theta)


class Square(NamedTuple):
    xx: float
    log: float


@row_function
def square(x: float, _: Any) -> Square:
    return Square(x * x, x)


@pytest.mark.parametrize("kinds", ["ss", "sl"])
@pytest.mark.parametrize("rows", [BLOCK, 100])
def test_row_functions_compute_in_float64_whatever_the_column(kinds: str, rows: int) -> None:
    """A row function that multiplies a value by itself, before any constant of the family has made it a float64."""
    x = np.random.default_rng(0).gamma(2.0, 3.0, rows).astype(np.float32)
    terms = RowTerms(Square, square, positive, "x > 0", fill=1.0, kinds=kinds)
    narrow, wide = RowState(terms, Options()), RowState(terms, Options())
    narrow.add((x,), 0)
    wide.add((x.astype(np.float64),), 0)
    assert narrow.sums().xx == wide.sums().xx
