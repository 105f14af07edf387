"""A user's script checks under mypy --strict, with types that are of use."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import get_args

import pytest

import fastmle as fm

SCRIPT = """
import numpy as np

import fastmle as fm

x = np.ones(100)
r = fm.fit("gamma", x, column="x")
low, high = r.conf_int(0.95)["rate"]
aic: float | None = r.aic
s = fm.suffstats("gaussian").update(x) + fm.suffstats(fm.Gaussian())
best: fm.Fit = fm.compare(x, ["gamma", fm.Weibull()])[0]
number: float = fm.kl(r, s.fit()) + fm.entropy(r) + fm.loglik("gamma", x, shape=2.0, rate=1.0)
binomial = fm.fit(fm.Binomial(n=10), x)
back: fm.Fit = fm.Fit.from_dict(r.to_dict())
try:
    line = fm.fit("linear", (np.c_[x, x * x], x), intercept=False)
    square: float = line.rsquared
    print(line.pvalues["x0"], line.predict(np.c_[x, x]), fm.fit(fm.LogisticRegression(), (x, x)).tvalues)
except fm.DataError as error:
    row: int | None = error.row
reveal_type(r)
reveal_type(line)
"""


def test_a_script_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = pytest.importorskip("mypy.api")
    root = Path(fm.__file__).parents[1]
    if str(root) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):  # which mypy looks through by itself
        monkeypatch.setenv("MYPYPATH", str(root))
    monkeypatch.chdir(tmp_path)  # beside a checkout's code, mypy would report on that
    (tmp_path / "script.py").write_text(SCRIPT)
    said, wrong, code = api.run(["--strict", "--config-file=", f"--cache-dir={tmp_path}", str(tmp_path / "script.py")])
    assert code == 0, said + wrong
    assert 'is "fastmle.result.Fit"' in said
    assert 'is "fastmle.regression.result.RegressionFit"' in said


def test_the_names_of_regressions_are_those_of_the_registry() -> None:
    from fastmle.regression import REGRESSIONS, RegressionName

    assert set(get_args(RegressionName)) == set(REGRESSIONS)
