"""The peak of the vector functions: values a second of each, with its arguments in the cache, on one thread and on all.

`vecmath.json`, which a test writes and checks, has the errors of these functions, and the intervals they are timed on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dis import get_instructions
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, cast

import numpy as np
from numba import types
from numba.extending import register_jitable

from ..kernels import vecmath
from ..kernels.fold import BLOCK
from ..kernels.jit import compile_kernel
from ..pool import cores, run_slices
from .data import Array
from .timing import clock, record

NAMES = tuple(vecmath.__all__)
VALUES = 8 * BLOCK  # 256 KiB of arguments for each thread
TURNS = 200
SWEEPS = 3  # apart from each other, since others may use a core for a while
TWO, SECOND = ("log_ratio", "log_ratio_normal", "pow"), 3.7  # functions of two arguments, and the second one
FLAGS: dict[str, Any] = {"fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy"}
# what answers the same elsewhere: a module, and of its members and (x, out) an answer
ELSEWHERE: dict[str, tuple[str, Callable[[Any, Array, Array], Any]]] = {
    "decay2": ("numpy", lambda m, x, out: m.exp2(m.negative(x, out), out)),
    "exp2_normal": ("numpy", lambda m, x, out: m.exp2(x, out)),
    "log_ratio": ("numpy", lambda m, x, out: m.log(m.divide(x, SECOND, out), out)),
    "log_ratio_normal": ("numpy", lambda m, x, out: m.log(m.divide(x, SECOND, out), out)),
    "pow": ("numpy", lambda m, x, out: m.power(x, SECOND, out)),
    "erf": ("scipy.special", lambda m, x, out: m.erf(x, out)),
    "erfc": ("scipy.special", lambda m, x, out: m.erfc(x, out)),
    "log_ndtr": ("scipy.special", lambda m, x, out: m.log_ndtr(x, out)),
    "lgamma": ("scipy.special", lambda m, x, out: m.gammaln(x, out)),
    "digamma": ("scipy.special", lambda m, x, out: m.psi(x, out)),
    "trigamma": ("scipy.special", lambda m, x, out: m.zeta(2.0, x, out)),
    "softplus": ("numpy", lambda m, x, out: m.logaddexp(0.0, x, out)),
    "logistic": ("scipy.special", lambda m, x, out: m.expit(x, out)),
}


@cache
def known() -> dict[str, Any]:
    """Of each function: `where` it is timed, its largest error in `ulps`, the error `allowed`; and the number of points."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("vecmath.json").read_text())
    return found


@cache
def compile_sum(name: str) -> Callable[[Array, float], float]:
    """`total(x, second)`: the sum of a function of each value, as a kernel adds it; of two arguments the second is the same."""
    function = getattr(vecmath, name)

    @register_jitable(**FLAGS)
    def of_one(x: Any, _: Any) -> Any:
        total = 0.0
        for i in range(x.size):
            total += function(x[i])
        return total

    @register_jitable(**FLAGS)
    def of_two(x: Any, second: Any) -> Any:
        total = 0.0
        for i in range(x.size):
            total += function(x[i], second)
        return total

    body: Any = of_two if name in TWO else of_one

    def total(x, second):  # type: ignore[no-untyped-def]
        return body(x, second)

    signature = types.float64(types.float64[::1], types.float64)
    return compile_kernel(cast(FunctionType, total), signature, f"sum_of_{name}", (body, function))


def _elsewhere(name: str, x: Array) -> tuple[str, Callable[[], Any]]:
    module, answer = ELSEWHERE.get(name, ("numpy", lambda m, x, out: getattr(m, name)(x, out)))
    library, out = import_module(module), np.empty_like(x)
    return module.partition(".")[0], lambda: answer(library, x, out)


def _engines(name: str) -> dict[str, tuple[int, Callable[[], Any]]]:
    """Of each engine: how many calls it makes, and the calls. Raises AssertionError where the answers differ."""
    low, high = known()["functions"][name]["where"]
    x, kernel = np.random.default_rng(5).uniform(low, high, VALUES), compile_sum(name)
    engine, other = _elsewhere(name, x)
    answers = other()
    assert abs(kernel(x, SECOND) - answers.sum()) <= 1e-12 * np.abs(answers).sum(), f"{name} is not {engine}'s"
    copies = [x.copy() for _ in range(cores())]

    def job(core: int, _: int) -> None:
        for _ in range(TURNS):  # so that starting the threads does not count
            kernel(copies[core], SECOND)

    ours = {"fastmle": cores(), "fastmle, 1 thread": 1}
    calls = {called: (n * TURNS, partial(run_slices, job, n, n)) for called, n in ours.items()}
    return {**calls, engine: (1, other)}


def functions() -> Iterator[dict[str, Any]]:
    """Each function on all threads, on one, and elsewhere (on one)."""
    engines = {name: _engines(name) for name in NAMES}
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(SWEEPS):
        for name, made in engines.items():
            for engine, (_, call) in made.items():
                times.setdefault((name, engine), []).extend(clock(call))
    for (name, engine), taken in times.items():
        values = engines[name][engine][0] * VALUES
        speed = values / min(taken)  # a limit is the best that was seen
        yield record(f"function {name}", engine, taken, rows=values, function=name, values_per_second=speed)


def called_by(row: Any) -> dict[str, int]:
    """The vector functions that a row function calls, through others too, and how often."""
    found: dict[str, int] = {}
    for step in get_instructions(row):
        called = row.__globals__.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
        if not isinstance(called, FunctionType):
            continue
        name = called.__name__
        inner = {name: 1} if getattr(vecmath, name, None) is called else called_by(called)
        for one, times in inner.items():
            found[one] = found.get(one, 0) + times
    return found
