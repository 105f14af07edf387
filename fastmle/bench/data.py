"""Data to time on: a sample that a family fits, found by trying, so that a new family needs no line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from typing import Any

import numpy as np

from .. import api
from ..errors import FastmleError
from ..families import REGISTRY, family_class
from ..family import Family

Array = np.ndarray[Any, Any]
DISTINCT = 4_000_000  # rows drawn; more are these in other orders: equal pages a system may keep once, and so in its cache
CONSTANT = 10  # of families that need one: trials, categories
TRY = 20_000

SAMPLES: dict[str, Callable[[np.random.Generator, int], Array]] = {  # float64 first: whole numbers are a case of them
    "normal": lambda rng, n: rng.normal(10.0, 3.0, n),
    "Student's t, 4 degrees": lambda rng, n: 10.0 + 3.0 * rng.standard_t(4.0, n),
    "gamma": lambda rng, n: rng.gamma(2.5, 4.0, n),
    "beta": lambda rng, n: rng.beta(2.0, 3.0, n),
    "negative binomial counts": lambda rng, n: rng.negative_binomial(4, 0.5, n),
    "Poisson counts": lambda rng, n: rng.poisson(3.0, n),
    "whole numbers from 1": lambda rng, n: rng.geometric(0.3, n),
    "digits": lambda rng, n: rng.binomial(9, 0.4, n),
    "bits": lambda rng, n: rng.random(n) < 0.3,
    "normal, 8 columns": lambda rng, n: rng.normal(size=(n // 8, 8)),
    "Dirichlet, 4 columns": lambda rng, n: rng.dirichlet([1.0, 2.0, 3.0, 4.0], n // 4),
}
NATURAL = {  # where the first that fits is not what one would time
    "poisson": "Poisson counts",
    "bernoulli": "bits",
    "mvn": "normal, 8 columns",
    "student_t": "Student's t, 4 degrees",
    "cauchy": "Student's t, 4 degrees",
}
CODED = {"categorical": ("k",)}  # constants that only a column of text can do without


def make(sample: str, rows: int) -> Array:
    """`rows` values of a sample (all columns together)."""
    rng = np.random.default_rng(1)
    drawn = np.ascontiguousarray(SAMPLES[sample](rng, min(rows, DISTINCT)))
    wanted = max(1, rows // drawn.shape[1]) if drawn.ndim == 2 else rows
    made = np.empty((wanted, *drawn.shape[1:]), drawn.dtype)
    for at in range(0, wanted, len(drawn)):
        part = made[at : at + len(drawn)]
        part[:] = drawn[: len(part)] if at == 0 else rng.permutation(drawn)[: len(part)]
    return made


def new_family(name: str) -> Family:
    """A family by name, with its constants, if it needs any, at 10."""
    cls = family_class(name)
    needed = [f.name for f in fields(cls) if f.default is MISSING]  # type: ignore[arg-type]
    return cls(**dict.fromkeys((*needed, *CODED.get(name, ())), CONSTANT))


def chosen(name: str) -> tuple[Family, str] | None:
    """A family and the sample it is timed on: the first that it fits regularly, else the first that it fits."""
    family, second = new_family(name), None
    first = [NATURAL[name]] if name in NATURAL else []
    for sample in (*first, *SAMPLES):
        try:
            fit = api.fit(family, make(sample, TRY))
        except (FastmleError, TypeError):
            continue
        if fit.status in ("ok", "nonregular"):
            return family, sample
        second = second or (family, sample)
    return second


def every() -> Iterator[tuple[Family, str]]:
    """All registered families, each with its sample."""
    for name in REGISTRY:
        found = chosen(name)
        if found is not None:
            yield found
