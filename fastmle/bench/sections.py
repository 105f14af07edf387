"""Tables of the page: the vector functions with their errors, and the goals with what stops them."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .functions import known
from .goals import standing
from .table import Engines, times_text


def _table(kind: str, heads: Iterable[str], rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Rows are (sort, cells); kind and sort are for the style."""
    head = "".join(f"<th>{word}</th>" for word in heads)
    body = "".join(f"<tr class='{sort}'>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for sort, row in rows)
    return f"<div class=scroll tabindex=0><table class='{kind}'><tr>{head}</tr>{body}</table></div>"


def functions_rows(groups: dict[str, Engines]) -> list[list[str]]:
    """Of each vector function: name, where timed, largest and allowed error, speed on one thread and on all, and elsewhere."""
    rows, errors = [], known()["functions"]
    for engines in groups.values():
        name = engines["fastmle"].get("function")
        if name is None:
            continue
        one, error = engines["fastmle, 1 thread"], errors[name]
        other = next(e for e in engines if not e.startswith("fastmle"))
        alike = engines[other]["each"] / one["each"]
        speeds = [f"{engines[e]['values_per_second'] / 1e6:,.0f}" for e in ("fastmle, 1 thread", "fastmle", other)]
        where = f"{error['where'][0]:g} to {error['where'][1]:g}"
        rows.append([name, where, f"{error['ulps']:.2f}", f"{error['allowed']:.3g}", *speeds, f"{times_text(alike)} ({other})"])
    return rows


FUNCTIONS = ("function", "timed on", "error, ulps", "allowed", "on 1 thread", "on all threads", "elsewhere, 1 thread", "takes")
def functions_table(groups: dict[str, Engines]) -> str:
    """The same in Markdown."""
    rows = functions_rows(groups)
    lines = [FUNCTIONS, ["---", *["---:"] * (len(FUNCTIONS) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) if rows else ""


FUNCTIONS_SAY = (
    "What the kernels call for each row: million values a second, with the arguments in the cache, the best of several rounds; the "
    "last column says how many times as long numpy or scipy.special takes per value on one thread. Errors are the largest of {:,} "
    "points each, against mpmath, over the whole domain; they belong to the code and are checked by its tests."
)
GOALS = ("line", "goal", "measured", "reached", "what stops it")
GOALS_SAY = (
    "{} of {} are reached in this run. Where one is not, the last column names the limit that stops it. "
    '"x" is how many times as long as fastmle another takes per row.'
)


def functions_section(groups: dict[str, Engines]) -> str:
    """The peak of the vector functions; empty where the run has it not."""
    rows = functions_rows(groups)
    if not rows:
        return ""
    words = FUNCTIONS_SAY.format(known()["points"])
    return f"<h2 id=functions>Vector functions</h2><p>{words}</p>{_table('functions', FUNCTIONS, [('', row) for row in rows])}"


def goals_section(groups: dict[str, Engines]) -> str:
    """What was aimed at, reached or stopped by which limit; empty where the run has no such lines."""
    rows = standing(groups)
    if not rows:
        return ""
    cells = [
        ("met" if met else "missed", [goal.line, goal.says(), value, "yes" if met else "no", why]) for goal, value, met, why in rows
    ]
    words = GOALS_SAY.format(sum(met for _, _, met, _ in rows), len(rows))
    return f"<h2 id=goals>Goals</h2><p>{words}</p>{_table('goals', GOALS, cells)}"
