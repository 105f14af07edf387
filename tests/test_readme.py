"""The README's Python blocks run, in order, in one namespace."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from cases import CASES

from fastmle.families import REGISTRY, family_class


def test_readme_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) >= 4
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), module.__dict__)
    assert "exponential" in capsys.readouterr().out


def families() -> str:
    """The rows of the table of families, from the docstring of each file and what the family says of itself."""
    rows = ["| name | log-density or probability | parameters | reads | source |", "|---|---|---|---|---|"]
    for name, (module, _) in REGISTRY.items():
        case = CASES[name]
        text = " ".join((import_module(f"fastmle.families.{module}").__doc__ or "").split())
        formula = re.match(r".*?: (.*?)\.(?= [A-Z1]|$)", text)
        source = re.search(r"Sources?: (.*?)\.?$", text)
        assert formula and source, f"{name}: its docstring gives no formula or no source"
        made = family_class(name)(**case.constants)
        columns = tuple(f"x{i}" for i in range(np.atleast_2d(case.sample(0, 2).T).shape[0]))
        params = ", ".join(made.bind(columns).pack(np.ones(len(case.usual))))
        density = formula[1] + "." * formula[1].endswith("..")
        shown = name + "".join(f"({c})" for c in ("n", "k") if c in case.constants)
        cells = [shown, density, params, "one" if made.one_pass else "a few", source[1]]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def test_the_table_of_families_is_that_of_the_files() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text()
    assert families() in text, f"the README's table of families should be:\n{families()}"
