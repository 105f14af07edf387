"""Families of one's own: what is wrong with them is said."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import fastmle as fm
from fastmle.family import Family, NoTheta, Param, RowTerms, Solution, Sums, Vector, positive, row_function

X = np.random.default_rng(1).exponential(2.0, 1000)


class Total(NamedTuple):
    x: float


@row_function
def add(x: float, _: Any) -> Total:
    return Total(x)


@dataclass(frozen=True)
class Exponential(Family):
    """That of the README."""

    name: ClassVar[str] = "mine"
    params: ClassVar[tuple[Param, ...]] = (Param("rate", "positive"),)
    terms: ClassVar[Any] = RowTerms(Total, add, positive, "x > 0", fill=1.0)

    def solve(self, s: Sums) -> Any:
        return Solution((s.weight / s.x,))

    def loglik(self, s: Sums, theta: Vector) -> Any:
        return s.weight * math.log(theta[0]) - theta[0] * s.x

    def score(self, s: Sums, theta: Vector) -> Any:
        return np.array([s.weight - theta[0] * s.x])

    def information(self, s: Sums, theta: Vector) -> Any:
        return np.array([[s.weight]])


class OtherSolution(Exponential):
    def solve(self, s: Sums) -> Any:
        return Solution((1.02 * s.weight / s.x,))


class OtherScore(Exponential):
    def score(self, s: Sums, theta: Vector) -> Any:
        return np.array([1.02 * s.weight - theta[0] * s.x])


def test_a_sound_family_is_fitted() -> None:
    fit = fm.fit(Exponential(), X)
    assert fit.status == "ok" and fit.params.rate == pytest.approx(1.0 / X.mean(), rel=1e-14)


@pytest.mark.parametrize("family", [OtherSolution(), OtherScore()])
@pytest.mark.parametrize("weight", [None, 1e-9, 1e9])
def test_a_solution_that_is_no_maximum_is_no_fit(family: Family, weight: float | None) -> None:
    """Off by 2 %, which of 1,000 rows is 0.6 standard errors, whatever the unit of the weights."""
    fit = fm.fit(family, X, weights=None if weight is None else np.full(X.size, weight))
    assert fit.status == "not_converged" and "solve and score of mine disagree" in fit.message


@pytest.mark.parametrize("weight", [None, 1e15])
def test_rounding_is_no_disagreement(weight: float | None) -> None:
    """At 1e12 ± 1 a float64 is 1e-4 apart; so are a million rows' means and the errors of these a tenth."""
    x = 1e12 + np.random.default_rng(2).normal(size=1_000_000)
    for data in (x, X.astype(np.float32), 1e12 + np.repeat([0.0, 1e-3, 2e-3], 100_000)):
        weights = None if weight is None else np.full(data.size, weight)
        fit = fm.fit("gaussian", data, weights=weights)
        assert fit.status == ("ok" if np.ptp(data) > 0.0 else "degenerate")


class Pair(NamedTuple):
    x: float
    y: float


def undecorated(x: float, _: Any) -> Total:
    return Total(x)


@row_function
def two_for_one(x: float, _: Any) -> Pair:
    return Pair(x, x)


@row_function
def plain_pair(x: float, _: Any) -> tuple[float, float]:
    return (x, x)


@row_function
def a_float(x: float, _: Any) -> float:
    return x


@row_function
def nothing(x: float, _: Any) -> None:
    pass


@row_function
def alone(x: float) -> Total:
    return Total(x)


def rows(row: Any = add, support: Any = positive, **more: Any) -> Any:
    return RowTerms(Total, row, support, "x > 0", fill=1.0, **more)


def with_terms(terms: Any) -> Family:
    return type("Other", (Exponential,), {"terms": terms})()  # type: ignore[no-any-return]


def with_member(name: str, value: Any) -> Family:
    return type("Other", (Exponential,), {name: value})()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("family", "what"),
    [
        (with_terms(rows(two_for_one)), r"mine: row of terms returns Total\(x\), not 2 numbers"),
        (with_terms(rows(plain_pair)), "row of terms.*not 2 numbers"),
        (with_terms(rows(a_float)), "row of terms.*not 1.0"),
        (with_terms(rows(nothing)), "row of terms.*not None"),
        (with_terms(rows(undecorated)), "row of terms, undecorated, lacks the decorator"),
        (with_terms(rows(alone)), "row of terms, alone, takes"),
        (with_terms(rows(3.0)), "row of terms is a Python function"),
        (with_terms(rows(None)), "row of terms is a Python function"),
        (with_terms(rows(math.log)), "row of terms is a Python function"),
        (with_terms(rows(support=True)), "support of terms is a Python function"),
        (with_terms(rows(support=np.isfinite)), "support of terms is a Python function"),
        (with_terms(rows(kinds="x")), "kinds of terms.*unknown letter 'x'"),
        (with_terms(rows(kinds="ss")), "kinds of terms.*2 letters for 1 fields"),
        (with_terms(RowTerms(tuple, add)), "sums of terms are a NamedTuple"),
        (with_member("terms", None), "terms is"),
        (with_member("name", None), "Other: name"),
        (with_member("params", (Param("rate"), Param("rate"))), "params has 'rate' twice"),
        (with_member("params", ("rate",)), "params is a tuple of Param"),
        (with_member("params", ()), "params is a tuple of Param"),
        (with_member("solve", lambda self, s: (1.0,)), r"mine: solve returns a Solution, not \(1.0,\)"),
        (with_member("solve", lambda self, s: None), "solve returns a Solution"),
        (with_member("solve", lambda self, s: Solution((1.0, 2.0))), r"solve returns theta \(1.0, 2.0\); its parameters are rate"),
        (with_member("solve", lambda self, s: Solution(1.0)), "solve returns theta 1.0"),  # type: ignore[arg-type]
        (with_member("score", lambda self, s, theta: [0.0]), "score returns an array, not list"),
        (with_member("score", lambda self, s, theta: 0.0), r"score returns an array of shape \(1,\), not float"),
        (with_member("score", lambda self, s, theta: np.zeros(2)), r"score.*of shape \(2,\)"),
        (with_member("loglik", lambda self, s, theta: None), "mine: loglik returns a number, not NoneType"),
        (with_member("information", lambda self, s, theta: np.array([1.0])), "mine: information returns an array of shape"),
        (with_member("information", lambda self, s, theta: np.eye(2)), "mine: information"),
    ],
)
def test_what_is_wrong_with_a_family_is_said(family: Family, what: str) -> None:
    with pytest.raises(fm.FamilyError, match=what):
        fm.fit(family, X)


def test_the_same_of_families_of_several_reads() -> None:
    more = {"one_pass": False, "row_theta": lambda self, theta: NoTheta(), "start": lambda self, x, w: np.array([1.0])}
    assert fm.fit(type("Several", (Exponential,), more)(), X).params.rate == pytest.approx(1.0 / X.mean(), rel=1e-9)
    wrong = type("Several", (Exponential,), more | {"information": lambda self, s, theta: np.eye(2)})()
    with pytest.raises(fm.FamilyError, match="mine: information"):
        fm.fit(wrong, X)


def test_a_domain_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(fm.FamilyError, match="domain of the parameter 'rate' is one of real, positive, unit"):
        Param("rate", "negative")  # type: ignore[arg-type]


def test_the_name_of_a_family_is_asked_for() -> None:
    class Nameless(Family):
        params = Exponential.params
        terms = Exponential.terms
        loglik = Exponential.loglik
        information = Exponential.information

    with pytest.raises(fm.FamilyError, match="Nameless: name"):
        fm.fit(Nameless(), X)  # type: ignore[abstract]


def test_the_same_beside_held_parameters() -> None:
    both = {"params": (Param("rate", "positive"), Param("more")), "solve": lambda self, s: Solution((s.weight / s.x, 0.0))}
    wrong = type("Two", (Exponential,), both | {"score": lambda self, s, theta: np.zeros(1)})()
    with pytest.raises(fm.FamilyError, match="mine: score"):
        fm.fit(wrong, X, fixed={"more": 1.0})
