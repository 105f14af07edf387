"""`fastmle demo`: several families on real data, with what each fit took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from rich.table import Table

    from fastmle import Fit

SLOW = 0.15  # seconds


class Example(NamedTuple):
    family: str
    what: str
    data: Any
    options: dict[str, Any]


@click.command()
def demo() -> None:
    """Fit several families to the 336,776 flights that left New York in 2013."""
    start = time.perf_counter()
    examples = _examples()
    table = _table()
    compiling = 0.0
    for example in examples:
        seconds, fit = _timed(example)
        if seconds > SLOW:  # it was compiled, perhaps: see what it takes now
            first = seconds
            seconds, fit = _timed(example)
            compiling += max(0.0, first - seconds)
        rows = fit.nobs + fit.nobs_dropped
        table.add_row(
            example.what,
            example.family,
            estimates(fit),
            f"{fit.nobs:,.0f}",
            f"{fit.nobs_dropped:,}",
            f"{1e3 * seconds:.1f}",
            f"{rows / seconds / 1e6:.1f} M",
            fit.status,
        )
    _print(table)
    total = time.perf_counter() - start
    click.echo(
        f"{total:.1f} s in all, {compiling:.1f} s of it compiling: once for each kernel, which is kept on disk.\n"
        "The times in the table include reading the file, and not compiling."
    )


def _examples() -> list[Example]:
    import polars as pl

    import fastmle.api  # noqa: F401  (so that no fit's time includes it)
    from fastmle.data import flights

    path = flights()
    late = pl.scan_parquet(path).filter(pl.col("dep_delay") > 0).select("dep_delay")
    delayed = pl.scan_parquet(path).select(arrived_late=pl.col("arr_delay") > 0)
    drop = {"nulls": "drop"}
    air_time = drop | {"column": "air_time"}
    return [
        Example("gaussian", "dep_delay", path, drop | {"column": "dep_delay"}),
        Example("gamma", "air_time", path, air_time),
        Example("weibull", "air_time", path, air_time),
        Example("uniform", "hour", path, {"column": "hour"}),
        Example("bernoulli", "was arr_delay > 0", delayed, drop),
        Example("poisson", "dep_delay > 0", late, {}),
        Example("negative_binomial", "dep_delay > 0", late, {}),
        Example("mvn", "dep_delay, arr_delay", path, drop | {"columns": ["dep_delay", "arr_delay"]}),
    ]


def _timed(example: Example) -> tuple[float, Fit]:
    import fastmle as fm

    start = time.perf_counter()
    fit = fm.fit(example.family, example.data, **example.options)
    return time.perf_counter() - start, fit


def estimates(fit: Fit) -> str:
    """`mu = 12.64 ± 0.07` for each parameter, one a line."""
    import numpy as np

    errors = fit.bse
    lines = []
    for name, value in fit.params.items():
        shape = np.shape(value)
        # of a symmetric matrix, the lower triangle
        places = [place for place in np.ndindex(shape) if len(place) < 2 or place[0] >= place[1]]
        for place in places:
            label = name + (f"[{','.join(map(str, place))}]" if place else "")
            lines.append(
                f"{label} = {with_error(float(np.asarray(value)[place]), float(np.asarray(errors[name])[place]))}"
            )
    return "\n".join(lines)


def with_error(value: float, error: float) -> str:
    """A number to the digits that its error leaves it: 12.639 ± 0.070."""
    from math import floor, isfinite, log10

    if not (isfinite(error) and error > 0.0):
        return f"{value:.6g}"
    digits = max(0, 1 - floor(log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _table() -> Table:
    from rich import box
    from rich.table import Table

    title = "Flights out of New York in 2013; delays and air_time in minutes"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("column", "family"):
        table.add_column(name)
    table.add_column("estimate ± standard error", no_wrap=True)
    for name in ("n", "dropped", "ms", "rows/s"):
        table.add_column(name, justify="right")
    table.add_column("status")
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(table)
