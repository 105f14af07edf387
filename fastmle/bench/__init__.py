"""The benchmark suite behind `fastmle bench`: limits of the machine, lines, peers, and a report that needs no network.

A line is a group of engines that answer one question about the same data. Saved runs have pytest-benchmark's schema, so that
`pytest-benchmark compare` reads them, and a report takes in whatever `pytest -c setup.cfg --benchmark-json` wrote.
"""
