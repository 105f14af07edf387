"""Whether a family of one's own is what the frame takes: looked at once a fit, and each fault named with its member."""

from __future__ import annotations

from inspect import signature
from types import FunctionType
from typing import Any

import numpy as np

from ..errors import FamilyError
from .base import Family, Param, Solution
from .terms import RowTerms, Sums, Terms, Vector, is_row_function

KINDS = "smlefrq"


def is_own(family: Family) -> bool:
    """Whether it is not one of fastmle's, which the tests look after."""
    return not type(family).__module__.startswith("fastmle.")


def check_family(family: Family) -> None:
    """Its name, parameters and row functions, before any of them is used. Raises FamilyError."""
    if not is_own(family):
        return
    name = getattr(family, "name", None)
    if not isinstance(name, str) or not name:
        raise FamilyError(f"{type(family).__name__}: name is the text that the family is called by, not {name!r}")
    params = family.params
    if not isinstance(params, (tuple, list)) or not params or not all(isinstance(p, Param) for p in params):
        raise FamilyError(f"{name}: params is a tuple of Param, not {params!r}")
    names = [p.name for p in params]
    twice = [n for n in names if names.count(n) > 1]
    if twice:
        raise FamilyError(f"{name}: params has {twice[0]!r} twice")
    if not isinstance(family.terms, Terms):
        raise FamilyError(f"{name}: terms is RowTerms, TableTerms, ColumnTerms or GramTerms, not {family.terms!r}")
    if isinstance(family.terms, RowTerms):
        _check_rows(name, "terms", family.terms)
        if family.loglik_terms is not family.terms:
            _check_rows(name, "loglik_terms", family.loglik_terms)  # type: ignore[arg-type]


def _check_rows(name: str, member: str, terms: RowTerms) -> None:
    """The row functions of these terms, and what they give for one row: plain Python, before it is compiled."""
    fields: tuple[str, ...] | None = getattr(terms.sums, "_fields", None)
    if not isinstance(terms.sums, type) or not fields:
        raise FamilyError(f"{name}: the sums of {member} are a NamedTuple class, not {terms.sums!r}")
    kinds = terms.all_kinds()
    unknown = [letter for letter in kinds if letter not in KINDS]
    if unknown or len(kinds) != len(fields):
        wrong = f"has the unknown letter {unknown[0]!r}" if unknown else f"has {len(kinds)} letters for {len(fields)} fields"
        raise FamilyError(f"{name}: kinds of {member}, {kinds!r}, {wrong}; a letter a field, of {', '.join(KINDS)}")
    for what, function in (("row", terms.row), ("support", terms.support), *zip(("quick",) * 2, terms.quick or (), strict=False)):
        if function is not None or what == "row":
            _check_function(f"{name}: {what} of {member}", function)
    _check_row(f"{name}: row of {member}", terms, fields)


def _check_function(what: str, function: Any) -> None:
    if not isinstance(function, FunctionType):
        raise FamilyError(f"{what} is a Python function under @row_function, not {function!r}")
    if not is_row_function(function):
        raise FamilyError(f"{what}, {function.__name__}, lacks the decorator @row_function")
    try:
        signature(function).bind(0.0, None)
    except TypeError:
        raise FamilyError(f"{what}, {function.__name__}, takes (x, theta), not {signature(function)}") from None


def _check_row(what: str, terms: RowTerms, fields: tuple[str, ...]) -> None:
    try:
        found = terms.row(float(terms.fill), terms.theta())
    except (ArithmeticError, ValueError, NotImplementedError):  # compiled, 1/0 is infinite; some functions exist compiled only
        return
    if not isinstance(found, tuple) or len(found) != len(fields):
        given = f"{len(found)} numbers" if isinstance(found, tuple) else repr(found)
        raise FamilyError(f"{what} returns {terms.sums.__name__}({', '.join(fields)}), not {given}")


def check_solution(family: Family, member: str, solution: Any) -> None:
    """That it is a Solution with one number a parameter."""
    if not is_own(family):
        return
    if not isinstance(solution, Solution):
        raise FamilyError(f"{family.name}: {member} returns a Solution, not {solution!r}")
    if np.shape(solution.theta) != (len(family.params),):
        names = ", ".join(p.name for p in family.params)
        raise FamilyError(f"{family.name}: {member} returns theta {solution.theta!r}; its parameters are {names}")


def check_derivatives(family: Family, s: Sums, theta: Vector) -> None:
    """That log-likelihood, score and information at θ have their shapes. Raises FamilyError."""
    if not is_own(family) or not family.valid(theta):
        return
    k = len(family.params)
    derivatives = {"score": (k,), "information": (k, k)} if any(p.regular for p in family.params) else {}
    shapes: dict[str, tuple[int, ...]] = {"loglik": (), "units": (k,), **derivatives}
    for member, shape in shapes.items():
        found = family.units(theta) if member == "units" else getattr(family, member)(s, theta)
        if found is None or isinstance(found, (str, bytes)) or np.shape(found) != shape:
            wanted = f"an array of shape {shape}" if shape else "a number"
            given = "" if found is None or not np.shape(found) else f" of shape {np.shape(found)}"
            raise FamilyError(f"{family.name}: {member} returns {wanted}, not {type(found).__name__}{given}")
        if shape and not isinstance(found, np.ndarray):
            raise FamilyError(f"{family.name}: {member} returns an array, not {type(found).__name__}: write np.array(...)")
