"""The roofline: how near each kernel is to reading memory and to its own arithmetic, with the vector functions as ceilings."""

from __future__ import annotations

from html import escape

from .axes import Axes, Labels, Point
from .limits import peaks
from .table import Engines

CEILINGS = ("exp", "log", "sin", "tanh", "lgamma")
ADDS = 16  # multiply-adds a value, of the ceiling of arithmetic
KINDS = {"fit": "Fits", "log-likelihood": "Log-likelihoods at given parameters"}
WORDS = (
    "Each dot is a kernel. Across: how fast it runs with its rows in the cache, which is what the cores can do. Up: how fast "
    "it runs from memory, all its reads counted, and whatever else a fit does. The roof is the lower of the two limits: dots under "
    "its flat part are stopped by memory, dots under its slope by arithmetic, and the nearer to the roof, the less is left to gain. "
    "The shaded band is the read bandwidth as it moved during the run. The dashed lines are ceilings of arithmetic: "
    "a kernel that calls that vector function once for every value, or multiplies and adds so often, stays to the left of its line."
)


def _text(gigabytes: float) -> str:
    return f"{gigabytes:.3g}"


def ceilings(groups: dict[str, Engines], adds: float | None) -> dict[str, float]:
    """GB/s of float64 for which the cores can call a function once a value, or multiply and add ADDS times."""
    known = peaks(groups)
    found = {name: 8e-9 * known[name] for name in CEILINGS if name in known}
    return found | ({f"{ADDS} multiply-adds": 8e-9 * adds / ADDS} if adds else {})


def _ceiling_lines(axes: Axes, limits: dict[str, float], labels: Labels) -> str:
    """An upright line for each limit, named along it at its foot; those too near each other share their name."""
    out: list[str] = []
    names: list[str] = []
    near = 0.0  # the last line
    for name, value in sorted(limits.items(), key=lambda item: -item[1]):
        (x, foot), (_, top) = axes.at((value, 10**axes.y0)), axes.at((value, value))
        out.append(f'<path class=ceiling d="M{x:.1f} {foot:.1f}V{top:.1f}"/>')
        if names and near - x > 16:
            out.append(labels.upright(near, f"{', '.join(names)} GB/s"))
            names = []
        names.insert(0, f"{name} {value:.3g}")
        near = x
    return "".join(out) + (labels.upright(near, f"{', '.join(names)} GB/s") if names else "")


def picture(title: str, places: dict[str, Point], memory: list[float], limits: dict[str, float], colour: str) -> str:
    """The dots by name; `memory`: the bandwidths of the lines; `limits`: the ceilings by name."""
    low, high = min(memory), max(memory)
    seen = [*places.values(), (high * 1.6, high * 1.3)]
    left, right = min(*(p[0] for p in seen), low), max(p[0] for p in seen)
    inside = {name: v for name, v in limits.items() if 0.5 * left < v < right}
    axes = Axes([*seen, (0.8 * min([left, *inside.values()]), min(p[1] for p in seen) / 2.5)], 600.0)
    x1, foot = 10**axes.x1, max(10**axes.x0, 10**axes.y0)
    roof = axes.path([(foot, foot), (high, high), (x1, high)])
    out = [axes.frame("GB/s that the cores manage with the rows in the cache", "GB/s from memory", _text)]
    out.append(f'<path d="{axes.path([(low, low), (high, high), (x1, high), (x1, low)])}Z" fill="var(--limit)" fill-opacity=".14"/>')
    out.append(f'<path d="{roof}" fill="none" stroke="var(--limit)" stroke-width="2.5"/>')
    labels = Labels([axes.at(p) for p in places.values()], axes.low)
    out.append(_ceiling_lines(axes, inside, labels))
    band = f"{low:.3g} to {high:.3g}" if high > 1.05 * low else f"{high:.3g}"
    x, y = axes.at((high, high))
    out.append(labels.place(x - 40, y - 12, f"memory is read at {band} GB/s", "--limit"))
    for name, p in sorted(places.items(), key=lambda item: -item[1][1]):
        x, y = axes.at(p)
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="var({colour})"><title>{escape(name)}: {p[0]:.3g} GB/s in the '
                   f'cache, {p[1]:.3g} from memory</title></circle>')  # fmt: skip
        out.append(labels.place(x, y, name))
    return axes.picture(title, "".join(out))


def roofline(groups: dict[str, Engines], adds: float | None = None) -> str:
    """The section of the page: fits, then log-likelihoods; empty where the run has no kernels. adds: multiply-adds a second."""
    out, limits = [], ceilings(groups, adds)
    ours = {name: engines["fastmle"] for name, engines in groups.items() if "compute_GB_per_second" in engines["fastmle"]}
    for (kind, title), colour in zip(KINDS.items(), ("--ours", "--fourth"), strict=True):
        lines = {name.replace(f" {kind}", ""): i for name, i in ours.items() if f" {kind}" in name}
        places = {
            name: (i["compute_GB_per_second"], i.get("reads", 1) * i["GB_per_second"]) for name, i in lines.items()
        }
        memory = [i["limit_GB_per_second"] for i in lines.values()]
        if places:
            out.append(f"<h3>{title}</h3>" + picture(f"Roofline: {title}", places, memory, limits, colour))
    return f"<h2 id=roofline>Roofline</h2><p>{WORDS}</p>" + "".join(out) if out else ""
