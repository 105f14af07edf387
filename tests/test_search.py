"""Families of several reads on data that mislead a pilot: six reads are enough, and no maximum is made up."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from cases import CASES

import fastmle as fm
from fastmle import search
from fastmle.digest import Digest
from fastmle.families import family_class
from fastmle.states import Options

N = 25_000
BLOCK = N // 5
READS = 6


def blocks(first: Any, rest: Any) -> Callable[[Any], np.ndarray]:
    return lambda rng: np.concatenate([first(rng, BLOCK), rest(rng, N - BLOCK)])


def with_one(value: float) -> Callable[[Any], np.ndarray]:
    return lambda rng: np.insert(rng.normal(size=N - 1), N // 2, value)


NASTY: dict[str, Callable[[Any], np.ndarray]] = {
    "normal": lambda rng: rng.normal(size=N),
    "sorted": lambda rng: np.sort(rng.normal(size=N)),
    "heavy tails": lambda rng: rng.standard_t(1.2, N),
    "heavy tails, sorted": lambda rng: np.sort(rng.standard_t(1.2, N)),
    "heavy tails, sorted down": lambda rng: np.sort(rng.standard_t(1.2, N))[::-1].copy(),
    "very heavy tails, sorted": lambda rng: np.sort(rng.standard_t(0.5, N)),
    "narrow block first": blocks(lambda rng, n: rng.normal(50.0, 0.01, n), lambda rng, n: rng.gumbel(size=n)),
    "far block first": blocks(lambda rng, n: rng.normal(-1e6, 1.0, n), lambda rng, n: rng.normal(size=n)),
    "two clusters": lambda rng: np.repeat([-100.0, 100.0], N // 2) + rng.normal(size=N),
    "two clusters, mixed": lambda rng: rng.choice([-100.0, 100.0], N) + rng.normal(size=N),
    "one far below": with_one(-1e5),
    "one at 1e200": with_one(1e200),
    "skew": lambda rng: np.exp(rng.normal(0.0, 3.0, N)),
    "skew down": lambda rng: -np.exp(rng.normal(0.0, 3.0, N)),
    "1e300": lambda rng: rng.normal(size=N) * 1e299,
    "1e-300": lambda rng: rng.normal(size=N) * 1e-300,
    "1e8 and a spread of 1": lambda rng: 1e8 + rng.normal(size=N),
    "whole numbers": lambda rng: np.rint(5.0 * rng.standard_t(1.2, N)),
    "constant first": lambda rng: np.append(np.full(BLOCK, 3.0), 5.0 * rng.normal(size=N - BLOCK)),
}
FITTED = {name: {} for name, c in CASES.items() if not c.one_pass and c.smooth} | {"student_t, df = 3": {"df": 3.0}}


@cache
def rows(kind: str, positive: bool) -> np.ndarray:
    x = NASTY[kind](np.random.default_rng(1))
    if positive:  # powers of e, and where they would leave float64 a part of them
        if kind in ("1e300", "1e-300"):
            x = np.exp(x / np.abs(x).max()) * float(kind) * 0.1
        elif np.abs(x).max() < 1e7:
            x = np.exp(x / max(1.0, np.abs(x).max() / 300.0))
        else:
            x = np.abs(x) + 1.0
    x.flags.writeable = False
    return x


def pieces(x: np.ndarray) -> Callable[[], Any]:
    return lambda: (x[a:b] for a, b in pairwise([*range(0, N, 7001), N]))


@pytest.mark.parametrize("kind", NASTY)
@pytest.mark.parametrize("fitted", FITTED)
def test_six_reads_are_enough(fitted: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 4,096 rows as from all of them: the same maximum, and the same bits from an array and from chunks."""
    name, fixed = fitted.partition(",")[0], FITTED[fitted]
    x = rows(kind, CASES[name].support[0] == 0.0)
    whole = fm.fit(name, x, fixed=fixed)
    monkeypatch.setattr(search, "PILOT", 4096)
    fit, chunked = fm.fit(name, x, fixed=fixed), fm.fit(name, pieces(x), fixed=fixed)
    assert whole.n_passes <= READS and fit.n_passes <= READS
    assert fit.status == whole.status and fit.status in ("ok", "boundary")
    assert fit.theta.tobytes() == chunked.theta.tobytes() and fit.llf == chunked.llf
    assert fit.llf == pytest.approx(whole.llf, rel=1e-12)
    if fit.status == "ok":
        error, ulp = np.sqrt(np.diag(whole.cov)) * whole.units, np.spacing(np.abs(whole.theta))
        assert (np.abs(fit.theta - whole.theta) <= 1e-6 * error + 2 * ulp).all()
        free = error > 0.0
        assert fit.score_norm <= 1e-6 + (ulp[free] / error[free]).sum()


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if not c.one_pass and c.smooth])
def test_weighted_rows_that_mislead(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.sort(CASES[name].sample(4, N))
    w = np.random.default_rng(5).choice([0.0, 0.5, 2.0], N)
    whole = fm.fit(name, x, weights=w)
    monkeypatch.setattr(search, "PILOT", 4096)
    fit, one = fm.fit(name, x, weights=w), fm.fit(name, x, weights=w, threads=1)
    assert fit.n_passes <= READS and fit.status == "ok"
    assert fit.theta.tobytes() == one.theta.tobytes()
    assert (np.abs(fit.theta - whole.theta) <= 1e-6 * np.sqrt(np.diag(whole.cov)) * whole.units).all()


def test_a_digest_holds_all_rows() -> None:
    """Every weight is in it, the ends are the data's own, quantiles agree within a bin, and threads do not show."""
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.standard_t(1.0, 400_000), np.full(300_000, 0.25), [-1e250, 7e199]])
    family, theta = family_class("cauchy")(), np.array([0.0, 1.0])
    made = []
    for threads in (1, 2, 3):
        digest = Digest(Options(threads=threads), family, theta)
        digest.add((x,))
        made.append(digest.points())
        assert digest.heaviest()[0] == 0.25
    points, weights = made[0]
    assert all(np.array_equal(a, b) for other in made[1:] for a, b in zip(made[0], other, strict=True))
    assert weights.sum() == pytest.approx(x.size, rel=1e-12) and points.size < 200_000
    assert (points.min(), points.max()) == (x.min(), x.max())
    order = np.argsort(points)
    running = np.cumsum(weights[order]) / x.size
    for q in (1e-5, 0.01, 0.3, 0.9, 0.99999):
        exact = np.quantile(x, q, method="inverted_cdf")
        assert points[order][np.searchsorted(running, q)] == pytest.approx(exact, rel=1e-3)


TIES = {
    "cauchy": ({}, 0.5, 0.499),
    "student_t": ({}, 0.8, None),
    "student_t, df = 3": ({"df": 3.0}, 0.75, 0.74),
    "student_t, df = 0.5": ({"df": 0.5}, 0.35, 0.32),
}


@pytest.mark.parametrize("pilot", [4096, search.PILOT])
@pytest.mark.parametrize("order", ["first", "last", "mixed"])
@pytest.mark.parametrize("fitted", TIES)
def test_equal_values_without_a_maximum(fitted: str, order: str, pilot: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A likelihood without bound is said to be one, whether or not the pilot sees the equal values."""
    monkeypatch.setattr(search, "PILOT", pilot)
    name, (fixed, enough, too_few) = fitted.partition(",")[0], TIES[fitted]
    rng = np.random.default_rng(3)
    for share, status in ((enough, "degenerate"), (too_few, "ok")):
        if share is None:
            continue
        ties, others = np.full(math.ceil(20_000 * share), 1.5), rng.normal(size=math.floor(20_000 * (1.0 - share)))
        x = np.concatenate([others, ties] if order == "last" else [ties, others])
        x = rng.permutation(x) if order == "mixed" else x
        fit = fm.fit(name, x, fixed=fixed)
        assert fit.status == status and fit.n_passes <= READS
        if status == "degenerate":
            assert "sigma" in fit.message and np.isnan(fit.params["sigma"]) and math.isnan(fit.llf)
            assert fm.Fit.from_dict(fit.to_dict()) == fit
            with pytest.raises(fm.ConvergenceError):
                fm.fit(name, x, fixed=fixed, strict=True)


def test_two_rows_of_a_cauchy_have_no_single_maximum() -> None:
    """Every point of a half circle through both is as high."""
    fit = fm.fit("cauchy", [1.0, 3.0])
    assert fit.status == "degenerate" and "no single maximum" in fit.message
    heights = [fm.loglik("cauchy", [1.0, 3.0], mu=2.0 + math.cos(t), sigma=math.sin(t)) for t in (0.5, 1.0, 2.0)]
    assert heights == pytest.approx([heights[0]] * 3, rel=1e-14)
    assert fm.fit("cauchy", [1.0, 3.0], fixed={"sigma": 2.0}).status == "ok"
    assert fm.fit("cauchy", [1.0, 1.0, 3.0, 4.0, 9.0], fixed={"mu": 2.0}).status == "ok"


def test_far_rows_are_counted_exactly() -> None:
    """Where z² leaves float64 the log-likelihood does not: log(1 + z²/ν) = 2 log|z| − log ν."""
    x = np.array([0.0, 1.0, -2.0, 1e200, -1e300])
    far = 2.0 * (math.log(1e200) + math.log(1e300))
    near = math.log(2.0) + math.log(5.0)
    assert fm.loglik("cauchy", x, mu=0.0, sigma=1.0) == pytest.approx(-5 * math.log(math.pi) - near - far, rel=1e-15)
    constant = math.lgamma(1.0) - math.lgamma(0.5) - 0.5 * math.log(math.pi)
    assert fm.loglik("student_t", x, df=1.0, mu=0.0, sigma=1.0) == pytest.approx(5 * constant - near - far, rel=1e-14)
    assert fm.loglik("student_t", [1e300], df=0.02, mu=0.0, sigma=1e-8) == pytest.approx(
        math.lgamma(0.51) - math.lgamma(0.01) - 0.5 * math.log(0.02 * math.pi) + 8 * math.log(10.0)
        - 0.51 * (2 * 308 * math.log(10.0) - math.log(0.02)), rel=1e-13,
    )  # fmt: skip


def test_very_few_degrees_of_freedom() -> None:
    x = np.random.default_rng(6).standard_t(0.02, 3000)
    x = x[np.abs(x) < 1e290]
    fit = fm.fit("student_t", x)
    assert fit.status == "ok" and fit.n_passes <= READS and fit.params.df == pytest.approx(0.02, rel=0.1)
