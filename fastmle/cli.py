"""The program `fastmle`: exit code 0, 1 where data or a fit fails, 2 for wrong usage, 130 after Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fastmle.errors import FamilyError, FastmleError


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; results go to stdout, all else to stderr."""
    try:
        return _run(args)
    except KeyboardInterrupt:
        return 130
    except (FastmleError, OSError) as error:  # an OSError where the output cannot be written
        _say(str(error))
        return 2 if isinstance(error, FamilyError) else 1


def _say(text: str) -> None:
    if sys.stderr is not None:  # as it is where no such file is open
        sys.stderr.write(f"fastmle: {text}\n")


def _run(args: Sequence[str] | None) -> int:
    try:
        import click
        import rich  # noqa: F401
    except ImportError:
        _say("the command line needs the extra 'cli': pip install 'fastmle[cli]'")
        return 1
    from fastmle.commands import fastmle

    try:
        return fastmle.main(args, "fastmle", standalone_mode=False) or 0
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
