"""Options that several commands share, and how they become arguments of `fastmle.fit`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

READING = (
    click.option("--weights", metavar="W", help="Column of weights."),
    click.option(
        "--weight-kind",
        type=click.Choice(["frequency", "precision", "sampling"]),
        help="A row counts W times (the default), has variance 1/W, or stands for W rows of a population.",
    ),
    click.option(
        "--nulls", type=click.Choice(["raise", "drop"]), help="What to do with nulls and NaN; default raise."
    ),
    click.option("--threads", type=click.IntRange(1), help="Number of threads; default all cores."),
)


def shared_options(command: F) -> F:
    """Weights, nulls, threads and the kind of output."""
    return reading_options(click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command))


def reading_options(command: F) -> F:
    """Weights, nulls and threads."""
    for option in reversed(READING):
        command = option(command)
    return command


def given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def split(text: str | None) -> list[str] | None:
    """`a,b,c` as a list."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def number(text: str) -> float | int | None:
    """The number that a text is, whole if it can be."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def assignments(pairs: tuple[str, ...]) -> dict[str, float] | None:
    """`mu=0` and `mu=0,sigma=1` as a dict; None if there are none."""
    fixed: dict[str, float] = {}
    for pair in (part for text in pairs for part in text.split(",")):
        name, equals, text = pair.partition("=")
        value = number(text)
        if not (name.strip() and equals) or value is None:
            raise click.BadParameter(f"{pair!r} is not of the form name=number", param_hint="--fixed")
        fixed[name.strip()] = float(value)
    return fixed or None


class ConstantsCommand(click.Command):
    """A command which takes any `--name number` besides its own options: the constants of a family."""

    taken = ("family", "data", "progress")  # what the command itself hands on by these names

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = [name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)]
        constants: dict[str, float | int] = {}
        rest: list[str] = []
        waiting = iter(args)
        for arg in waiting:
            name, equals, text = arg.partition("=")
            unknown = name.startswith("--") and name != "--" and name not in known
            value = number(text if equals else next(waiting, "")) if unknown and name[2:] not in self.taken else None
            if value is not None:
                constants[name[2:].replace("-", "_")] = value
            elif unknown:
                raise click.NoSuchOption(name, possibilities=difflib.get_close_matches(name, known), ctx=ctx)
            else:
                rest.append(arg)
        ctx.obj = constants
        return super().parse_args(ctx, rest)
