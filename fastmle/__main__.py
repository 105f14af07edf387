"""`python -m fastmle`: the command line."""

from fastmle.cli import main

code = main()
exec("")  # clears Python's memory of a Ctrl-C inside another exec, for which `python -m` would end by the signal, not by the code
raise SystemExit(code)
