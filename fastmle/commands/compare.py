"""`fastmle compare`: several families on one column, the best first."""

from __future__ import annotations

import json
from typing import Any

import click

from fastmle.commands.options import given, shared_options, split
from fastmle.commands.progress import progress_bar


@click.command()
@click.argument("file")
@click.option("--column", metavar="C", help="The column to fit.")
@click.option("--families", metavar="A,B,C", required=True, help="The families to compare, or `all`.")
@shared_options
def compare(file: str, families: str, as_json: bool, **options: Any) -> None:
    """Fit several FAMILIES to a column of FILE and order them by AIC."""
    import fastmle as fm

    names: Any = "all" if families == "all" else split(families)
    with progress_bar() as progress:
        fits = fm.compare(file, names, progress=progress, **given(**options))
    click.echo(
        json.dumps([fit.to_dict() for fit in fits], indent=2, allow_nan=False) if as_json else repr(fits)
    )
