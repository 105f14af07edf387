"""What must hold of every kernel of the device, wherever it runs: in Numba's simulator (NUMBA_ENABLE_CUDASIM=1) or on a GPU.

Not collected by itself: tests/test_cuda.py runs it in a process of its own. The simulator runs each thread in Python, so
the data are two blocks of rows where blocks matter, else a part of one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy
from cases import CASES

import fastmle as fm
from fastmle.families import family_of
from fastmle.family import ColumnTerms, GramTerms, RowTerms, TableTerms
from fastmle.kernels import cuda as device
from fastmle.kernels import vecmath
from fastmle.kernels.cuda import maths, stream
from fastmle.kernels.cuda.fold import make_fold
from fastmle.kernels.cuda.products import make_glm
from fastmle.kernels.fold import BLOCK, compile_fold
from fastmle.kernels.glm import compile_glm
from fastmle.passes import Passes
from fastmle.regression.kinds import LogisticRegression, NegativeBinomialRegression, PoissonRegression
from fastmle.request import reading_options
from fastmle.sources import open_source
from fastmle.states import Options, new_state
from fastmle.states.glm import GlmState, Place

ROWS = BLOCK + 300
ONE_COLUMN = sorted(name for name in CASES if isinstance(family_of(name, **CASES[name].constants).terms, (RowTerms, TableTerms)))


class OnDevice:
    """An array with the interface of what lies on a GPU."""

    def __init__(self, values: np.ndarray) -> None:
        from numba import cuda

        self.held = values if device.simulated() else cuda.to_device(values)
        given = values.__array_interface__ if device.simulated() else self.held.__cuda_array_interface__
        self.__cuda_array_interface__ = {**given, "version": 3}


class ByDLPack:
    """The same by DLPack alone: NumPy's capsule, of an array said to lie on a GPU."""

    def __init__(self, values: np.ndarray) -> None:
        self.held = values

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self) -> Any:
        return self.held.__dlpack__()


def both(family: Any, data: Any, theta: Any = None, weights: Any = None, **options: Any) -> tuple[Any, Any]:
    """The state of one pass on the device, and on the processor."""
    kind, nulls = options.get("weight_kind", "frequency"), options.get("nulls", "raise")
    source = open_source(data, None, {"weights": weights})
    chosen = family.bind(source.names)
    states = []
    for where in ("cuda", "cpu"):
        reading = reading_options(source, chosen, weights is not None, kind, nulls, 1, where)
        states.append(Passes(source, reading).run(chosen.terms, theta))
    return states[0], states[1]


def close(a: Any, b: Any) -> None:
    """Equal but for the order of additions."""
    x, y = np.array(a.values()), np.array(b.values())
    assert (a.rows, a.seen, a.dropped, a.outside) == (b.rows, b.seen, b.dropped, b.outside)
    np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-14 * max(1.0, np.abs(y).max()) * 100)


@pytest.mark.parametrize("name", ONE_COLUMN)
def test_a_family_adds_what_it_adds_on_the_processor(name: str) -> None:
    case = CASES[name]
    family = family_of(name, **case.constants)
    x = case.sample(1, 500)
    theta = None if case.one_pass else family.row_theta(np.array(case.usual))
    a, b = both(family, x, theta)
    if isinstance(family.terms, TableTerms):
        assert a.payload() == b.payload() and a.rows == b.rows
    else:
        assert a.theta == b.theta
        close(a, b)


@pytest.mark.parametrize(
    ("name", "kind", "dtype"),
    [("gaussian", "precision", "f4"), ("lognormal", "precision", "f8"), ("gamma", "frequency", "f8"), ("beta", "sampling", "f8"),
     ("student_t", "sampling", "f8"), ("uniform", "frequency", "f8"), ("bernoulli", "frequency", "u1"), ("poisson", "frequency", "f8")],
)  # fmt: skip
def test_weights_and_nulls(name: str, kind: str, dtype: str) -> None:
    case = CASES[name]
    family = family_of(name)
    x = np.array(case.sample(2, ROWS), dtype)
    w = np.random.default_rng(3).uniform(0.0, 2.0, ROWS)
    w[::7] = 0.0
    w[5] = math.nan
    if dtype[0] == "f":
        x[11::13] = math.nan
    theta = None if case.one_pass else family.row_theta(np.array(case.usual))
    a, b = both(family, x, theta, w, weight_kind=kind, nulls="drop")
    assert a.dropped > 0
    if isinstance(family.terms, TableTerms):
        assert a.payload() == b.payload()
    else:
        close(a, b)


def test_unweighted_nulls_are_dropped_and_bad_rows_named() -> None:
    x = CASES["gamma"].sample(4, ROWS)
    x[[3, 4200]] = math.nan
    close(*both(family_of("gamma"), x, nulls="drop"))
    for bad in (math.nan, math.inf, -1.0):
        x = CASES["gamma"].sample(4, ROWS)
        x[4200] = bad
        said = []
        for where in ("cuda", "cpu"):
            with pytest.raises(fm.DataError) as error:
                fm.fit("gamma", x, device=where)
            said.append(str(error.value))
        assert said[0] == said[1] and "row 4200" in said[0]
    assert fm.loglik("exponential", -x, rate=1.0, device="cuda") == -math.inf


def test_counts_of_all_kinds() -> None:
    for x in (
        np.random.default_rng(5).poisson(3.0, ROWS),
        np.random.default_rng(5).poisson(3.0, ROWS).astype(float),
        np.r_[np.arange(ROWS - 3), 10**7, 10**7, 10**12],
    ):
        a, b = both(family_of("poisson"), x)
        assert a.payload() == b.payload() and a.rows == b.rows
    x = np.random.default_rng(5).poisson(3.0, ROWS).astype(float)
    x[[9, 4100]] = math.nan
    a, b = both(family_of("negative_binomial"), x, nulls="drop")
    assert a.payload() == b.payload() and a.dropped == b.dropped == 2
    x[9], x[4100] = 0.5, 1.0
    with pytest.raises(fm.DataError, match="row 9"):
        fm.fit("poisson", x, device="cuda")


@pytest.mark.parametrize(("columns", "kind"), [(2, None), (3, "frequency"), (2, "sampling"), (3, "precision"), (20, None)])
def test_gram_matrices(columns: int, kind: str | None) -> None:
    rng = np.random.default_rng(6)
    rows = ROWS if kind == "frequency" else 300
    x = rng.normal(3.0, 1.0, (columns, rows)) + rng.normal(0.0, 1.0, rows)
    x[0, 17] = math.nan
    w = rng.uniform(0.0, 2.0, rows)
    w[::5] = 0.0
    chunk = (*x, w) if kind else tuple(x)
    states = []
    for where, double in (("cuda", 0), ("cpu", 0), ("cuda", BLOCK)):
        labels = tuple(f"x{j}" for j in range(columns))
        options = Options(labels, kind is not None, kind or "frequency", nulls="drop", device=where)  # type: ignore[arg-type]
        state = new_state(GramTerms(columns, double_rows=double), options)
        state.add(chunk)
        states.append(state)
    close(states[0], states[1])
    mixed, plain = states[2].sums(), states[1].sums()  # the first block in double-double
    np.testing.assert_allclose(mixed.second, plain.second, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("matrix", [0, 1, 2])
@pytest.mark.parametrize("model", [LogisticRegression, PoissonRegression, NegativeBinomialRegression])
def test_passes_of_generalized_linear_models(model: Any, matrix: int) -> None:
    rng = np.random.default_rng(7)
    rows, weighted = (ROWS if model is PoissonRegression and matrix == 0 else 300), matrix != 1
    x = [rng.normal(size=rows), rng.normal(size=rows).astype("f4"), rng.integers(0, 2, rows).astype("u1")]
    y = rng.integers(0, 2, rows) if model is LogisticRegression else rng.poisson(2.0, rows)
    w = rng.uniform(0.0, 2.0, rows)
    w[::6] = 0.0
    x[0][23] = math.nan
    offset = rng.normal(size=rows)
    chunk = (*x, y, offset, *([w] if weighted else []))
    terms = replace(model(features=("a", "b", "c"), target="y").glm_terms(True, False), matrix=matrix)
    place = Place(np.array([0.1, 0.2, -0.3, 0.4]), np.array([0.1, 0.0, 0.5]), np.array([1.0, 2.0, 1.0]), 1.7)
    labels = ("a", "b", "c", "y", "offset")
    states = []
    for where in ("cuda", "cpu"):
        options = Options(labels, weighted, nulls="drop", device=where)  # type: ignore[arg-type]
        state = GlmState(terms, options, place)
        state.add(chunk)
        states.append(state)
    assert states[0].dropped == 1
    close(*states)


def test_whole_fits() -> None:
    rng = np.random.default_rng(8)
    x = rng.weibull(1.5, 200)
    a, b = fm.fit("weibull", x, device="cuda"), fm.fit("weibull", x)
    np.testing.assert_allclose([*a.params.values(), *a.bse.values(), a.llf], [*b.params.values(), *b.bse.values(), b.llf], rtol=1e-9)
    z = rng.normal(size=(150, 2))
    y = (rng.uniform(size=150) < 1.0 / (1.0 + np.exp(-z[:, 0]))).astype(float)
    a, b = fm.fit("logistic", (z, y), device="cuda"), fm.fit("logistic", (z, y))
    np.testing.assert_allclose([*a.params.values(), *a.bse.values(), a.llf], [*b.params.values(), *b.bse.values(), b.llf], rtol=1e-9)
    p = rng.dirichlet([2.0, 3.0, 4.0], 200)
    assert isinstance(family_of("dirichlet").bind(("a", "b", "c")).terms, ColumnTerms)
    a, b = fm.fit("dirichlet", p, device="cuda"), fm.fit("dirichlet", p)
    np.testing.assert_allclose(list(a.params.values()), list(b.params.values()), rtol=1e-9)


def test_data_on_the_device_are_used_where_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(9).normal(5.0, 2.0, 70000)  # more than is gathered on the host
    table = np.random.default_rng(9).normal(5.0, 2.0, (70000, 2))
    kinds: list[tuple[bool, ...]] = []

    def seen(run: Any, columns: Any, sums: np.ndarray, counts: np.ndarray) -> None:
        kinds.append(tuple(stream.interface_of(c) is not None for c in columns))
        for b in range(len(sums)):  # by NumPy, since the simulator would take a minute
            block = [np.asarray(c[b * BLOCK : (b + 1) * BLOCK]) for c in columns]
            u = (block[0] - theta[0]) * theta[1]
            sums[b], counts[b] = (u.sum(), (u * u).sum()), 0

    monkeypatch.setattr(stream, "run_blocks", seen)
    for data in (OnDevice(x), ByDLPack(x), {"x": OnDevice(x)}):
        theta = (float(np.mean(x[:BLOCK])), 1.0)
        kinds.clear()
        fit = fm.fit("gaussian", data, device="auto")
        assert kinds == [(True,), (False,)]  # the last rows, less than a block, come by the host
        np.testing.assert_allclose([fit.params["mu"], fit.params["sigma"]], [x.mean(), x.std()], rtol=1e-12)
        assert fm.fit("gaussian", data, device="cpu").params == fm.fit("gaussian", x).params
    theta = (float(np.mean(table[:BLOCK, 1])), 1.0)
    fit = fm.fit("gaussian", OnDevice(table), column=1, device="auto")
    assert fit.params["mu"] == pytest.approx(table[:, 1].mean(), rel=1e-13)
    kinds.clear()
    fm.fit("gaussian", x, device="auto")
    assert not kinds  # data of the host stay there


def test_columns_by_address_step_and_dtype() -> None:
    """No copy is made, whatever the stride."""
    table = np.random.default_rng(10).normal(size=(200, 3))
    from fastmle.sources.device import DeviceReader

    columns = [next(iter(DeviceReader(OnDevice(table)).batches([f"x{j}"], None))).columns[0].piece(0, 200) for j in range(3)]
    assert all(stream.interface_of(c) is not None for c in columns)
    if device.simulated():
        assert [c.address for c in columns] == [table.ctypes.data + 8 * j for j in range(3)]
    state = new_state(GramTerms(3), Options(("a", "b", "c"), device="cuda"))
    state.add(tuple(columns))  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.asarray(columns[1]), table[:, 1])
    s = state.sums()
    np.testing.assert_allclose(s.center + s.first / s.weight, table.mean(axis=0), rtol=1e-12)


def test_what_cannot_be_read_on_the_device_is_said() -> None:
    masked = OnDevice(np.zeros(5))
    masked.__cuda_array_interface__["mask"] = OnDevice(np.zeros(5))
    with pytest.raises(fm.DataError, match="null mask"):
        fm.fit("gaussian", masked)
    with pytest.raises(fm.DataError, match="float16"):
        fm.fit("gaussian", OnDevice(np.zeros(5, np.float16)))
    with pytest.raises(fm.DataError, match="aligned"):
        fm.fit("gaussian", OnDevice(np.zeros(5)[::-1]))


def test_the_same_bits_from_run_to_run_and_through_small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(11).gamma(2.0, 3.0, 2 * BLOCK + 50)
    terms = family_of("gamma").terms
    totals = []
    for size in (stream.STAGE, 8 * BLOCK, 1):  # all rows at once; and block by block through both buffers
        monkeypatch.setattr(stream, "STAGE", size)
        state = new_state(terms, Options(device="cuda"))
        state.add((x,))
        totals.append(state.totals)
    assert (totals[0] == totals[1]).all() and (totals[0] == totals[2]).all()


def test_cpu_and_device_kernels_are_made_of_the_same_functions() -> None:
    def enclosed(function: Any) -> list[Any]:
        return [cell.cell_contents for cell in function.__closure__]

    everything = [family_of(name, **CASES[name].constants).terms for name in ONE_COLUMN]
    for terms in [t for t in everything if isinstance(t, RowTerms)]:
        kernel = make_fold(terms.row, terms.support, terms.theta, terms.all_kinds() + "|", False)
        assert any(held is terms.row for held in enclosed(kernel.function))
    terms = family_of("gamma").terms
    cpu = compile_fold(terms.row, terms.support, terms.theta, terms.fill, terms.all_kinds() + "|", "float64", True, False)
    assert any(held is terms.row for held in enclosed(cpu.py_func))  # type: ignore[attr-defined]
    glm = LogisticRegression(features=("a",), target="y").glm_terms(False, False)
    fill = next(held for held in enclosed(make_glm(glm.row, glm.constants, glm.support).function) if callable(held))
    inner = enclosed(compile_glm(glm.name, glm.row, glm.constants, glm.support).py_func)  # type: ignore[attr-defined]
    for part in (glm.row, glm.constants, glm.support):
        assert any(held is part for held in enclosed(fill)) and any(held is part for held in inner)


def test_formulas_around_libdevice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions that libdevice does not have, with the host's in place of its own; and none of vecmath is missing."""
    assert {f.__name__ for f in maths.ON_DEVICE} == set(vecmath.__all__)
    names = ("log", "exp", "log1p", "expm1", "erfc", "lgamma", "erf", "tanh", "pow", "sqrt")
    host = SimpleNamespace(**{name: getattr(math, name) for name in names})
    host.erfcx = lambda x: float(scipy.special.erfcx(x))
    host.rint = lambda x: float(np.rint(x))
    host.fma = lambda a, b, c: float(Fraction(a) * Fraction(b) + Fraction(c))
    monkeypatch.setattr(maths, "libdevice", host)
    for x in (1e-8, 0.3, 0.999, 1.0, 1.4616321449683622, 2.0, 2.999, 3.0, 3.7, 50.0, 1e9):
        assert maths._digamma(x) == pytest.approx(float(scipy.special.digamma(x)), rel=1e-14, abs=1e-15)
        assert maths._trigamma(x) == pytest.approx(float(scipy.special.polygamma(1, x)), rel=1e-14)
    for x in (-30.0, -3.0, -0.1, 0.0, 0.1, 2.0, 9.0):
        assert maths._log_ndtr(x) == pytest.approx(float(scipy.special.log_ndtr(x)), rel=2e-14)
        assert maths._softplus(x) == pytest.approx(float(np.logaddexp(0.0, x)), rel=1e-15)
        assert maths._logistic(x) == pytest.approx(float(scipy.special.expit(x)), rel=1e-15)
        assert maths._sin(1e3 * x) == pytest.approx(math.sin(1e3 * x), rel=1e-15, abs=1e-16)
        assert maths._cos(1e5 * x) == pytest.approx(math.cos(1e5 * x), rel=1e-15, abs=1e-16)
    assert maths._log_ratio(3.0, 3.0 + 1e-12) == pytest.approx(-1e-12 / 3.0, rel=1e-3)
    assert maths._log_ratio(30.0, 3.0) == pytest.approx(math.log(10.0), rel=1e-15)
    assert math.isnan(maths._digamma(-1.0)) and maths._digamma(math.inf) == math.inf and math.isnan(maths._lgamma(-0.5))
