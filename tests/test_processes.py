"""Threads, forks, cold caches that several processes share, no cache at all, Ctrl-C, and families that are edited."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmle as fm
from fastmle.pool import run_slices, share

ROOT = Path(fm.__file__).parent.parent
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="signals and forks as on Linux")


def start(
    code: str, *args: object, cache: Path | None = None, path: Path = ROOT, **env: str
) -> subprocess.Popen[str]:
    """A new Python process that runs `code`."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])} | env
    if cache is not None:
        variables["NUMBA_CACHE_DIR"] = str(cache)
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, args)],
        env=variables, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str], seconds: float = 120.0) -> Any:
    """What it printed, as JSON; its errors if it failed."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return json.loads(out)


# -- threads and forks -----------------------------------------------------------------------------------------------------


def test_eight_threads_at_once() -> None:
    rng = np.random.default_rng(0)
    x, counts = rng.gamma(2.0, 3.0, 300_000), rng.poisson(3.0, 300_000)
    work = [("gamma", x), ("gaussian", x), ("weibull", x), ("poisson", counts)] * 2
    expected = {name: fm.fit(name, data).to_dict() for name, data in work}
    state = fm.suffstats("gaussian").update(x)
    got: list[Any] = []
    ready = threading.Barrier(len(work))

    def job(name: str, data: np.ndarray) -> None:
        ready.wait()
        for _ in range(3):
            got.append((name, fm.fit(name, data, threads=2).to_dict(), (state + state).nobs))

    threads = [threading.Thread(target=job, args=item) for item in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 24
    for name, stored, merged in got:
        assert stored == expected[name]
        assert merged == 600_000


@pytest.mark.parametrize("name", ["gamma", "poisson", "mvn"])
def test_threads_that_share_a_state_lose_no_row(name: str) -> None:
    x = np.random.default_rng(0).poisson(3.0, (400, 3)) + 1.0
    rows = x if name == "mvn" else x[:, 0]
    state, copies = fm.suffstats(name, keep="bins"), []
    step = sys.getswitchinterval()

    def job() -> None:
        for lo in range(0, 400, 4):
            state.update(rows[lo : lo + 4])
            copies.append((state + state).nobs)

    threads = [threading.Thread(target=job) for _ in range(6)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(step)
    assert state.nobs == 2400 and len(copies) == 600 and all(n % 4 == 0 for n in copies)
    mean = state.fit().params["mu"] if name == "mvn" else state.fit().params["rate"] if name == "poisson" else None
    if mean is not None:
        np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-13)
    assert state.kept is not None and sum(bins.weights.sum() for bins in state.kept.bins) == 2400 * len(state.kept.bins)


@pytest.mark.parametrize(("count", "threads"), [(1, 2), (10, 7), (1000, 2), (12_345, 3)])
def test_slices_make_up_the_whole_and_get_smaller(count: int, threads: int) -> None:
    done: list[tuple[int, int]] = []
    run_slices(lambda a, b: done.append((a, b)), count, threads)
    done.sort()
    assert done[0][0] == 0 and done[-1][1] == count
    assert all(a < b for a, b in done) and all(one[1] == next_one[0] for one, next_one in itertools.pairwise(done))
    sizes = [b - a for a, b in done[:-1]]
    assert sizes == sorted(sizes, reverse=True) and len(done) < 100


def test_a_thread_that_is_held_up_keeps_nobody_waiting_with_slices_to_do() -> None:
    done: list[tuple[int, int, str]] = []
    first = threading.Event()

    def job(a: int, b: int) -> None:
        done.append((a, b, threading.current_thread().name))
        if not first.is_set():
            first.set()
            time.sleep(0.3)

    run_slices(job, 1000, 2)
    assert sum(b - a for a, b, _ in done) == 1000
    held_up = next(name for a, _, name in done if a == 0)
    assert [a for a, _, name in done if name == held_up] == [0]


def test_a_launch_ends_with_its_last_slice_and_raises_its_first_error() -> None:
    places: list[tuple[int, int]] = []

    def nested(a: int, b: int) -> None:  # more launches than threads: nobody waits for a thread that does not come
        for k in range(a, b):
            run_slices(lambda c, d, k=k: places.extend((k, i) for i in range(c, d)), 5, 5)

    run_slices(nested, 6, 6)
    assert sorted(places) == [(k, i) for k in range(6) for i in range(5)]
    ended_slices: list[int] = []
    begun = threading.Event()

    def failing(a: int, b: int) -> None:
        if threading.current_thread() is threading.main_thread():
            assert begun.wait(20.0)
            raise KeyError(a)
        begun.set()
        time.sleep(0.2)
        ended_slices.append(a)
        raise ValueError(a)

    with pytest.raises(KeyError):
        run_slices(failing, 2, 2)
    assert len(ended_slices) == 1  # the caller's own error came first, and yet it waited

    def one(a: int, b: int) -> None:
        if a == 1:
            raise ValueError(a)

    with pytest.raises(ValueError, match="1"):
        run_slices(one, 3, 3)


@pytest.mark.parametrize(("pause", "alone"), [(1e-5, True), (1e-2, False)])
def test_other_threads_are_called_where_the_rest_is_worth_it(
    pause: float, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmle.pool.WORTH", 0.05)
    done: list[tuple[int, int, str]] = []

    def job(a: int, b: int) -> None:
        done.append((a, b, threading.current_thread().name))
        time.sleep(pause * (b - a))

    run_slices(job, 40, 2, trial=4)
    assert done[0][:2] == (0, 4) and sorted(i for a, b, _ in done for i in range(a, b)) == list(range(40))
    assert (len(done) == 2) == alone == (len({name for *_, name in done}) == 1)
    done.clear()
    run_slices(job, 8, 2, trial=4)
    assert [part[:2] for part in done] == [(0, 8)]


@pytest.mark.parametrize("all_done", [False, True])
def test_who_leads_waits_for_the_others_unless_all_is_done(all_done: bool) -> None:
    begun, ended = threading.Event(), threading.Event()

    def job(leads: bool) -> bool:
        if leads:
            return begun.wait(20.0) and all_done
        begun.set()
        time.sleep(0.2)
        ended.set()
        return True

    share(job, 2)
    assert begun.is_set() and ended.is_set() != all_done
    assert ended.wait(20.0)


def test_what_another_thread_raises_is_raised_by_who_leads() -> None:
    begun = threading.Event()

    def failing(leads: bool) -> bool:
        if leads:
            return not begun.wait(20.0)
        begun.set()
        raise ValueError("another")

    with pytest.raises(ValueError, match="another"):
        share(failing, 2)


@LINUX
def test_a_forked_child_fits_an_array_after_its_parent_did() -> None:
    process = start(
        """
        import json, os, sys, warnings
        import numpy as np, fastmle as fm
        warnings.simplefilter("ignore", DeprecationWarning)
        x = np.random.default_rng(0).gamma(2.0, 3.0, 400_000)
        names = ["gaussian", "gamma", "weibull"]
        before = [fm.fit(n, x, threads=2).to_dict() for n in names]
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write, json.dumps([fm.fit(n, x, threads=2).to_dict() for n in names]).encode())
            os._exit(0)
        os.close(write)
        text = b"".join(iter(lambda: os.read(read, 1 << 16), b""))
        _, status = os.waitpid(child, 0)
        after = [fm.fit(n, x, threads=2).to_dict() for n in names]
        print(json.dumps([status, json.loads(text) == before, after == before]))
        """
    )
    assert ended(process, 60) == [0, True, True]


@LINUX
def test_a_child_forked_while_a_thread_compiles_does_not_wait_for_it(tmp_path: Path) -> None:
    process = start(
        """
        import json, os, signal, threading, warnings
        import numpy as np, fastmle as fm
        from numba.core.compiler_lock import global_compiler_lock
        warnings.simplefilter("ignore", DeprecationWarning)
        x = np.arange(1.0, 100.0)
        fm.fit("exponential", x)
        began = threading.Event()

        def compile():
            with global_compiler_lock:
                began.set()
                fm.fit("weibull", x)

        thread = threading.Thread(target=compile)
        thread.start()
        began.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            os._exit(int(fm.fit("gaussian", x).params.mu != x.mean()))
        _, status = os.waitpid(child, 0)
        thread.join()
        print(json.dumps(status))
        """,
        cache=tmp_path,
    )
    assert ended(process) == 0


# -- the cache -------------------------------------------------------------------------------------------------------------

FIT = """
    import json, logging, sys
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    import numpy as np, fastmle as fm
    out = []
    for name, dtype, weighted in json.loads(sys.argv[1]):
        x = np.random.default_rng(1).integers(0 if name == "bernoulli" else 1, 2 if name == "bernoulli" else 9, 20_000)
        fit = fm.fit(name, x.astype(dtype), weights=np.arange(20_000) % 3 if weighted else None)
        out.append(fit.to_dict())
    print(json.dumps(out))
"""
WORK: list[
    list[list[Any]]
] = [  # a process each; neighbours compile variants of one family at the same moment
    [["gaussian", "f8", False], ["gamma", "f8", False]],
    [["gaussian", "f4", False], ["gamma", "f4", False]],
    [["gaussian", "f8", True], ["gamma", "f8", True]],
    [["gaussian", "i8", False], ["gamma", "i8", False]],
    [["gaussian", "i4", False], ["weibull", "f8", False]],
    [["poisson", "i8", False], ["weibull", "f4", False]],
    [["bernoulli", "f8", False], ["uniform", "f8", False]],
    [["bernoulli", "u1", False], ["uniform", "f8", True]],
]


def cold_processes(work: list[list[list[Any]]], cache: Path) -> None:
    expected = []
    for items in work:
        expected.append([])
        for name, dtype, weighted in items:
            lowest, highest = (0, 2) if name == "bernoulli" else (1, 9)
            x = np.random.default_rng(1).integers(lowest, highest, 20_000).astype(dtype)
            fit = fm.fit(name, x, weights=np.arange(20_000) % 3 if weighted else None)
            expected[-1].append(fit.to_dict())
    kept: list[dict[Path, int]] = []
    for _ in range(2):  # cold, then from the cache
        running = [start(FIT, json.dumps(items), cache=cache) for items in work]
        assert [ended(process, 300) for process in running] == expected
        kept.append({p: p.stat().st_mtime_ns for p in cache.rglob("*.nb*")})
    assert kept[0] == kept[1] != {}  # the second round compiled nothing
    assert not list(cache.rglob("*.tmp*"))


def test_cold_processes_share_a_cache(tmp_path: Path) -> None:
    cold_processes([items[1:] for items in WORK[:3]], tmp_path)


@pytest.mark.slow
def test_eight_cold_processes_share_a_cache(tmp_path: Path) -> None:
    cold_processes(WORK, tmp_path)


def copied(folder: Path) -> Path:
    """A copy of the package in which no cache directory can be made: its name is taken by a file."""
    shutil.copytree(
        ROOT / "fastmle", folder / "fastmle", ignore=shutil.ignore_patterns("__pycache__", "data")
    )
    for place in [folder / "fastmle", *(p for p in (folder / "fastmle").rglob("*") if p.is_dir())]:
        (place / "__pycache__").write_text("")
    return folder


def test_no_cache_directory_can_be_written(tmp_path: Path) -> None:
    """Fits are the same, and the log says once that kernels are not kept."""
    taken = tmp_path / "file"
    taken.write_text("")
    work = WORK[0]
    process = start(
        FIT, json.dumps(work), cache=taken / "cache", path=copied(tmp_path / "package"),
        HOME=str(taken), XDG_CACHE_HOME=str(taken), PYTHONDONTWRITEBYTECODE="1",
    )  # fmt: skip
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert [f["params"] for f in json.loads(out)] == [fit_of(*item).to_dict()["params"] for item in work]
    assert err.count("no writable cache directory") == 1
    assert "Traceback" not in err


def fit_of(name: str, dtype: str, weighted: bool) -> fm.Fit:
    x = np.random.default_rng(1).integers(1, 9, 20_000).astype(dtype)
    return fm.fit(name, x, weights=np.arange(20_000) % 3 if weighted else None)


@LINUX
def test_a_full_disk_does_not_stop_a_fit(tmp_path: Path) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n" + textwrap.dedent(FIT)
    process = start(code, json.dumps(WORK[0][:1]), cache=tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert ended(process)[0]["params"] == fit_of(*WORK[0][0]).to_dict()["params"]


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------------

INTERRUPTED = """
    import json, sys, time
    import numpy as np, fastmle as fm
    kind = sys.argv[1]
    x = np.random.default_rng(0).integers(1, 200, 1 << 26, dtype=np.uint8)
    small = x[:100_000]
    state = fm.suffstats("gaussian")
    expected = [fm.fit(n, small).to_dict() for n in ("gaussian", "weibull")]
    fm.suffstats("gaussian").update(small)
    try:
        print("ready", flush=True)
        while True:
            if kind == "array":
                fm.fit("weibull", x, threads=1)
            elif kind == "chunks":
                fm.fit("gaussian", lambda: (small for _ in range(10**9)))
            else:
                state.update(x[: 1 << 24])
    except KeyboardInterrupt:
        at = time.time()
    again = [fm.fit(n, small).to_dict() for n in ("gaussian", "weibull")]
    state.update(small)
    print(json.dumps([at, again == expected, (state.nobs - 100_000) % (1 << 24)]))
"""


@LINUX
@pytest.mark.parametrize("kind", ["array", "chunks", "state"])
def test_control_c_is_answered_within_a_second(kind: str) -> None:
    process = start(INTERRUPTED, kind)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.8)
    sent = time.time()
    process.send_signal(signal.SIGINT)
    at, usable, rest = ended(process, 60)
    assert 0.0 <= at - sent < 1.0
    assert usable
    assert rest == 0.0  # all of a chunk or nothing


# -- an edited family --------------------------------------------------------------------------------------------------------

FAMILY = """
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fastmle.family import Family, Param, RowTerms, Solution, row_function
from helper import change

FACTOR = 1.0


class Total(NamedTuple):
    x: float


@row_function
def add(x, _):
    return Total(FACTOR * change(x))


@dataclass(frozen=True)
class Mine(Family):
    name: ClassVar[str] = "mine"
    params: ClassVar[tuple[Param, ...]] = (Param("mean"),)
    terms: ClassVar[RowTerms] = RowTerms(Total, add)

    def solve(self, s):
        return Solution((s.x / s.weight,))

    def loglik(self, s, theta):
        return -s.weight * theta[0] ** 2

    def score(self, s, theta):
        return np.array([s.x - s.weight * theta[0]])

    def information(self, s, theta):
        return np.array([[s.weight]])
"""
HELPER = "from fastmle.family import row_function\n\n\n@row_function\ndef change(x):\n    return x + 0.0\n"


def test_an_edited_family_gives_the_new_answer(tmp_path: Path) -> None:
    """Its row function, a constant that it uses, and a function of another file that it calls."""
    folder, cache = tmp_path / "mine", tmp_path / "cache"
    folder.mkdir()

    def answer(family: str, helper: str) -> float:
        (folder / "mine.py").write_text(family)
        (folder / "helper.py").write_text(helper)
        code = "import fastmle as fm, numpy as np, mine; print(fm.fit(mine.Mine(), np.arange(1.0, 6.0)).params.mean)"
        return float(ended(start(code, cache=cache, path=folder, PYTHONDONTWRITEBYTECODE="1")))

    assert answer(FAMILY, HELPER) == 3.0
    kept = set(cache.rglob("*.nbc"))
    assert kept
    assert answer(FAMILY, HELPER) == 3.0
    assert set(cache.rglob("*.nbc")) == kept  # found again
    assert answer(FAMILY.replace("FACTOR * change(x)", "FACTOR * change(x) + 1.0"), HELPER) == 4.0
    assert answer(FAMILY.replace("FACTOR = 1.0", "FACTOR = 2.0"), HELPER) == 6.0
    assert answer(FAMILY, HELPER.replace("0.0", "7.0")) == 10.0
    assert answer(FAMILY, HELPER) == 3.0


@pytest.mark.parametrize(
    ("row", "helper"),
    [
        ("C * x", ""),  # each with the C of its environment, which no source tells
        ("TABLE[0] * x", ""),
        ("ARRAY[1] * x", ""),
        ("numbers.C * x", "import os\nC = float(os.environ['C'])"),
        ("numbers.scaled(x)", "import os\nfrom fastmle.family import row_function\nC = float(os.environ['C'])\n"
         "@row_function\ndef scaled(x):\n    return C * x"),
        ("k * x", ""),
    ],
)
def test_constants_are_part_of_a_kernel(row: str, helper: str, tmp_path: Path) -> None:
    (tmp_path / "numbers_of.py").write_text(helper)
    constants = "import os\nimport numbers_of as numbers\nC = float(os.environ['C'])\nTABLE, ARRAY = (C, 1.0), np.array([1.0, C])\n"
    family = FAMILY.replace("FACTOR * change(x)", row).replace("from helper import change\n", "")
    family = family.replace("def add(x, _)", "def add(x, _, k=C)")
    (tmp_path / "mine.py").write_text(family.replace("FACTOR = 1.0", constants))
    code = "import fastmle as fm, numpy as np, mine; print(fm.fit(mine.Mine(), np.arange(1.0, 6.0)).params.mean)"
    for c in ("2.0", "3.0"):
        assert float(ended(start(code, cache=tmp_path / "cache", path=tmp_path, C=c))) == 3.0 * float(c)
    assert len(list((tmp_path / "cache").rglob("*mine*.nbc"))) == 2


def test_a_family_defined_again_at_a_prompt(tmp_path: Path) -> None:
    code = f"""
import fastmle as fm
text = {FAMILY.replace("from helper import change", "").replace("FACTOR * change(x)", "FACTOR * x")!r}
means = []
for factor in ("1.0", "2.0"):
    exec(text.replace("FACTOR = 1.0", "FACTOR = " + factor))
    means.append(fm.fit(Mine(), np.arange(1.0, 6.0)).params.mean)
print(means)
"""
    assert ended(start(code, cache=tmp_path / "cache")) == [3.0, 6.0]
