"""`python -m fastmle`: the command line."""

from fastmle.cli import main

raise SystemExit(main())
