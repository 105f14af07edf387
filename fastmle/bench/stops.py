"""What stops a line, in words."""

from __future__ import annotations

import math
from typing import Any

from .table import duration

SURE = 1.05  # a line that reaches more of its limit than this shows that it is none
SHOWN = 0.02  # a smaller share of a time is not spoken of


def functions_alone(info: dict[str, Any]) -> str:
    """The peak of the functions that a kernel calls, in words, where they are known."""
    if "functions_GB_per_second" not in info:
        return ""
    names = " and ".join(f"{name} {times} times" if times > 1 else name for name, times in info["functions"].items())
    peak = info["functions_GB_per_second"]
    return f"{names} alone, for each row, at {peak:.3g} GB/s"


def around(info: dict[str, Any]) -> str:
    """The time of what is done around the rows, in words, where it is a share of the whole that shows."""
    part = info.get("around_seconds", 0.0) / info.get("seconds", math.inf)
    if part < SHOWN:
        return ""
    return f"{duration(info['around_seconds'])} of its {duration(info['seconds'])} go by around the rows, as one block of them shows"


def lower(info: dict[str, Any]) -> tuple[str, float] | None:
    """Which limit is the lower one, and its bytes a second / 1e9."""
    known = {"reading memory": info.get("limit_GB_per_second"), "arithmetic": info.get("compute_GB_per_second")}
    found = {name: limit for name, limit in known.items() if limit}
    return min(found.items(), key=lambda item: item[1]) if found else None


def stop(info: dict[str, Any]) -> str:
    """A sentence: the nearer limit of a line, the share of it that was reached, and what all its limits are."""
    found = lower(info)
    if found is None or "GB_per_second" not in info:
        return ""
    name, limit = found
    share = info.get("reads", 1) * info["GB_per_second"] / limit
    known = f"memory is read at {info.get('limit_GB_per_second', 0.0):.3g} GB/s"
    if info.get("compute_GB_per_second"):
        known += f", this kernel runs at {info['compute_GB_per_second']:.3g} GB/s if its rows are in the cache"
    alone = functions_alone(info)
    known += f"; {alone}" if alone else ""
    known += f"; {around(info)}" if around(info) else ""
    if share > SURE:
        return f"No limit is shown: the line ran faster than what was measured before and after it ({known})."
    noise = " Disturbed: the bandwidth before and after differs by over 20 %." if info.get("disturbed") else ""
    return f"Nearer limit: {name}, {100 * share:.0f} % of it reached ({known}).{noise}"
