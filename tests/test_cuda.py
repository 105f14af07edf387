"""The GPU's kernels without a GPU: run in Numba's simulator, and compiled and assembled for three architectures.

`pytest -m cuda` does both, and runs the checks on the device where there is one. Nothing else imports numba.cuda.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import CASES

import fastmle as fm
from fastmle.families import family_of
from fastmle.family import RowTerms
from fastmle.kernels.slots import slot_kinds, slot_layout

ARCHITECTURES = ((8, 0), (9, 0), (10, 0))
FAMILIES = sorted(n for n in CASES if isinstance(family_of(n, **CASES[n].constants).terms, RowTerms))
INSTALLED = importlib.util.find_spec("numba_cuda") is not None
needs_extra = pytest.mark.skipif(not INSTALLED, reason="the extra 'cuda' (numba-cuda[cu13], 0.5 GB) is not installed")


def run_checks(only: str = "", **environment: str) -> None:
    checks = Path(__file__).with_name("device_checks.py")
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", str(checks), "-k", only]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_family_of_each_shape_in_the_simulator() -> None:
    run_checks("(adds_what and (gaussian or gamma or weibull)) or counts_of_all or named", NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.parametrize("when", [pytest.param("slow", marks=pytest.mark.slow), pytest.param("cuda", marks=pytest.mark.cuda)])
def test_every_kernel_in_the_simulator(when: str) -> None:
    run_checks(NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.cuda
@needs_extra
def test_every_kernel_on_the_device() -> None:
    from fastmle.kernels.cuda import why_not

    if why_not():
        pytest.skip(why_not())
    run_checks(NUMBA_ENABLE_CUDASIM="0")


def test_without_a_device_cuda_is_an_error_and_auto_the_processor() -> None:
    code = """
import sys, fastmle as fm
from fastmle.kernels import cuda
fm.fit("gaussian", [1.0, 2.0, 4.0], device="auto")
assert "numba.cuda" not in sys.modules and "fastmle.kernels.cuda.stream" not in sys.modules
if cuda.why_not():
    on = {"device": "cuda"}
    for ask in (lambda: fm.fit("gaussian", [1.0, 2.0], **on), lambda: fm.loglik("gaussian", [1.0], mu=0, sigma=1, **on)):
        try:
            ask()
        except fm.FamilyError as error:
            assert "device='cuda'" in str(error) and ("pip install" in str(error) or "driver" in str(error)), error
        else:
            raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    with pytest.raises(fm.FamilyError, match="'cpu', 'cuda' or 'auto'"):
        fm.fit("gaussian", [1.0, 2.0], device="gpu")


def test_nothing_of_cuda_is_imported_unasked() -> None:
    code = """
import sys, numpy as np, fastmle as fm
fm.fit("gamma", np.arange(1.0, 9.0)); fm.fit("linear", (np.eye(4)[:, :2], np.arange(4.0)))
assert not [m for m in sys.modules if m.startswith(("numba.cuda", "numba_cuda", "fastmle.kernels.cuda", "fastmle.sources.device"))]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# -- compiled and assembled, with no driver ------------------------------------------------------------------------


@pytest.fixture
def assembled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """assembled(kernel, architecture) -> what the assembler says: registers, spills, local and shared memory, in bytes."""
    from cuda.bindings import nvjitlink
    from numba import cuda
    from numba.cuda import dispatcher

    def assemble(kernel: Any, architecture: tuple[int, int]) -> dict[str, int]:
        target = type("Device", (), {"compute_capability": architecture})
        monkeypatch.setattr(dispatcher, "get_current_device", lambda: target)
        ptx = cuda.compile_ptx(kernel.function, kernel.signature, cc=architecture)[0].encode()
        name = f"sm_{architecture[0]}{architecture[1]}"
        assert f".target {name}".encode() in ptx
        handle = nvjitlink.create(3, [f"-arch={name}", "-verbose", "-Xptxas=-v"])
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, ptx, len(ptx), "kernel")
        nvjitlink.complete(handle)
        log = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, log)
        cubin = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, cubin)
        nvjitlink.destroy(handle)
        assert cubin[:4] == b"\x7fELF"
        said = log.decode()
        patterns = {"registers": r"used (\d+) registers", "stores": r"(\d+) bytes spill stores", "loads": r"(\d+) bytes spill loads",
                    "stack": r"(\d+) bytes stack frame", "local": r"(\d+) bytes lmem", "shared": r"(\d+) bytes smem"}  # fmt: skip
        return {key: int(re.search(pattern, said).group(1)) for key, pattern in patterns.items()}  # type: ignore[union-attr]

    return assemble


def lean(found: dict[str, int]) -> None:
    """No spills, no local memory, and registers for at least 256 threads a multiprocessor of 65536."""
    assert found["stores"] == found["loads"] == found["stack"] == found["local"] == 0 < found["registers"] < 256


REPORT: dict[str, list[int]] = {}


@pytest.mark.cuda
@needs_extra
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_compiles_without_spills(name: str, assembled: Any) -> None:
    from fastmle.kernels.cuda.fold import IN_REGISTERS, THREADS, make_fold

    terms = family_of(name, **CASES[name].constants).terms
    for kind in (None, "sampling"):
        layout = slot_layout(terms.all_kinds(), kind)
        slots = len(slot_kinds(layout))
        kernel = make_fold(terms.row, terms.support, terms.theta, layout, kind is not None)
        for architecture in ARCHITECTURES:
            found = assembled(kernel, architecture)
            lean(found)
            assert found["shared"] >= 8 * slots * kernel.threads
            assert kernel.threads == THREADS or slots > IN_REGISTERS
            REPORT.setdefault(f"{name} {kind or 'unweighted'}, {slots} sums", []).append(found["registers"])


@cache
def models() -> dict[str, Any]:
    """The terms of every model under its first link."""
    from fastmle.regression import kinds
    from fastmle.regression.glm import GeneralizedLinear

    found = {}
    for cls in vars(kinds).values():
        if isinstance(cls, type) and issubclass(cls, GeneralizedLinear) and cls is not GeneralizedLinear:
            terms = cls(features=("x",), target="y").glm_terms(False, False)
            found[terms.name] = terms
    return found


@pytest.mark.cuda
@needs_extra
def test_regressions_counts_and_gram_matrices_compile_without_spills(assembled: Any) -> None:
    from fastmle.kernels.cuda.count import make_count
    from fastmle.kernels.cuda.products import make_glm, make_gram

    kernels = {"gram": make_gram(), "count": make_count()}
    kernels |= {name: make_glm(t.row, t.constants, t.support) for name, t in models().items()}
    assert len(kernels) >= 8
    for name, kernel in kernels.items():
        for architecture in ARCHITECTURES:
            found = assembled(kernel, architecture)
            lean(found)
            REPORT.setdefault(name, []).append(found["registers"])


@pytest.mark.cuda
@needs_extra
def test_registers_a_thread(capsys: pytest.CaptureFixture[str]) -> None:
    """Not a check but a report: registers a thread on sm_80, sm_90, sm_100, of what was compiled above."""
    with capsys.disabled():
        for name, registers in REPORT.items():
            sys.stdout.write(f"\n{name}: " + ", ".join(map(str, registers)))
