"""Write the table of README.md, between its markers, from a saved run of `fastmle bench` or of pytest-benchmark.

fastmle bench --out bench && python bench/table.py bench.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastmle.bench.table import table

START, END = "<!-- measured: written by bench/table.py -->", "<!-- measured: end -->"
README = Path(__file__).parent.parent / "README.md"


def main(path: str) -> None:
    text = README.read_text()
    if START not in text or END not in text:
        sys.exit(f"{README.name} has no lines {START!r} and {END!r}")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    new = f"{before}{START}\n{table(json.loads(Path(path).read_text()))}\n{END}{after}"
    README.write_text(new)


if __name__ == "__main__":
    main(sys.argv[1])
