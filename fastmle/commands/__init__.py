"""The commands, one module each. Only click is imported here; the rest when a command runs."""

from __future__ import annotations

import click

from fastmle import __version__
from fastmle.commands.bench import bench
from fastmle.commands.compare import compare
from fastmle.commands.demo import demo
from fastmle.commands.explore import explore
from fastmle.commands.fit import fit
from fastmle.commands.warmup import warmup


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fastmle", message="%(prog)s %(version)s")
def fastmle() -> None:
    """Maximum likelihood at memory speed.

    Try `fastmle demo` first, then `fastmle fit gamma trips.parquet --column seconds`.
    """


for command in (fit, compare, explore, demo, warmup, bench):
    fastmle.add_command(command)
