"""The benchmark suite at a tiny size: answers are checked, runs are saved, a drop is seen. No test depends on time."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from fastmle.bench.data import chosen
from fastmle.bench.table import dropped, times
from fastmle.cli import main
from fastmle.families import REGISTRY


@pytest.mark.parametrize("name", ["gaussian", "gamma", "student_t", "mvn"])
def test_a_family_finds_its_sample(name: str) -> None:
    found = chosen(name)
    assert found is not None and (found[1] == "normal, 8 columns") == (name == "mvn")


@pytest.mark.slow
@pytest.mark.parametrize("name", REGISTRY)
def test_every_family_finds_its_sample(name: str) -> None:
    assert chosen(name) is not None


def test_a_run_is_saved_shown_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["bench", "exponential", "--rows", "9000", "--out", str(out)]) == 0
    saved = json.loads(Path(f"{out}.json").read_text())
    assert {"fastmle", "fastmle, 1 thread", "numpy"} <= set(times(saved)["exponential fit"])
    page = Path(f"{out}.html").read_text()
    assert "http" not in page and "exponential fit" in page and page.count("<svg") >= 2
    assert "| exponential fit |" in capsys.readouterr().out
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
