"""The root of a function between two points; for the host. (Importing scipy.optimize takes longer than most fits.)"""

from __future__ import annotations

import math
from collections.abc import Callable


def root_between(f: Callable[[float], float], low: float, high: float, xtol: float, rtol: float = 1e-15) -> float:
    """x between `low` and `high` with f(x) = 0, to xtol + rtol |x|; f(low) and f(high) differ in sign, and may be infinite.

    Inverse quadratic steps where three points promise a good one, halves elsewhere. Raises ValueError if the signs agree.
    Source: T. Chandrupatla, A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without
    using derivatives, Adv. Eng. Softw. 28 (1997).
    """
    a, b = low, high  # the newest point, and the one on the other side
    at_a, at_b = f(a), f(b)
    if at_a == 0.0 or at_b == 0.0:
        return a if at_a == 0.0 else b
    if not (at_a < 0.0) ^ (at_b < 0.0):
        raise ValueError(f"no change of sign between {low} and {high}")
    share = 0.5
    while True:
        x = a + share * (b - a)
        value = f(x)
        c, at_c = a, at_a  # the point before
        if (value < 0.0) ^ (at_a < 0.0):
            c, at_c, b, at_b = b, at_b, a, at_a
        a, at_a = x, value
        best, least = (a, at_a) if abs(at_a) < abs(at_b) else (b, at_b)
        room = abs(b - a)
        if least == 0.0 or room <= 2.0 * (xtol + rtol * abs(best)) or x in (b, c):
            return best
        share, edge = 0.5, (xtol + rtol * abs(best)) / room
        if all(map(math.isfinite, (at_a, at_b, at_c))) and at_c != at_b:
            across, along = (at_a - at_b) / (at_c - at_b), (a - b) / (c - b)
            if across * across < along and (1.0 - across) ** 2 < 1.0 - along:
                share = at_a / (at_b - at_a) * at_c / (at_b - at_c)
                share += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
                share = min(max(share, edge), 1.0 - edge)
