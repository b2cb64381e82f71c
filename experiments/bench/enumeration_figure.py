"""How do seconds grow with the number of vertices?  One log-log plot, a marker for each program."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Okabe and Ito's colours, and a marker each.
_STYLES = {
    "ours": ("#0072B2", "o"),
    "lrs": ("#D55E00", "s"),
    "Normaliz": ("#009E73", "^"),
    "PPL": ("#E69F00", "v"),
    "cdd.gmp": ("#CC79A7", "D"),
}


def seconds_figure(points: Mapping[str, Sequence[tuple[int, float]]], limit: float) -> "Figure":
    """Draws seconds over vertices.

    Args:
        points: program -> (vertices, seconds) of what ended in time.
        limit: seconds at which a peer was stopped, drawn as a line.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, found in points.items():
        colour, marker = _STYLES.get(name, ("#000000", "x"))
        ordered = sorted(found)
        if ordered:
            axes.loglog(*zip(*ordered, strict=True), color=colour, marker=marker, ms=5, ls="")
            axes.lines[-1].set_label(name)
    axes.axhline(limit, color="#999999", lw=0.8, ls=":")
    axes.set_xlabel("vertices")
    axes.set_ylabel("seconds")
    axes.legend(frameon=False, fontsize=8)
    axes.grid(visible=True, which="major", lw=0.3)
    return figure
