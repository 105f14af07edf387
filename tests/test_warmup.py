"""After `fastmle warmup` a new process compiles nothing for a fit, whatever the memory of its columns looks like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FITS = """
import json, sys
import numpy as np
import pyarrow as pa
from numba.core import event
import fastmle as fm

class Compiled(event.Listener):
    def on_start(self, started):
        names.append(str(started.data.get("dispatcher")))
    def on_end(self, started):
        pass

names = []
event.register("numba:compile", Compiled())
family = sys.argv[1]
x = np.random.default_rng(0).gamma(2.0, 3.0, 5000) // 1.0 + 1.0
if family == "bernoulli":
    x = x % 2.0
w, null = np.ones(x.size), x.copy()
null[7] = np.nan
frozen = x.copy()
frozen.flags.writeable = False
layouts = [x, frozen, np.repeat(x, 2)[::2], x.astype(">f8"), x.astype("f4"), x.astype("i8"), x.astype("i4"), x.astype("i2"),
           x.astype("u1"), np.resize(x, 300_000)]
for data in layouts:
    fm.fit(family, data)
holes = pa.array(x, mask=np.isnan(null))
for data in (pa.array(x)[3:], pa.array(x.astype("i4"))[3:], pa.chunked_array([x[:4000], x])[5:]):
    fm.fit(family, data)
for data in (holes, holes[3:], holes.cast("float32")[3:], holes.cast("int64")[3:]):
    fm.fit(family, data, nulls="drop")
for data in (np.column_stack([x, x]), np.asfortranarray(np.column_stack([x, x]))):
    fm.fit(family, data, column=1)
fm.fit(family, null, nulls="drop")
fm.fit(family, x, weights=w)
fm.fit(family, null, weights=w, nulls="drop")
fit = fm.fit(family, x)
fit.conf_int(0.9)
fm.loglik(family, x, dict(fit.params))
if "stream" in sys.argv:
    a, b = fm.suffstats(family).update(x).update(x[:100]), fm.suffstats(family).update(x[:3000])
    (a + b).fit()
print(json.dumps({"compiled": names, "llf": fit.llf}))
"""


def run(cache: Path, *args: str) -> str:
    """The output of a new process with its own cache of kernels."""
    return subprocess.run(
        [sys.executable, *args], env=os.environ | {"NUMBA_CACHE_DIR": str(cache)}, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize(
    ("family", "how"),
    [
        ("gaussian", "stream"),
        pytest.param("gamma", "stream", marks=pytest.mark.slow),
        pytest.param("poisson", "stream", marks=pytest.mark.slow),
        pytest.param("bernoulli", "stream", marks=pytest.mark.slow),
        pytest.param("weibull", "again", marks=pytest.mark.slow),
    ],
)
def test_nothing_is_compiled_after_warmup(family: str, how: str, tmp_path: Path) -> None:
    cold = json.loads(run(tmp_path / "cold", "-c", FITS, family, how)) if family == "gaussian" else {"compiled": ["?"]}
    assert cold["compiled"]  # the listener hears of it
    run(tmp_path / "warm", "-c", "import sys; from fastmle.cli import main; sys.exit(main(sys.argv[1:]))", "warmup", family)
    made = {path.name for path in (tmp_path / "warm").rglob("*.nbc")}
    assert made
    warm = json.loads(run(tmp_path / "warm", "-c", FITS, family, how))
    assert warm["compiled"] == []
    assert {path.name for path in (tmp_path / "warm").rglob("*.nbc")} == made
