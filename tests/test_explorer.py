"""The explorer in a real browser: its numbers against Python's, on raw rows; its manners."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from browser import Browser
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmle as fm
from fastmle.cli import main
from fastmle.data import flights
from fastmle.states.bins import Bins

RNG = np.random.default_rng(20)
N = 20_000
X = RNG.gamma(4.0, 300.0, N)
Y = 18.0 + 0.126 * X + RNG.normal(0.0, 12.0, N)
HITS = (RNG.random(N) < scipy.special.expit(0.004 * (X - 1200.0))).astype(float)
NAMES = ['<script>alert("1")</script>', "</script><!--", "a \"b\" 'c' & <b>é\u2028", "${x} {{DATA}}"]


def least_squares_nll(theta: list[float], x: np.ndarray = X, y: np.ndarray = Y) -> float:
    a, b, sigma = theta
    return float(np.mean(0.5 * np.log(2.0 * np.pi * sigma**2) + 0.5 * ((y - a - b * x) / sigma) ** 2))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, fm.Fit]:
    path = tmp_path_factory.mktemp("pages") / "linear.html"
    fit = fm.fit("linear", {"x": X, "y": Y}, target="y", features=["x"], keep="bins", points=50)
    fm.explore(fit, path)
    return path, fit


def slide(browser: Browser, j: int, position: int) -> None:
    browser.run(
        "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('input', {bubbles: true}))",
        f"slide-{j}", position,
    )  # fmt: skip


def walk(browser: Browser) -> None:
    browser.find("#walk").click()
    browser.until("return document.getElementById('walk-note').textContent.startsWith('Arrived')")


def test_a_page_asks_for_nothing_and_says_no_error(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    browser.open(linear[0])
    walk(browser)
    assert browser.errors() == []
    assert browser.requests() == [linear[0].as_uri()]


def test_the_slope_slider_gives_the_likelihood_of_the_rows(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    state = fm.suffstats("linear", features=["x"], target="y").update({"x": X, "y": Y})
    browser.open(linear[0])
    seen = set()
    for position in (0, 137, 500, 981):
        slide(browser, 1, position)
        theta = browser.theta()
        seen.add(theta[1])
        assert browser.value() == pytest.approx(least_squares_nll(theta), rel=1e-9, abs=1e-9)
        assert browser.value("beside") == pytest.approx(np.mean((Y - theta[0] - theta[1] * X) ** 2), rel=1e-9)
        sigma = linear[1].sigma
        surface = state.nll_surface([theta[0]], [theta[1]])[0, 0]
        at_sigma = (surface - 0.5 * math.log(2.0 * math.pi * sigma**2)) * sigma**2 / theta[2] ** 2
        assert browser.value() == pytest.approx(at_sigma + 0.5 * math.log(2.0 * math.pi * theta[2] ** 2), rel=1e-9)
    assert len(seen) == 4


def test_the_button_ends_at_least_squares(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    a, b = np.polynomial.polynomial.polyfit(X, Y, 1)
    sigma = math.sqrt(np.mean((Y - a - b * X) ** 2))
    browser.open(linear[0])
    begin = browser.value()
    walk(browser)
    assert browser.theta() == pytest.approx([a, b, sigma], rel=1e-9)
    assert browser.value() == pytest.approx(linear[1].nll, rel=1e-12) and browser.value() < begin - 0.1
    assert browser.find("#nll-gap").text == "at the minimum" and browser.find("#beside-gap").text == "at the minimum"
    assert browser.run("return document.querySelectorAll('#contour circle').length") > 10  # the path is seen


def test_the_walk_shows_its_steps(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    browser.open(linear[0], calm=False)
    values = [browser.value()]
    for _ in range(5):
        browser.find("#step").click()
        values.append(browser.value())
    assert all(later < earlier for earlier, later in zip(values, values[1:], strict=False))
    browser.find("#walk").click()
    assert browser.find("#walk").text == "Stop"
    browser.until("return document.getElementById('walk-note').textContent.startsWith('Arrived')")
    assert browser.theta()[1] == pytest.approx(linear[1].params["x"], rel=1e-9)


def test_keys_and_typed_numbers_move_it(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(linear[0])
    first = browser.theta()
    browser.find("#slide-1").send_keys(Keys.ARROW_RIGHT)
    right = browser.theta()
    assert right[1] > first[1] and right[0] == first[0]
    browser.find("#contour").send_keys(Keys.ARROW_DOWN)
    down = browser.theta()
    assert down[1] < right[1] and down[0] == right[0]
    number = browser.find("#number-2")
    number.send_keys(Keys.CONTROL, "a")
    number.send_keys("20")
    assert browser.theta()[2] == 20.0
    number.send_keys(Keys.CONTROL, "a")
    number.send_keys("-3")  # is no sigma
    assert browser.theta()[2] == 20.0 and number.get_attribute("aria-invalid") == "true"
    browser.find("#walk").send_keys(Keys.ENTER)
    browser.until("return document.getElementById('walk-note').textContent.startsWith('Arrived')")
    # every control is reached with the tab key, in the order of the page
    browser.open(linear[0])
    order = []
    for _ in range(12):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        order.append(browser.run("return document.activeElement.id || document.activeElement.name"))
    wanted = ["range", "number-0", "slide-0", "number-1", "slide-1", "number-2", "slide-2", "walk", "step", "reset", "contour"]
    assert [name for name in order if name in wanted] == wanted


def test_a_finger_drags_the_point(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    browser.open(linear[0], width=390)
    browser.run("document.getElementById('contour').scrollIntoView({block: 'center'})")
    box = browser.run("const b = document.getElementById('contour').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]")
    before = browser.theta()
    touch = [{"x": box[0] + 0.5 * box[2], "y": box[1] + 0.4 * box[3]}]
    browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touch})
    middle = browser.theta()
    touch[0]["x"] += 60
    browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": touch})
    browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    after = browser.theta()
    assert middle != before and after[0] > middle[0] and after[2] == before[2]


def test_every_control_has_a_name_for_screen_readers(browser: Browser, linear: tuple[Path, fm.Fit]) -> None:
    browser.open(linear[0])
    tree = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored")]
    wanted = {"slider", "spinbutton", "button", "radio", "application", "img", "image"}
    controls = [(role, name) for role, name in roles if role in wanted]
    assert len([r for r, _ in controls if r == "slider"]) == 3
    assert all(name for _, name in controls), controls
    assert ("slider", "slope of x") in controls and ("button", "Go to the MLE") in controls
    assert browser.run("return document.getElementById('slide-1').getAttribute('aria-valuetext')") is not None


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_runs_out_of_the_window(browser: Browser, linear: tuple[Path, fm.Fit], width: int, dark: bool) -> None:
    browser.open(linear[0], width, dark)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    wide = browser.run(
        "return [...document.querySelectorAll('h1, h2, p:not(.unseen), output, button, input, .chart')].filter((e) => e.offsetParent"
        " && (e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth)).map((e) => e.id + e.tagName)"
    )
    assert wide == []
    heights = "return [...document.querySelectorAll('button, input[type=range]')].map((e) => e.getBoundingClientRect().height)"
    assert min(browser.run(heights)) >= 32
    ink = np.array(_pixels(browser.picture()), float).mean(axis=2)
    assert (ink.mean() < 90) == dark and ink.std() > 10  # and something is drawn


def _pixels(png: bytes) -> Any:
    from matplotlib import image

    return 255.0 * np.asarray(image.imread(io.BytesIO(png)))[..., :3]


def pages() -> dict[str, tuple[str, np.ndarray, Any]]:
    rng = np.random.default_rng(3)
    return {
        "gaussian": ("gaussian", rng.normal(1e4, 3.0, N), lambda x, t: scipy.stats.norm.logpdf(x, *t)),
        "gamma": ("gamma", rng.gamma(2.5, 4.0, N), lambda x, t: scipy.stats.gamma.logpdf(x, t[0], scale=1.0 / t[1])),
        "gamma, narrow": ("gamma", rng.normal(1e3, 0.5, N), lambda x, t: scipy.stats.gamma.logpdf(x, t[0], scale=1.0 / t[1])),
        "exponential": ("exponential", rng.exponential(7.0, N), lambda x, t: scipy.stats.expon.logpdf(x, scale=1.0 / t[0])),
        "poisson": ("poisson", rng.poisson(3.0, N), lambda x, t: scipy.stats.poisson.logpmf(x, t[0])),
        "poisson, large": ("poisson", rng.poisson(4e3, N), lambda x, t: scipy.stats.poisson.logpmf(x, t[0])),
        "bernoulli": ("bernoulli", rng.integers(0, 5, N) == 0, lambda x, t: scipy.stats.bernoulli.logpmf(x, t[0])),
    }


@pytest.mark.parametrize("name", list(pages()))
def test_a_distribution_has_the_likelihood_of_its_rows_and_a_walk_to_its_maximum(browser: Browser, tmp_path: Path, name: str) -> None:
    family, x, logp = pages()[name]
    fit = fm.fit(family, x, keep="bins")
    fm.explore(fit, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    offset = float(fit.kl_from_data()) - fit.nll
    for position in (30, 420, 900):
        slide(browser, 0, position)
        nll = -float(np.mean(logp(x, browser.theta())))
        assert browser.value() == pytest.approx(nll, rel=1e-9)
        assert browser.value("beside") == pytest.approx(nll + offset, rel=1e-8, abs=1e-9)  # they fall together
    browser.find("#reset").click()
    walk(browser)
    for value, best, error in zip(browser.theta(), fit.theta, fit.bse.values(), strict=True):
        assert value == pytest.approx(best, rel=1e-8, abs=1e-5 * error)
    assert browser.value() == pytest.approx(fit.nll, rel=1e-12)
    assert browser.errors() == []


def test_logistic_is_near_and_said_to_be(browser: Browser, tmp_path: Path) -> None:
    fit = fm.fit("logistic", {"x": X, "late": HITS}, target="late", features=["x"], keep="bins")
    fm.explore(fit, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    assert "approximate" in browser.find("#nll-label").text
    for position in (300, 640):
        slide(browser, 1, position)
        a, b = browser.theta()
        nll = np.mean(np.logaddexp(0.0, a + b * X) - HITS * (a + b * X))
        assert browser.value() == pytest.approx(nll, rel=1e-5)
        assert browser.value("beside") > 0.0
    walk(browser)
    for value, best, error in zip(browser.theta(), fit.theta, fit.bse.values(), strict=True):
        assert value == pytest.approx(best, abs=0.02 * error)
    assert browser.errors() == []


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text(browser: Browser, tmp_path: Path, name: str) -> None:
    fit = fm.fit("linear", {name: X, "y": Y}, target="y", features=[name], keep="bins")
    page = fm.explore(fit, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    assert browser.run("return document.getElementById('title').textContent") == f"y ~ {name}"
    assert browser.run("return document.title") == f"y ~ {name} · linear regression".replace("\u2028", "\u2028")
    assert browser.run("return document.querySelectorAll('script').length") == 2
    walk(browser)
    assert browser.errors() == []
    assert "<script>alert" not in page._repr_html_() and "<script>alert" not in fit._repr_html_()


def test_a_notebook_shows_the_page_in_a_frame(browser: Browser, tmp_path: Path) -> None:
    page = fm.explore(fm.fit("gamma", X, keep="bins"))
    (tmp_path / "notebook.html").write_text(f"<!doctype html><meta charset=utf-8><body>{page._repr_html_()}</body>", "utf-8")
    browser.open(tmp_path / "notebook.html")
    browser.driver.switch_to.frame(browser.find("iframe"))
    walk(browser)
    assert browser.find("#nll-gap").text == "at the minimum"
    browser.driver.switch_to.default_content()
    assert browser.errors() == []


# -- without a browser -------------------------------------------------------------------------------------------------


def test_the_page_of_all_flights_is_small(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    options = ["--target", "arr_delay", "--feature", "dep_delay", "--nulls", "drop", "--points", "500"]
    assert main(["explore", str(flights()), *options, "-o", str(out)]) == 0
    text = out.read_text("utf-8")
    assert len(text) < 1_000_000
    data = text[text.index('id="numbers">') + len('id="numbers">') :].split("</script>")[0]
    assert len(text) - len(data) < 300_000
    assert json.loads(data)["n"] == 327_346
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text


def test_the_command_line_writes_a_distribution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["explore", str(flights()), "--column", "air_time", "--family", "gamma", "--nulls", "drop", "-o", str(out)]) == 0
    assert "Gamma" in out.read_text("utf-8") or "gamma distribution" in out.read_text("utf-8")
    assert main(["explore", str(flights()), "--target", "air_time", "-o", str(out)]) == 2
    assert main(["explore", str(flights()), "--column", "air_time", "--family", "weibull", "--nulls", "drop", "-o", str(out)]) == 2
    assert "there is no page for weibull" in capsys.readouterr().err


def test_what_cannot_be_explored_is_said() -> None:
    with pytest.raises(fm.FamilyError, match="no page for uniform"):
        fm.explore(fm.fit("uniform", X))
    with pytest.raises(fm.FamilyError, match="every value is 0"):
        fm.explore(fm.fit("bernoulli", np.zeros(10)))
    with pytest.raises(fm.FamilyError, match="holds no sums"):
        fm.explore(fm.Fit.from_dict(fm.fit("gamma", X).to_dict()))
    with pytest.raises(fm.FamilyError, match="is held"):
        fm.explore(fm.fit("gaussian", X, fixed={"mu": 0.0}))
    with pytest.raises(fm.FamilyError, match="keep='bins'"):
        fm.explore(fm.fit("logistic", (X, HITS)))
    with pytest.raises(fm.FamilyError, match="no feature 'z'"):
        fm.explore(fm.fit("linear", (X, Y)), feature="z")


def test_other_features_stay_at_their_estimates(browser: Browser, tmp_path: Path) -> None:
    z = RNG.normal(0.0, 2.0, N) + 0.001 * X
    y = Y + 3.0 * z
    state = fm.suffstats("linear", features=["x", "z"], target="y", keep="bins").update({"x": X, "z": z, "y": y})
    page = fm.explore(state, tmp_path / "page.html", feature="z")
    assert page.payload["heat"] is not None
    browser.open(tmp_path / "page.html")
    slide(browser, 1, 200)
    a, b, sigma = browser.theta()
    rest = state.fit().params["x"] * X
    assert browser.value() == pytest.approx(least_squares_nll([a, b, sigma], z, y - rest), rel=1e-9)


# -- what is kept for pictures -------------------------------------------------------------------------------------------

POINTS = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e3, 1e9)), min_size=1, max_size=40)


@pytest.mark.parametrize("first", [0.0, 5e-324, 1e-300])
@pytest.mark.parametrize("far", [1.0, 1e20, 1e300, -1e308])
def test_histograms_of_values_far_apart(first: float, far: float) -> None:
    one, other, both = Bins(), Bins(), Bins()
    one.add([np.full(7, first)])
    other.add([np.array([far, 0.5 * far, 0.0])])
    both.add([np.full(7, first)])
    both.add([np.array([far, 0.5 * far, 0.0])])
    one.merge(other)
    for bins in (one, both):
        assert bins.weights.sum() == 10.0 and bins.weights.size <= 2048
        assert (bins.edges[0], bins.edges[-1]) == pytest.approx((min(0.0, far), max(0.0, far)), abs=0.01 * abs(far))
        np.testing.assert_allclose(bins.sums.sum(), 1.5 * far + 7.0 * first)
    state = fm.suffstats("gaussian", keep="bins").update(np.full(70_000, first)).update(np.array([far, 0.0]))
    assert state.nobs == 70_002.0


@settings(max_examples=100, deadline=None)
@given(POINTS, POINTS)
def test_histograms_of_two_columns_merge(one: list[Any], other: list[Any]) -> None:
    parts = []
    for rows in (one, other):
        bins = Bins(2)
        bins.add([np.array(c, float) for c in zip(*rows, strict=True)])
        parts.append(bins)
    parts[0].merge(Bins.from_dict(json.loads(json.dumps(parts[1].to_dict()))))
    merged, (x, y) = parts[0], (np.array(c, float) for c in zip(*one, *other, strict=True))
    counts = np.histogram2d(x, y, [axis.edges for axis in merged.axes])[0]
    # np.histogram closes its last bin; the values lie below the last edge of ours
    assert np.array_equal(counts, merged.weights) and merged.weights.sum() == x.size
    assert merged.sums.sum(axis=(1, 2)) == pytest.approx([x.sum(), y.sum()], rel=1e-9, abs=1e-3)
    assert [(a.low, a.high) for a in merged.axes] == [(x.min(), x.max()), (y.min(), y.max())]
    assert max(merged.weights.shape) <= merged.most


def test_points_are_drawn_alike_however_the_rows_come() -> None:
    whole = fm.fit("gaussian", X, keep="bins", points=40).kept.points
    chunks = fm.fit("gaussian", X, keep="bins", points=40, chunk_rows=777).kept.points
    assert np.array_equal(np.sort(whole.rows, axis=0), np.sort(chunks.rows, axis=0))
    many = fm.fit("gaussian", np.arange(N), keep="bins", points=2000).kept.points.rows
    assert scipy.stats.kstest(many[:, 0] / N, "uniform").pvalue > 1e-3
    heavy = fm.fit("gaussian", np.arange(N), weights=np.where(np.arange(N) < N // 2, 3.0, 1.0), keep="bins", points=2000)
    assert 0.72 < np.mean(heavy.kept.points.rows < N // 2) < 0.78
