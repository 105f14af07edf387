"""The command line: what it prints, where, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fastmle as fm
from fastmle.cli import main
from fastmle.commands.demo import with_error
from fastmle.data import flights

FLIGHTS = str(flights())
LATE = ["--column", "dep_delay", "--nulls", "drop"]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A small CSV file with weights."""
    path = tmp_path / "rows.csv"
    path.write_text("x,w,name\n1,2,a\n2,1,b\n4,3,c\n")
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """run(*args) -> (exit code, stdout, stderr)."""

    def call(*args: object) -> tuple[int, str, str]:
        code = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def spawn(*args: str, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "fastmle", *args], text=True, **options)


def test_version_and_help(run) -> None:
    assert run("--version") == (0, f"fastmle {fm.__version__}\n", "")
    for args in (["--help"], ["fit", "--help"], ["compare", "-h"]):
        code, out, err = run(*args)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: fastmle")


def test_fit_prints_the_summary(run) -> None:
    code, out, err = run("fit", "gaussian", FLIGHTS, *LATE)
    assert (code, err) == (0, "")
    assert out == fm.fit("gaussian", FLIGHTS, column="dep_delay", nulls="drop").summary() + "\n"


def test_json_is_exactly_to_dict(run) -> None:
    code, out, err = run("fit", "gamma", FLIGHTS, "--column", "air_time", "--nulls", "drop", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == fm.fit("gamma", FLIGHTS, column="air_time", nulls="drop").to_dict()


def test_undefined_numbers_are_null_in_json(run, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([1.0, 2.0, 4.0]))
    code, out, _ = run("fit", "uniform", tmp_path / "x.npy", "--json")
    assert code == 0
    assert json.loads(out)["bse"] == {"low": None, "high": None}


def test_weights_threads_and_fixed(run, rows: Path) -> None:
    weighted = ["--column", "x", "--weights", "w"]
    code, out, _ = run("fit", "gaussian", rows, *weighted, "--threads", "1", "--fixed", "mu=2", "--json")
    assert code == 0
    assert json.loads(out) == fm.fit("gaussian", rows, column="x", weights="w", fixed={"mu": 2.0}).to_dict()
    code, out, _ = run(
        "fit", "gaussian", rows, "--column", "x", "--weights", "w", "--weight-kind", "sampling", "--json"
    )
    assert code == 0
    assert json.loads(out)["weight_kind"] == "sampling"


def test_several_columns(run) -> None:
    code, out, _ = run(
        "fit", "mvn", FLIGHTS, "--columns", "dep_delay, arr_delay", "--nulls", "drop", "--json"
    )
    assert code == 0
    assert json.loads(out)["columns"] == ["dep_delay", "arr_delay"]


def test_compare(run) -> None:
    options = ["--column", "air_time", "--nulls", "drop", "--families", "gamma,gaussian"]
    code, out, err = run("compare", FLIGHTS, *options)
    assert (code, err) == (0, "")
    assert out.index("gamma") < out.index("gaussian")
    code, out, _ = run("compare", FLIGHTS, *options, "--json")
    fits = fm.compare(FLIGHTS, ["gamma", "gaussian"], column="air_time", nulls="drop")
    assert code == 0
    assert json.loads(out) == [fit.to_dict() for fit in fits]


@pytest.mark.parametrize(
    "args",
    [
        ["fit", "gaussian", FLIGHTS, "--column", "dep_delay"],  # nulls
        ["fit", "gaussian", FLIGHTS, "--column", "delay"],
        ["fit", "gaussian", FLIGHTS, "--column", "carrier"],
        ["fit", "gamma", FLIGHTS, *LATE],  # outside the support
        ["fit", "gaussian", "nowhere.parquet"],
        ["fit", "gaussian", "*.parquet.none"],
        ["compare", FLIGHTS, "--column", "dep_delay", "--families", "gamma"],
    ],
    ids=" ".join,
)
def test_data_errors_exit_1_with_one_line(run, args: list[str]) -> None:
    code, out, err = run(*args)
    assert (code, out) == (1, "")
    assert err.startswith("fastmle: ")
    assert err.count("\n") == 1


def test_a_damaged_file_exits_1(run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(flights().read_bytes()[:100_000])
    code, out, err = run("fit", "gaussian", broken, *LATE)
    assert (code, out) == (1, "")
    assert "broken.parquet" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["fit"],
        ["fit", "gaussian"],
        ["fit", "gausian", FLIGHTS],
        ["fit", "gaussian", FLIGHTS, "--colum", "x"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--n", "10"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--fixed", "mu"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--fixed", "nu=1"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--threads", "0"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--columns", "air_time"],
        ["fit", "gaussian", FLIGHTS, "--nulls", "maybe"],
        ["compare", FLIGHTS, "--column", "air_time"],
        ["compare", FLIGHTS, "--column", "air_time", "--nulls", "drop", "--families", "gamma,beter"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--data", "3"],
        ["fit", "gaussian", FLIGHTS, *LATE, "--progress=1"],
        ["fit", "linear", FLIGHTS, "--formula", "((("],
        ["bench", "--from", "nowhere.json"],
        ["bench", "--compare", "nowhere.json"],
        ["bench", "--from", FLIGHTS],
        ["warmup", "gausian"],
        ["explain"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2(run, args: list[str]) -> None:
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err


def test_output_that_cannot_be_written_exits_1(run, tmp_path: Path) -> None:
    for page in (tmp_path, tmp_path / "nowhere" / "page.html"):
        code, out, err = run("explore", FLIGHTS, *LATE, "-o", page)
        assert (code, out) == (1, "")
        assert err.startswith("fastmle: ") and str(page) in err and err.count("\n") == 1


def test_without_stderr(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["fit", "gaussian", FLIGHTS, *LATE]) == 0
    assert main(["fit", "gaussian", "nowhere.parquet"]) == 1


def test_a_mistyped_option_is_corrected(run) -> None:
    assert "--column" in run("fit", "gaussian", FLIGHTS, "--colum", "x")[2]
    assert "gaussian" in run("fit", "gausian", FLIGHTS)[2]


def test_other_than_ok_is_said_on_stderr(run, tmp_path: Path) -> None:
    np.save(tmp_path / "same.npy", np.full(10, 3.0))
    code, out, err = run("fit", "gaussian", tmp_path / "same.npy")
    assert code == 0
    assert "degenerate" in out
    assert "degenerate" in err
    code, out, err = run("fit", "gaussian", tmp_path / "same.npy", "--strict")
    assert (code, out) == (1, "")
    assert "degenerate" in err


def test_without_the_extra_it_says_what_to_install(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    code, out, err = run("demo")
    assert (code, out) == (1, "")
    assert "fastmle[cli]" in err


def test_demo(run) -> None:
    code, out, err = run("demo")
    assert (code, err) == (0, "")
    for word in (
        "gaussian",
        "weibull",
        "negative_binomial",
        "mvn",
        "328,521",
        "8,255",
        "±",
        "rows/s",
        "nonregular",
    ):
        assert word in out


def test_warmup(run) -> None:
    code, out, err = run("warmup", "bernoulli")
    assert (code, err) == (0, "")
    assert "bernoulli" in out
    assert "int64" in out


def test_numbers_are_shown_to_the_digits_of_their_error() -> None:
    assert with_error(12.63907, 0.07015) == "12.639 ± 0.070"
    assert with_error(1234.5, 123.0) == "1234 ± 123"
    assert with_error(23.0, float("nan")) == "23"


def test_no_bar_without_a_terminal(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(10.0))
    done = spawn("fit", "gaussian", str(tmp_path / "x.npy"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.communicate(timeout=120)
    assert (done.returncode, err) == (0, "")
    assert "gaussian" in out


def endless(folder: Path) -> str:
    """A sparse file of 40 GB of zeros: reading it takes many seconds and no disk."""
    path = folder / "long.npy"
    np.save(path, np.zeros(1))
    header = path.read_bytes()[:-8].replace(b"(1,), }", b"(5000000000,), }".ljust(7))
    header = header.rstrip(b"\n").rstrip()
    header = header[: 128 - 1].ljust(127) + b"\n"
    with path.open("wb") as file:
        file.write(header)
        file.truncate(128 + 5_000_000_000 * 8)
    return str(path)


@pytest.mark.parametrize("how", ["raise KeyboardInterrupt", "exec('raise KeyboardInterrupt')"])  # the latter is remembered
def test_ctrl_c_during_an_import_exits_130(how: str, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text(how)
    path = os.pathsep.join([str(tmp_path), str(Path(fm.__file__).parents[1])])
    done = spawn("demo", stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})
    assert (done.communicate()[1], done.returncode) == ("", 130)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_exits_130_quietly_and_soon(tmp_path: Path) -> None:
    process = spawn("fit", "gaussian", endless(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(4.0)
    assert process.poll() is None
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < 1.5
    assert process.returncode == 130
    assert (out, err.strip()) == ("", "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="terminals")
def test_a_terminal_gets_a_bar_on_stderr(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = spawn("fit", "gaussian", endless(tmp_path), stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    time.sleep(5.0)
    process.send_signal(signal.SIGINT)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(ours, 4096):
            shown += part
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert out == ""
    assert b"read 1" in shown
    assert b"rows" in shown
