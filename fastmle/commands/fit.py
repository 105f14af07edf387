"""`fastmle fit`: one family, one file."""

from __future__ import annotations

import json
from typing import Any

import click

from fastmle.commands.options import ConstantsCommand, assignments, given, shared_options, split
from fastmle.commands.progress import progress_bar


@click.command(
    cls=ConstantsCommand, epilog="Constants of a family are options too: `--n 10` for binomial, say."
)
@click.argument("family")
@click.argument("file")
@click.option("--column", metavar="C", help="The column to fit.")
@click.option("--columns", metavar="A,B", help="The columns of a family of several.")
@click.option("--target", metavar="Y", help="The target of a regression.")
@click.option("--features", metavar="A,B", help="The features of a regression.")
@click.option("--formula", metavar="'Y ~ A + B'", help="Target and features of a regression as a formula.")
@click.option("--offset", metavar="C", help="Column added to the linear predictor of a regression.")
@click.option("--exposure", metavar="C", help="Column whose logarithm is added to it.")
@click.option("--trials", metavar="C", help="Column of numbers of trials; the target is then a proportion.")
@click.option("--link", metavar="NAME", help="Link function of a regression.")
@click.option("--base", metavar="CLASS", help="The class that the others are compared with, in a multinomial regression.")
@click.option("--cov", metavar="KIND", help="Standard errors of a regression: model, HC0 .. HC3 or cluster.")
@click.option("--cluster", metavar="C", help="Column of clusters, for --cov cluster.")
@click.option("--no-intercept", is_flag=True, help="A regression without an intercept.")
@click.option("--fixed", metavar="NAME=VALUE", multiple=True, help="Hold a parameter; may be repeated.")
@click.option("--strict", is_flag=True, help="Fail unless the fit is a regular maximum.")
@shared_options
@click.pass_context
def fit(
    ctx: click.Context,
    /,
    family: str,
    file: str,
    columns: str | None,
    features: str | None,
    fixed: tuple[str, ...],
    strict: bool,
    no_intercept: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Fit FAMILY to a column of FILE (Parquet, Arrow IPC, CSV or .npy; a path or a quoted glob)."""
    import fastmle as fm

    roles = given(columns=split(columns), features=split(features), fixed=assignments(fixed), **options)
    if strict:
        roles["strict"] = True
    if no_intercept:
        roles["intercept"] = False
    with progress_bar() as progress:
        result = fm.fit(family, file, progress=progress, **roles, **ctx.obj)
    click.echo(json.dumps(result.to_dict(), indent=2, allow_nan=False) if as_json else result.summary())
    if result.status not in ("ok", "nonregular"):
        click.echo(f"fastmle: {result.status}: {result.message}", err=True)
    return 1 if result.status == "not_converged" else 0
