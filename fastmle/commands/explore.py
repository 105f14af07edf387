"""`fastmle explore`: a page on which a likelihood is moved by hand."""

from __future__ import annotations

from typing import Any

import click

from fastmle.commands.options import given, reading_options
from fastmle.commands.progress import progress_bar


@click.command()
@click.argument("file")
@click.option("--target", metavar="Y", help="The target of a regression.")
@click.option("--feature", metavar="X", help="Its feature.")
@click.option("--column", metavar="C", help="The column of a distribution.")
@click.option("--family", metavar="NAME", help="The distribution, or the kind of regression; default linear or gaussian.")
@click.option("--points", type=click.IntRange(0), default=0, help="Show so many rows, drawn at random; default none.")
@click.option("-o", "--output", metavar="PAGE.html", required=True, help="Where to write the page.")
@reading_options
def explore(
    file: str, target: str | None, feature: str | None, family: str | None, points: int, output: str, **options: Any
) -> None:
    """Read FILE once and write a page to explore the likelihood of a model with; it needs no network.

    Linear or logistic regression with --target and --feature, a distribution with --column.
    """
    import fastmle as fm

    regression = target is not None or feature is not None
    if regression and (target is None or feature is None or options["column"] is not None):
        raise click.UsageError("a regression has --target and --feature, and no --column")
    roles: dict[str, Any] = {"target": target, "features": [feature]} if regression else {}
    with progress_bar() as progress:
        fit = fm.fit(
            family or ("linear" if regression else "gaussian"), file, progress=progress, keep="bins", points=points,
            **roles, **given(**options),
        )  # fmt: skip
    fm.explore(fit, output)
    click.echo(output)
