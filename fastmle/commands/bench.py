"""`fastmle bench`: the suite, its report, and whether anything has become slower."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("families", nargs=-1)
@click.option(
    "--rows",
    type=click.FloatRange(1.0, 1e12),
    default=50_000_000.0,
    show_default=True,
    help="Rows in memory; 5e7 takes some minutes and 2 GB.",
)
@click.option(
    "--out",
    default="fastmle-bench",
    show_default=True,
    metavar="PATH",
    help="PATH.json, PATH.html and PATH.md.",
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(["functions", "kernels", "regressions", "files", "start-up", "scaling"]),
    help="Only this part (repeat for several), which --from joins with others.",
)
@click.option(
    "--scaling",
    "most",
    type=click.FloatRange(0.0, 1e12),
    default=0.0,
    metavar="ROWS",
    help="Time files of 1e3, 1e4, ... rows too, up to these: 1e9 takes 8 GB of disk, and no more memory.",
)
@click.option(
    "--from",
    "given",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    metavar="JSON",
    help="Report saved runs (also of pytest-benchmark), joined, instead.",
)
@click.option(
    "--compare",
    "old",
    type=click.Path(exists=True, dir_okay=False),
    metavar="JSON",
    help="Exit 1 if a ratio to numpy has dropped by over 15 % since this run.",
)
def bench(
    families: tuple[str, ...],
    rows: float,
    out: str,
    parts: tuple[str, ...],
    most: float,
    given: tuple[str, ...],
    old: str | None,
) -> int:
    """Time the fits of FAMILIES (default: all) and their log-likelihoods against numpy, peers and the machine's limits.

    Writes a run that `pytest-benchmark compare` reads, a page to look at, and a table in Markdown.
    """
    from fastmle.bench.report import report
    from fastmle.bench.run import PARTS, run
    from fastmle.bench.sections import functions_table
    from fastmle.bench.table import dropped, joined, table, times
    from fastmle.families import family_class

    if math.isnan(rows) or math.isnan(most):
        raise click.BadParameter("a number of rows is wanted")
    before = _saved(old) if old else None
    for name in families:
        family_class(name)  # an unknown one is refused before anything is timed
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    if given:
        saved = joined([_saved(path) for path in given])
    else:
        chosen = parts or (("functions", "kernels", "scaling") if families else PARTS)
        try:
            saved = run(int(rows), families, lambda line: click.echo(line, err=True), chosen, int(most))
        except RuntimeError as error:
            if str(error) == "Query interrupted":  # what DuckDB raises after Ctrl-C
                raise KeyboardInterrupt from error
            raise
        Path(f"{out}.json").write_text(json.dumps(saved, indent=1), "utf-8")
    Path(f"{out}.html").write_text(report(saved), "utf-8")
    text = "\n\n".join(filter(None, (table(saved), functions_table(times(saved)))))
    Path(f"{out}.md").write_text(text + "\n", "utf-8")
    click.echo(text)
    slower = dropped(saved, before) if before else []
    for sentence in slower:
        click.echo(f"slower: {sentence}", err=True)
    return 1 if slower else 0


def _saved(path: str) -> Any:
    try:
        found = json.loads(Path(path).read_text("utf-8"))
        if all(key in found for key in ("benchmarks", "machine_info", "datetime")):
            return found
    except (ValueError, TypeError) as error:
        raise click.BadParameter(f"{path} is no saved run: {error}") from error
    raise click.BadParameter(f"{path} is no saved run: it lacks benchmarks")
