"""What was aimed at, as data, and how a saved run stands to it: reached, or stopped by which limit."""

from __future__ import annotations

from dataclasses import dataclass

from .stops import SURE, around, functions_alone, lower
from .table import Engines, duration, ratio, times_text


@dataclass(frozen=True)
class Goal:
    """`value` of `measure`: "bandwidth" (a share, all reads counted), "seconds", "reads", "rows" (a second, as a multiple of those
    of the same line on float64), or an engine, how many times as long it takes.

    `most`: the value may not be passed; otherwise it must be reached.
    """

    line: str
    measure: str
    value: float
    most: bool = False

    def says(self) -> str:
        sign = "≤" if self.most else "≥"
        if self.measure == "bandwidth":
            return f"{sign} {100 * self.value:.0f} % of the read bandwidth"
        if self.measure == "seconds":
            return f"{sign} {duration(self.value)}"
        if self.measure == "reads":
            return f"{sign} {self.value:g} reads"
        if self.measure == "rows":
            return f"{sign} {self.value:g} x the rows a second of float64"
        return f"{self.measure} takes {sign} {self.value:.3g} x"


def _of(line: str, **values: float) -> list[Goal]:
    return [Goal(line, measure.replace("_", " "), value) for measure, value in values.items()]


HEAVY = ("student_t log-likelihood", "logistic_dist log-likelihood", "gumbel log-likelihood")
GOALS = [
    *_of("gaussian fit", bandwidth=0.9, numpy=5, duckdb=6, mixle=20, polars=1, pyarrow=1, scipy=1),
    Goal("gaussian fit", "scikit-learn", 10),
    *_of("gaussian log-likelihood", bandwidth=0.9),
    *_of("exponential fit", bandwidth=0.9),
    *_of("bernoulli fit", bandwidth=0.85),  # of a column of bool
    *_of("bernoulli fit, float64", bandwidth=0.9),
    *_of("uniform fit", bandwidth=0.9),
    *_of("poisson fit", bandwidth=0.4),
    *_of("poisson log-likelihood", bandwidth=0.4),
    *_of("gamma fit", bandwidth=0.4, numpy=8),
    *_of("pareto fit", bandwidth=0.4, numpy=8),
    *_of("beta fit", bandwidth=0.3, numpy=8),
    *_of("lognormal fit", bandwidth=0.25, numpy=8),
    *(goal for line in HEAVY for goal in _of(line, bandwidth=0.25, numpy=15, scipy=40)),
    Goal("gaussian fit, float32", "rows", 1.7),
    *_of("weibull log-likelihood", bandwidth=0.15),
    *_of("weibull Newton pass", bandwidth=0.15),
    Goal("Parquet column to gaussian fit", "polars", 1 / 1.15),
    *_of("Parquet column to gaussian fit", duckdb=1.3),
    Goal("mvn fit", "one dsyrk", 1 / 1.3),
    *_of("weibull fit", scipy=50),
    Goal("weibull fit", "reads", 6, most=True),
    Goal("student_t fit", "scipy, which stops short", 200),
    Goal("student_t fit", "reads", 6, most=True),
    Goal("update of 1,000 rows", "seconds", 15e-6, most=True),
    Goal("a process that imports", "numpy", 1 / 1.2),
    Goal("a process up to its first fit", "numba: import and one cached call", 1 / 1.25),
]


def reached(goal: Goal, groups: dict[str, Engines]) -> float | None:
    """The measured value, None where the run has it not."""
    if goal.line not in groups:
        return None
    engines = groups[goal.line]
    ours = engines["fastmle"]
    if goal.measure == "rows":
        wide = groups.get(goal.line.partition(",")[0])
        return None if wide is None else float(wide["fastmle"]["each"] / ours["each"])
    if goal.measure == "bandwidth":
        return ours.get("share_of_limit")
    if goal.measure in ("seconds", "reads"):
        return ours.get(goal.measure)
    return ratio(engines, goal.measure)


def _written(goal: Goal, value: float) -> str:
    if goal.measure == "bandwidth":
        return f"{100 * value:.0f} %"
    if goal.measure == "seconds":
        return duration(value)
    return f"{value:g}" if goal.measure == "reads" else f"{value:.3g} x"  # 1.68 of 1.7 is not 1.7


def why(goal: Goal, value: float, engines: Engines) -> str:
    """Which limit stops a goal that was missed, with the measurement that shows it."""
    ours, found = engines["fastmle"], lower(engines["fastmle"])
    if found is None or "GB_per_second" not in ours:
        return "No limit was measured for this line."
    name, limit = found
    share = ours.get("reads", 1) * ours["GB_per_second"] / limit
    if share > SURE:
        return "No limit is shown: the line ran faster than what was measured before and after it."
    at = f"{name}, {limit:.3g} GB/s, of which {100 * share:.0f} % is reached"
    alone = functions_alone(ours)
    at += f"; {alone}" if alone and name == "arithmetic" else ""
    at += f"; {around(ours)}" if around(ours) else ""
    disturbed = " The memory was disturbed while this was measured." if ours.get("disturbed") else ""
    if goal.measure == "bandwidth":
        most = limit / ours["limit_GB_per_second"]
        if most < goal.value:
            return f"Limit: {at}: with its rows in the cache this kernel runs at {100 * most:.0f} % of the bandwidth.{disturbed}"
        return f"Limit: {at}.{disturbed}"
    best = value / share
    if goal.measure == "rows":
        return f"Limit: {at}. At 100 % of it, this would be {times_text(best)}.{disturbed}"
    text = f"Limit: {at}. At 100 % of it, {goal.measure} would take {times_text(best)}"
    other = engines[goal.measure]
    if "rows_per_second" in other:
        text += f"; {goal.measure} itself runs {other['rows_per_second'] / 1e6:,.0f} million rows a second"
    return text + "." + disturbed


def standing(groups: dict[str, Engines]) -> list[tuple[Goal, str, bool, str]]:
    """Each goal of which the run has the line: (goal, what was reached, whether it is enough, and if not, why)."""
    rows: list[tuple[Goal, str, bool, str]] = []
    for goal in GOALS:
        value = reached(goal, groups)
        if value is None:
            continue
        met = value <= goal.value if goal.most else value >= goal.value
        rows.append((goal, _written(goal, value), met, "" if met else why(goal, value, groups[goal.line])))
    return rows
