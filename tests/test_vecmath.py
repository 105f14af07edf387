"""vecmath against mpmath, against its plain twins, and as machine code.

`FASTMLE_VECMATH_TABLE=tests/vecmath_table.md pytest tests/test_vecmath.py -k table` writes the measured
error and speed of every function, and the errors also to `fastmle/bench/vecmath.json`, from which
reports take them; `pytest -m slow` repeats the accuracy test on 100,000 points each and
inspects the code for AVX-512 and NEON.
"""

import json
import math
import os
import platform
import re
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import llvmlite.binding as llvm
import mpmath as mp
import numba
import numpy as np
import pytest
from numba.core import config

from fastmle.bench import functions
from fastmle.kernels import vecmath

INF, NAN = math.inf, math.nan
TABLE = os.environ.get("FASTMLE_VECMATH_TABLE")
SHIPPED = Path(functions.__file__).with_name("vecmath.json")
RATIO_AT = 3.7  # the c of log_ratio in the tests


def _softplus(x):
    return max(x, 0) + mp.log1p(mp.exp(-abs(x)))


def _log_ndtr(x):
    tail = mp.erfc(abs(x) / mp.sqrt(2)) / 2
    return mp.log1p(-tail) if x > 0 else mp.log(tail)


class Case(NamedTuple):
    """What a function is compared with, how close it must come, and where (dense intervals; the first is timed).

    A negative start with a negative end, or a ratio of ends above a million, is sampled evenly in the logarithm.
    """

    exact: object
    ulps: float
    intervals: tuple


CASES = {
    "exp": Case(mp.exp, 2, ((-1, 1), (-745.1, 709.78))),
    "exp2_normal": Case(lambda x: mp.power(2, x), 2, ((-1, 1), (-1021, 1023.999))),
    "decay2": Case(lambda x: mp.power(2, -x), 2, ((0, 1), (0, 1021))),
    "expm1": Case(mp.expm1, 2, ((-1, 1), (-40, 709.78), (1e-308, 1), (-1, -1e-308))),
    "log": Case(mp.log, 2, ((0.5, 2), (0.999, 1.001), (5e-324, 1.79e308))),
    "log1p": Case(
        mp.log1p, 2, ((-0.5, 1.5), (-1 + 2e-16, 3), (1e-308, 1.79e308), (1e307, 1.79e308), (-0.99, -1e-308))
    ),
    "log_ratio": Case(lambda x: mp.log(x / mp.mpf(RATIO_AT)), 2, ((2, 7), (3.699, 3.701), (5e-324, 1.79e308))),
    "log_ratio_normal": Case(lambda x: mp.log(x / mp.mpf(RATIO_AT)), 2, ((2, 7), (3.699, 3.701), (2.3e-308, 1.79e308))),
    "sqrt": Case(mp.sqrt, 0.5001, ((0, 10), (5e-324, 1.79e308))),
    "tanh": Case(mp.tanh, 2, ((-1, 1), (-20, 20), (1e-308, 1))),
    "sin": Case(mp.sin, 2, ((-4, 4), (-(2**20), 2**20), (1e-308, 1))),
    "cos": Case(mp.cos, 2, ((-4, 4), (-(2**20), 2**20))),
    "pow": Case(mp.power, 4, ((0.5, 2), (1e-3, 1e3), (5e-324, 1.79e308))),
    "erf": Case(mp.erf, 4, ((-1.5, 1.5), (-6, 6), (1e-308, 1))),
    "erfc": Case(mp.erfc, 4, ((-1.5, 1.5), (-6, 27.2))),
    "log_ndtr": Case(_log_ndtr, 4, ((-3, 3), (-40, 37.6), (-1e100, -1))),
    "lgamma": Case(mp.loggamma, 8, ((0, 3), (0.9, 1.1), (1.9, 2.1), (3, 20), (1e-308, 1e305))),
    "digamma": Case(mp.digamma, 8, ((0, 3), (1.46, 1.4633), (3, 20), (1e-300, 1e300))),
    "trigamma": Case(lambda x: mp.polygamma(1, x), 8, ((0, 3), (3, 20), (1e-150, 1e150))),
    "softplus": Case(_softplus, 2, ((-2, 2), (-740, 740))),
    "logistic": Case(lambda x: 1 / (1 + mp.exp(-x)), 2.5, ((-2, 2), (-740, 740))),
}
NAMES = sorted(CASES)
POINTS = 20_000  # of the table

SPECIAL = {
    "exp": ((0.0, 1.0), (-0.0, 1.0), (1000.0, INF), (-1000.0, 0.0), (INF, INF), (-INF, 0.0)),
    "exp2_normal": (
        (0.0, 1.0),
        (-0.0, 1.0),
        (1023.0, 2.0**1023),
        (1024.0, INF),
        (1e300, INF),
        (INF, INF),
        (-1021.0, 2.0**-1021),
        (-1030.0, 2.0**-1021),
        (-INF, 2.0**-1021),
    ),
    "decay2": ((0.0, 1.0), (-0.0, 1.0), (1021.0, 2.0**-1021), (1e300, 2.0**-1021), (INF, 2.0**-1021)),
    "expm1": (
        (0.0, 0.0),
        (-0.0, -0.0),
        (1000.0, INF),
        (-1000.0, -1.0),
        (INF, INF),
        (-INF, -1.0),
        (5e-324, 5e-324),
    ),
    "log": ((0.0, -INF), (-0.0, -INF), (1.0, 0.0), (-1.0, NAN), (-5e-324, NAN), (INF, INF), (-INF, NAN)),
    "log1p": ((0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-2.0, NAN), (INF, INF), (-INF, NAN), (5e-324, 5e-324)),
    "sqrt": ((0.0, 0.0), (-0.0, -0.0), (-1.0, NAN), (INF, INF), (-INF, NAN), (4.0, 2.0)),
    "tanh": ((0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (30.0, 1.0), (5e-324, 5e-324)),
    "sin": ((0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (5e-324, 5e-324)),
    "cos": ((0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)),
    "erf": ((0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (7.0, 1.0), (-7.0, -1.0)),
    "erfc": ((0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (30.0, 0.0), (-7.0, 2.0)),
    "log_ndtr": ((INF, 0.0), (-INF, -INF), (50.0, 0.0), (-1e200, -INF)),
    "lgamma": (
        (0.0, INF),
        (1.0, 0.0),
        (2.0, 0.0),
        (-0.5, NAN),
        (-3.0, NAN),
        (INF, INF),
        (-INF, NAN),
        (1.7e308, INF),
    ),
    "digamma": ((0.0, NAN), (-0.5, NAN), (INF, INF), (-INF, NAN), (5e-324, -INF)),
    "trigamma": ((0.0, NAN), (-0.5, NAN), (INF, 0.0), (-INF, NAN), (1e-160, INF)),
    "softplus": ((INF, INF), (-INF, 0.0), (1e300, 1e300), (-1e300, 0.0)),
    "logistic": ((0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e300, 1.0), (-1e300, 0.0)),
}
EDGES = (0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 2.5, -2.5, 1e300, -1e300, 1e-300, -1e-300)
EDGES += (5e-324, -5e-324, 2.0**53, -(2.0**53), 1 - 2**-53, 1 + 2**-52, -1 + 2**-53, INF, -INF, NAN)


def _function(name):
    """The function of one array: pow keeps its two, log_ratio its constant."""
    function = getattr(vecmath, name)
    if name.startswith("log_ratio"):
        return numba.extending.register_jitable(lambda x: function(x, RATIO_AT))
    return function


@cache
def compiled(name):
    """A loop that maps the function over arrays, as a kernel would be compiled."""
    function = _function(name)
    if name == "pow":
        return numba.njit("void(f8[::1], f8[::1], f8[::1])", error_model="numpy")(_map_pairs(function))
    return numba.njit("void(f8[::1], f8[::1])", error_model="numpy")(_map(function))


def _map(function):
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    return loop


def _map_pairs(function):
    def loop(x, y, out):
        for i in range(x.size):
            out[i] = function(x[i], y[i])

    return loop


def evaluate(name, *columns):
    out = np.empty_like(columns[0])
    compiled(name)(*columns, out)
    return out


def plain(name, *arguments):
    if name.startswith("log_ratio"):
        arguments += (RATIO_AT,)
    return getattr(vecmath, name)(*map(float, arguments))


def sample(name, size):
    """Points spread over each interval of the case, and random bits inside the widest one; pow gets pairs."""
    rng = np.random.default_rng(20240613)
    case = CASES[name]
    parts = len(case.intervals) + 1
    columns = []
    for low, high in case.intervals:
        share = np.linspace(0, 1, size // parts, endpoint=False) + rng.random(size // parts) / (size // parts)
        if low * high > 0 and abs(math.log(abs(low)) - math.log(abs(high))) > 14:
            columns.append(
                np.sign(low) * np.exp(np.log(abs(low)) + share * (np.log(abs(high)) - np.log(abs(low))))
            )
        else:
            columns.append(low + share * (high - low))
    low, high = min(case.intervals)[0], max(end for _, end in case.intervals)
    random_bits = rng.integers(0, 2**64, 12 * size, dtype=np.uint64).view(np.float64)
    columns.append(random_bits[(random_bits >= low) & (random_bits <= high)][: size // parts])
    x = np.concatenate(columns)
    if name != "pow":
        return (x,)
    # An exponent that leads anywhere between underflow and overflow.
    return x, np.clip(rng.uniform(-745, 709, x.size) / np.log(x), -1e300, 1e300)


def distance(got, exact):
    """|got - exact| in ulps of the exact value."""
    nearest = float(exact)
    if math.isinf(nearest) or math.isinf(got) or math.isnan(got):
        return 0.0 if got == nearest else INF
    return float(abs(mp.mpf(got) - exact) / mp.mpf(math.ulp(nearest)))


def worst(name, size):
    """The largest error over the sample, and where."""
    columns = sample(name, size)
    with mp.workdps(60):
        exact = CASES[name].exact
        errors = [
            (distance(got, exact(*map(mp.mpf, point))), *point)
            for got, *point in zip(
                evaluate(name, *columns).tolist(), *(c.tolist() for c in columns), strict=True
            )
        ]
    return max(errors)


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def test_every_function_has_a_case():
    assert sorted(vecmath.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_accuracy(name):
    found = worst(name, 2500)
    assert found[0] <= min(CASES[name].ulps, functions.known()["functions"][name]["ulps"] + 0.3), found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_accuracy_on_many_points(name):
    assert worst(name, 100_000)[0] <= CASES[name].ulps, worst(name, 100_000)


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_special_values(name):
    payload = np.uint64(0xFFF8000012345FFF).view(
        np.float64
    )  # a nan of other bits must not reach the exponents
    x = np.array([x for x, _ in SPECIAL[name]] + [NAN, -NAN, payload])
    expected = [value for _, value in SPECIAL[name]] + 3 * [NAN]
    for point, want, got in zip(x.tolist(), expected, evaluate(name, x).tolist(), strict=True):
        assert same(got, want), (point, got, want)
        assert same(plain(name, point), want), (point, plain(name, point), want)


def test_pow_special_values():
    x, y = (grid.ravel() for grid in np.meshgrid(EDGES, EDGES))
    for a, b, got in zip(x.tolist(), y.tolist(), evaluate("pow", x, y).tolist(), strict=True):
        want = plain("pow", a, b)
        assert same(got, want) or abs(got - want) <= 4 * math.ulp(want), (a, b, got, want)


@pytest.mark.parametrize("name", NAMES)
def test_plain_twin(name):
    columns = sample(name, 5000)
    if name != "pow":
        edges = np.array(EDGES)
        inside = {
            "sin": np.abs(edges) < 1e10,
            "cos": np.abs(edges) < 1e10,
            "log_ratio": (edges > 0) & (edges < INF),
            "log_ratio_normal": (edges >= 1e-300) & (edges < INF),
            "decay2": (edges >= 0) | np.isnan(edges),
        }
        columns = (np.append(columns[0], edges[inside.get(name, slice(None))]),)
    got = evaluate(name, *columns).tolist()
    for value, *point in zip(got, *(c.tolist() for c in columns), strict=True):
        want = plain(name, *point)
        close = math.isfinite(want) and abs(value - want) <= (CASES[name].ulps + 2) * math.ulp(want)
        assert close or same(value, want), (point, value, want)


@numba.njit
def _of_an_integer_and_a_single(n, x):
    return vecmath.log(n) + vecmath.pow(n, x) + vecmath.log_ratio(x, n)


def test_other_number_types():
    expected = math.log(4) + 4**0.5 + math.log(0.5 / 4)
    assert _of_an_integer_and_a_single(4, np.float32(0.5)) == pytest.approx(expected, rel=1e-15)


def test_log_ratio_at_the_end_of_the_range():
    ratio = numba.njit(lambda x, c: vecmath.log_ratio(x, c))
    for x, c in ((1.7e308, 1.0), (1.7e308, 0.99), (1e-300, 1e7), (1.7e308, 2.3e-308), (5e-324, 1.7e308), (1.5e308, 1.3e308)):
        assert ratio(x, c) == pytest.approx(math.log(x) - math.log(c), rel=1e-15)
    for c in (0.0, -1.0, 5e-324, INF, NAN):
        assert math.isnan(ratio(1.0, c)) and math.isnan(vecmath.log_ratio(1.0, c))


LIBM = r"@(?:llvm\.)?(?:exp|expm1|log|log1p|pow|tanh|sin|cos|erf|erfc|lgamma|tgamma)(?:\.f64)?\("


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
@pytest.mark.parametrize("name", NAMES)
def test_vectorised_on_this_machine(name):
    loop = compiled(name)
    features = llvm.get_host_cpu_features()
    register = "[yz]mm" if features.get("avx2") and features.get("fma") else "xmm"
    operation = "vsqrtpd" if name == "sqrt" else "vf[n]?m(?:add|sub)[0-9]+pd"
    assert re.search(rf"\s{operation}\s.*{register}", loop.inspect_asm(loop.signatures[0]))
    assert not re.search(r"call[^\n]*" + LIBM, loop.inspect_llvm(loop.signatures[0]))


def _without_vectors(name):
    """The optimised loop as LLVM code, alone and still scalar, to be compiled for other processors."""
    with patch.object(config, "LOOP_VECTORIZE", 0):
        compiled.cache_clear()
        loop = compiled(name)
        compiled.cache_clear()
    code = loop.inspect_llvm(loop.signatures[0])
    for body in re.findall(r"^define .*?^}", code, re.DOTALL | re.MULTILINE):
        symbol = re.match(r'define [^@]*@"?([^"(]+)', body)[1]
        if not symbol.startswith("_ZN") or "cpython" in symbol or "cfunc" in symbol:
            code = code.replace(body, "")
    return code


def _assembly(code, triple, cpu, features):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = llvm.parse_assembly(re.sub("target triple = .*", f'target triple = "{triple}"', code))
    target = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, features=features, opt=3)
    module.data_layout = str(target.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)
    return target.emit_assembly(module)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_vectorised_elsewhere(name):
    code = _without_vectors(name)
    assert "x double>" not in code
    avx512 = _assembly(code, "x86_64-unknown-linux-gnu", "skylake-avx512", "-prefer-256-bit")
    assert re.search(
        r"\svsqrtpd\s.*zmm" if name == "sqrt" else r"\svf[n]?m(?:add|sub)[0-9]+pd\s.*zmm", avx512
    )
    assert not re.search(r"\bcall", avx512)
    neon = _assembly(code, "aarch64-unknown-linux-gnu", "neoverse-n1", "")
    assert re.search(r"\sfsqrt\s+v\d+\.2d" if name == "sqrt" else r"\sfml[as]\s+v\d+\.2d", neon)
    assert not re.search(r"\sbl\s", neon)


def nanoseconds(name):
    """Time per element of a sum over 8192 values from the first interval, in the second-level cache; best of many."""
    function = _function(name)
    flags = {"fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy"}
    columns = tuple(np.resize(c[: sample(name, 2500)[0].size // 5], 8192) for c in sample(name, 2500))
    if name == "pow":

        @numba.njit(**flags)
        def total(x, y):
            s = 0.0
            for i in range(x.size):
                s += function(x[i], y[i])
            return s
    else:

        @numba.njit(**flags)
        def total(x):
            s = 0.0
            for i in range(x.size):
                s += function(x[i])
            return s

    best = INF
    for _ in range(300):
        start = time.perf_counter()
        total(*columns)
        best = min(best, time.perf_counter() - start)
    return best / columns[0].size * 1e9


@pytest.mark.skipif(not TABLE, reason="writes a table only where FASTMLE_VECMATH_TABLE says so")
def test_table():
    lines = [
        "| function | intervals, besides random bits | error, ulps | allowed | ns per value |",
        "|---|---|---|---|---|",
    ]
    shipped = {}
    for name in NAMES:
        case = CASES[name]
        intervals = ", ".join(f"[{low:.4g}, {high:.4g}]" for low, high in case.intervals)
        error, *point = worst(name, POINTS)
        lines.append(f"| {name} | {intervals} | {error:.2f} | {case.ulps:.3g} | {nanoseconds(name):.2f} |")
        shipped[name] = {"where": case.intervals[0], "ulps": round(error, 2), "allowed": case.ulps, "at": point}
    lines.append(f"\nOne core, {llvm.get_host_cpu_name()}, Numba {numba.__version__}; {POINTS:,} points each.")
    Path(TABLE).write_text("\n".join(lines) + "\n")
    SHIPPED.write_text(json.dumps({"points": POINTS, "functions": shipped}, indent=1) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_the_error_that_reports_show_is_that_of_this_code(name):
    shown, case = functions.known()["functions"][name], CASES[name]
    assert (shown["allowed"], tuple(shown["where"])) == (case.ulps, case.intervals[0])
    point = [np.array([value]) for value in shown["at"]]
    with mp.workdps(60):
        error = distance(evaluate(name, *point)[0], case.exact(*map(mp.mpf, shown["at"])))
    assert error <= case.ulps
    if llvm.get_host_cpu_features().get("fma"):  # where it was written
        assert error == pytest.approx(shown["ulps"], abs=0.006), "write the table anew, as the first lines of this file say"
    (row,) = (line for line in Path(__file__).with_name("vecmath_table.md").read_text().splitlines() if f"| {name} |" in line)
    assert float(row.split("|")[3]) == shown["ulps"]


def test_reports_know_the_error_of_every_function():
    assert sorted(functions.known()["functions"]) == NAMES
