"""The benchmark suite at a tiny size: answers are checked, runs are saved, a drop is seen. No test depends on time."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmle.bench import functions, suite
from fastmle.bench.cards import card
from fastmle.bench.data import TRY, chosen, make
from fastmle.bench.goals import standing
from fastmle.bench.larger import larger, room
from fastmle.bench.limits import add_peaks, around_rows, bandwidth_facts
from fastmle.bench.stops import lower, stop
from fastmle.bench.table import dropped, times
from fastmle.bench.timing import record
from fastmle.cli import main
from fastmle.errors import DataError
from fastmle.families import REGISTRY


@pytest.mark.parametrize("name", ["gaussian", "gamma", "student_t", "mvn"])
def test_a_family_finds_its_sample(name: str) -> None:
    found = chosen(name)
    assert found is not None and (found[1] == "normal, 8 columns") == (name == "mvn")


@pytest.mark.slow
@pytest.mark.parametrize("name", REGISTRY)
def test_every_family_finds_its_sample(name: str) -> None:
    assert chosen(name) is not None


@pytest.mark.parametrize("name", ["student_t", *(pytest.param(n, marks=pytest.mark.slow) for n in REGISTRY if n != "student_t")])
def test_every_line_of_a_family_is_answered(name: str) -> None:
    for line in suite.lines((name,)):
        x = line.data(TRY)
        for engine in ("fastmle", "fastmle, 1 thread"):
            answer = line.engines[engine].numbers(line.engines[engine].prepare(x)(x))
            assert np.isfinite(answer).all(), (line.name, engine)



def test_a_run_is_saved_shown_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr(functions, "NAMES", ("log_ratio_normal", "exp2_normal"))
    monkeypatch.setattr(functions, "TURNS", 3)
    assert main(["bench", "weibull", "exponential", "--rows", "9000", "--out", str(out)]) == 0
    saved = json.loads(Path(f"{out}.json").read_text())
    assert {"fastmle", "fastmle, 1 thread", "numpy"} <= set(times(saved)["exponential fit"])
    page = Path(f"{out}.html").read_text()
    assert "http" not in page and "exponential fit" in page and page.count("<svg") >= 2
    assert "exp2_normal and log_ratio_normal alone, for each row, at " in page and page.count("its functions alone") == 3
    said = capsys.readouterr().out
    assert "| exponential fit |" in said and "| function |" in said and "| log_ratio_normal | 2 to 7 | 1.81 | 2 |" in said
    assert "exp 2" not in page and "<td>exp2_normal</td>" in page
    better = copy.deepcopy(saved)
    for b in better["benchmarks"]:
        if b["params"]["engine"] == "numpy":
            b["stats"]["median"] *= 2.0
    (tmp_path / "old.json").write_text(json.dumps(better))
    assert dropped(saved, saved) == [] and dropped(better, saved) == []
    again = ["bench", "--from", f"{out}.json", "--out", str(tmp_path / "again"), "--compare"]
    assert main([*again, f"{out}.json"]) == 0
    assert main([*again, str(tmp_path / "old.json")]) == 1
    assert "slower: exponential fit" in capsys.readouterr().err


def test_continuous_families_are_timed_on_floats() -> None:
    for name in ("gaussian", "gamma", "student_t", "uniform"):
        found = chosen(name)
        assert found is not None and make(found[1], 1000).dtype == np.float64


def test_files_and_processes_are_timed_and_runs_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [tmp_path / "files", tmp_path / "processes"]
    assert main(["bench", "--part", "files", "--rows", "9000", "--out", str(parts[0])]) == 0
    assert main(["bench", "--part", "start-up", "--rows", "9000", "--out", str(parts[1])]) == 0
    given = [word for part in parts for word in ("--from", f"{part}.json")]
    capsys.readouterr()
    assert main(["bench", *given, "--out", str(tmp_path / "both")]) == 0
    said = capsys.readouterr().out
    for line in ("Parquet column to gaussian fit", "a process that imports", "a process up to its first fit"):
        assert f"| {line} |" in said and line in (tmp_path / "both.html").read_text()


def test_larger_files_are_timed_up_to_the_rows_asked_for() -> None:
    places = {(b["params"]["engine"], b["params"]["at"]) for b in larger(10_000)}
    assert {("fastmle", 1000), ("fastmle", 10_000), ("polars", 10_000)} <= places
    assert max(at for _, at in places) == 10_000


def test_a_file_too_large_for_the_disk_is_refused(tmp_path: Path) -> None:
    room(1000, str(tmp_path))
    with pytest.raises(DataError, match="TMPDIR"):
        room(10**16, str(tmp_path))


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_an_interrupted_run_leaves_no_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fastmle", "bench", "--part", "scaling", "--rows", "1000", "--scaling", "1e8", "--out"]
    run = subprocess.Popen([*command, str(tmp_path / "out")], env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        end = time.monotonic() + 60.0
        while not list(tmp_path.glob("fastmle-bench-*/x.parquet")):
            assert run.poll() is None and time.monotonic() < end
            time.sleep(0.005)
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == 130
    finally:
        run.kill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", ["--rows -5", "--rows nan", "gausian", "--from wrong.json", "--compare wrong.json"])
def test_wrong_usage_is_refused_before_anything_is_timed(
    args: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fastmle.bench.run.run", None)
    Path("wrong.json").write_text('{"a": 1}')
    assert main(["bench", *args.split()]) == 2
    assert capsys.readouterr().err


def test_an_interrupted_query_of_duckdb_interrupts_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("fastmle.bench.run.run", stopped)
    assert main(["bench", "--out", str(tmp_path / "out")]) == 130
    assert list(tmp_path.iterdir()) == []


def test_saved_runs_are_compared_by_pytest_benchmark(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    saved = {"machine_info": {}, "commit_info": {"id": "0", "time": "2026-01-01T00:00:00+00:00"},
             "benchmarks": [record("a fit", "fastmle", [0.1, 0.2, 0.3], rows=10)], "datetime": "2026-01-01T00:00:00+00:00",
             "version": "5.1.0"}  # fmt: skip
    paths = [tmp_path / name for name in ("one.json", "two.json")]
    for path in paths:
        path.write_text(json.dumps(saved))
    command = [sys.executable, "-m", "pytest_benchmark", "compare", *map(str, paths), "--columns=median,rounds"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.count("a fit[fastmle]") == 2 and "200.0" in done.stdout


def test_goals_say_what_was_reached_and_what_stops_the_others() -> None:
    ours = {"each": 1e-9, "GB_per_second": 8.0, "limit_GB_per_second": 40.0, "compute_GB_per_second": 10.0, "share_of_limit": 0.2}
    numpy_ = {"each": 6e-9, "rows_per_second": 1e9 / 6.0}
    groups: dict[str, Any] = {"gamma fit": {"fastmle": ours, "numpy": numpy_}}
    rows = {(goal.line, goal.measure): rest for goal, *rest in standing(groups)}
    value, met, why = rows["gamma fit", "bandwidth"]
    assert (value, met) == ("20 %", False) and "arithmetic, 10 GB/s, of which 80 %" in why and "runs at 25 % of the bandwidth" in why
    value, met, why = rows["gamma fit", "numpy"]
    assert not met and "7.5 x" in why and "167 million rows a second" in why
    odd = standing({"gamma fit": {"fastmle": ours | {"compute_GB_per_second": 7.0}, "numpy": numpy_}})
    assert all("No limit is shown" in why for _, _, _, why in odd)
    fast = ours | {"share_of_limit": 0.5, "each": 1e-10}
    assert all(met for _, _, met, _ in standing({"gamma fit": {"fastmle": fast, "numpy": numpy_}}))
    assert standing({}) == []
    two = {"gaussian fit": {"fastmle": ours}, "gaussian fit, float32": {"fastmle": ours | {"each": 0.8e-9}}}
    (row,) = [rest for goal, *rest in standing(two) if goal.measure == "rows"]
    assert row[:2] == ["1.25 x", False] and "At 100 % of it, this would be 1.6 x" in row[2]


def test_no_page_of_the_data_is_there_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmle.bench.data.DISTINCT", 10_000)
    for sample, rows in (("gamma", 35_000), ("normal, 8 columns", 280_000)):
        x = make(sample, rows)
        assert len(x) == 35_000
        assert np.array_equal(np.sort(x[:10_000], axis=0), np.sort(x[20_000:30_000], axis=0))
        pages = x.reshape(-1)[: x.size // 512 * 512].reshape(-1, 512)
        assert len({page.tobytes() for page in pages}) == len(pages)


def test_the_limit_of_a_line_is_the_lower_one() -> None:
    assert lower({"limit_GB_per_second": 40.0, "compute_GB_per_second": 50.0}) == ("reading memory", 40.0)
    assert lower({"limit_GB_per_second": 40.0, "compute_GB_per_second": None}) == ("reading memory", 40.0)
    assert lower({}) is None
    assert bandwidth_facts(30e9, 40e9)["disturbed"] and not bandwidth_facts(36e9, 40e9)["disturbed"]
    assert bandwidth_facts(30e9, 40e9)["limit_GB_per_second"] == 40.0


def test_a_line_is_told_how_fast_its_functions_alone_would_be() -> None:
    ours = {"GB_per_second": 4.0, "rows_per_second": 0.5e9, "limit_GB_per_second": 40.0, "compute_GB_per_second": 5.0}
    groups: dict[str, Any] = {
        "function exp": {"fastmle": {"function": "exp", "values_per_second": 3e9}},
        "function log": {"fastmle": {"function": "log", "values_per_second": 1.5e9}},
        "a fit": {"fastmle": ours | {"functions": {"exp": 1, "log": 2}}},
        "another": {"fastmle": ours | {"functions": {"sin": 1}}},
    }
    add_peaks(groups)
    assert groups["a fit"]["fastmle"]["functions_GB_per_second"] == pytest.approx(8.0 * 3.0 / 5.0)
    said = stop(groups["a fit"]["fastmle"])
    assert "Nearer limit: arithmetic, 80 %" in said and "exp and log 2 times alone, for each row, at 4.8 GB/s" in said
    assert "alone" not in stop(groups["another"]["fastmle"])


def test_a_line_is_told_what_is_done_around_its_rows() -> None:
    bernoulli, weibull = (next(iter(suite.lines((name,)))) for name in ("bernoulli", "weibull"))
    taken = around_rows(bernoulli, bernoulli.data(100_000))
    assert taken is not None and 0.0 < taken < 1.0
    assert around_rows(weibull, weibull.data(100_000)) is None  # several passes
    ours = {"GB_per_second": 45.0, "limit_GB_per_second": 55.0, "around_seconds": 150e-6}
    assert "150 µs of its 1.1 ms go by around the rows" in stop(ours | {"seconds": 1.1e-3})
    assert "around" not in stop(ours | {"seconds": 1.1})
    missed = ours | {"seconds": 1.1e-3, "share_of_limit": 0.82}
    (row,) = [rest for goal, *rest in standing({"bernoulli fit": {"fastmle": missed}}) if goal.measure == "bandwidth"]
    assert row[1] is False and "150 µs of its 1.1 ms" in row[2]


def test_the_functions_that_a_row_calls_are_counted() -> None:
    called = {name: functions.called_by(chosen(name)[0].terms.row) for name in ("weibull", "gumbel", "gaussian")}  # type: ignore[index,union-attr]
    assert called == {"weibull": {"log_ratio": 1, "exp2_normal": 1}, "gumbel": {"exp2_normal": 1}, "gaussian": {}}


@pytest.mark.slow
def test_every_vector_function_is_timed_and_answers_as_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "TURNS", 1)
    assert {b["group"].removeprefix("function ") for b in functions.functions()} == set(functions.NAMES)


def test_a_card_says_where_a_peer_is_so_slow_that_it_has_few_rounds() -> None:
    saved = {"benchmarks": [record("a fit", name, taken) for name, taken in (("fastmle", [0.1] * 5), ("glum", [9.0]))]}
    engines = times(saved)["a fit"]
    assert "slow, so 1 round only: glum" in card("a fit", engines) and "fastmle takes" not in card("a fit", engines)
