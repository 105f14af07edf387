"""The page of `fastmle bench`: what it draws, and how it looks in a real browser, wide, narrow and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from browser import Browser

from fastmle.bench.axes import LETTER, seen
from fastmle.bench.growth import spread
from fastmle.bench.report import report
from fastmle.bench.roofline import picture
from fastmle.bench.timing import record

OUTSIDE = """
const found = [];
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map(t => [t.getBoundingClientRect(), t.textContent]);
  texts.forEach(([a, one], i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1) found.push(one);
    if (a.top < frame.top - 1 || a.bottom > frame.bottom + 1) found.push(one);
    for (const [b, two] of texts.slice(0, i))
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
        found.push(one + " on " + two);
  });
}
return found;
"""


def saved() -> dict[str, Any]:
    """A run of made-up times with every part of the page."""
    done = []
    for i, name in enumerate(("gaussian", "gamma", "weibull", "zero_inflated_poisson", "inverse_gaussian", "negative_binomial")):
        for kind in ("fit", "log-likelihood"):
            facts: dict[str, Any] = {"rows": 50_000_000, "GB_per_second": 30.0 / (1 + i), "rows_per_second": 4e9 / (1 + i),
                     "limit_GB_per_second": 34.0 + i, "compute_GB_per_second": 31.0 / (1 + i), "share_of_limit": 0.5,
                     "functions": {"log": 1}, "bandwidth_before_after": [33.0, 34.0 + i]}  # fmt: skip
            done += [record(f"{name} {kind}", "fastmle", [0.01] * 7, **facts), record(f"{name} {kind}", "numpy", [0.1], rows=50_000_000,
                     GB_per_second=1.0)]  # fmt: skip
    for i, name in enumerate(("exp", "log", "sin", "lgamma")):
        for engine in ("fastmle", "fastmle, 1 thread", "numpy"):
            done.append(record(f"function {name}", engine, [0.1], rows=1000, function=name, values_per_second=3e9 / (1 + i)))
    for at in (1000, 100_000, 1_000_000_000):
        for name in ("fastmle", "duckdb", "polars"):
            done.append(record("time against rows of a Parquet file", name, [1e-9 * at + 1e-4], at=at))
    machine: dict[str, Any] = {"cpu": {"brand_raw": "a processor"}, "machine": "", "threads": 2, "python_version": "3"}
    machine["multiply_adds_per_second"] = 5e10
    return {"machine_info": machine, "benchmarks": done, "datetime": "2026-01-01T00:00:00+00:00"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (420, False), (1400, True)])
def test_the_page_stays_inside_the_window_and_its_labels_apart(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    page = tmp_path / "page.html"
    page.write_text(report(saved()))
    browser.open(page, width, dark)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return document.querySelectorAll('svg').length") == 3
    assert browser.run(OUTSIDE) == []
    assert browser.errors() == [] and browser.requests() == [page.as_uri()]


def test_labels_of_a_plot_keep_clear_of_each_other() -> None:
    dots = {f"family {i}": (10.0 + 0.1 * i, 9.0) for i in range(20)}
    page = picture("t", dots, [30.0, 40.0], {"log": 11.0, "sin": 11.5}, "--ours")
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" style="[^"]*">([^<]+)<', page)
    boxes = [(float(x), float(y), float(x) + LETTER * len(name)) for x, y, name in found]
    assert len(boxes) == 21 and "memory is read at 30 to 40 GB/s" in page and "log 11, sin 11.5 GB/s" in page
    for a, b in combinations(boxes, 2):
        assert abs(a[1] - b[1]) >= 13 or a[2] <= b[0] or b[2] <= a[0]


def test_names_at_the_ends_of_curves_are_apart() -> None:
    found = spread([100.0, 101.0, 102.0, 300.0])
    assert found == pytest.approx([86.0, 101.0, 116.0, 300.0], abs=1e-3)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.5), (-3.0, 1.0), (0.0, 1.1), (-5.2, 4.0)])
def test_an_axis_has_a_few_marks(low: float, high: float) -> None:
    assert 3 <= len(seen(low, high)) <= 12
