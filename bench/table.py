"""Write the table of README.md, between its markers, from saved runs of `fastmle bench` or of pytest-benchmark, joined.

fastmle bench --out bench && python bench/table.py bench.json more.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastmle.bench.table import joined, table

START, END = "<!-- measured: written by bench/table.py -->", "<!-- measured: end -->"
SHOWN = [  # fastmle bench's own table has every line
    "gaussian fit", "gaussian fit, float32", "gaussian log-likelihood", "exponential fit", "uniform fit", "bernoulli fit",
    "bernoulli fit, float64", "poisson fit", "gamma fit", "beta fit", "lognormal fit", "pareto fit", "negative_binomial fit",
    "mvn fit", "weibull fit", "weibull Newton pass", "weibull log-likelihood", "student_t fit", "student_t log-likelihood",
    "logistic_dist log-likelihood", "gumbel log-likelihood", "cauchy log-likelihood", "loglogistic log-likelihood",
    "laplace fit", "logistic regression, 2,000,000 x 10", "linear regression with errors, 2,000,000 x 10",
    "Parquet column to gaussian fit", "update of 1,000 rows", "a process that imports", "a process up to its first fit",
]  # fmt: skip
README = Path(__file__).parent.parent / "README.md"


def main(paths: list[str]) -> None:
    text = README.read_text()
    if START not in text or END not in text:
        sys.exit(f"{README.name} has no lines {START!r} and {END!r}")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    runs = [json.loads(Path(path).read_text()) for path in paths]
    README.write_text(f"{before}{START}\n{table(joined(runs), SHOWN)}\n{END}{after}")


if __name__ == "__main__":
    main(sys.argv[1:])
