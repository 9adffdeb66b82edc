"""Scatter plots of specimens, coloured by what is known of them: one look wherever they appear."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e0a100"),
    *("#56b4e9", "#882255", "#332288", "#999933", "#7a4a21"),
)
"""Ten that stay apart for most colour-blind eyes (after Okabe and Ito, 2008, and Tol, 2021)."""

MARKERS = "o^"
"""The second ten groups wear the same colours in another shape."""

MOST_NAMED = len(COLOURS) * len(MARKERS)
OTHER, UNKNOWN = "#8f8f8f", "#d4d4d4"
INK, FAINT = "#222222", "#6b6b6b"
DPI = 160


@dataclass(frozen=True)
class Group:
    """Specimens drawn alike.

    Attributes:
        label: in the legend.
        members: (n,) bool.
        colour: of its dots.
        marker: their shape.
    """

    label: str
    members: npt.NDArray[np.bool_]
    colour: str
    marker: str


def groups(values: Sequence[str | None]) -> list[Group]:
    """The most frequent values in the palette's colours, the others and the unknown in grey."""
    array = np.array([value or "" for value in values])
    counts = Counter(value for value in values if value)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    named = ranked[:MOST_NAMED]
    made = [
        Group(name, array == name, COLOURS[i % len(COLOURS)], MARKERS[i // len(COLOURS)])
        for i, name in enumerate(named)
    ]
    others = np.isin(array, ranked[MOST_NAMED:])
    rest = f"{len(ranked) - len(named)} others"
    greys = [Group(rest, others, OTHER, "o"), Group("not recorded", array == "", UNKNOWN, "o")]
    return made + [group for group in greys if group.members.any()]


def scatter(
    xy: npt.NDArray[np.floating[Any]],
    values: Sequence[str | None],
    title: str,
    subtitle: str,
    italic: bool = False,
) -> npt.NDArray[np.uint8]:
    """Draws a dot a specimen, y down as on the map, and a legend.

    Args:
        xy: (n, 2).
        values: (n,) what colours the dots, None where not recorded.
        title: in bold.
        subtitle: below it.
        italic: the values are names that are set in italics, such as genera.

    Returns:
        The picture's pixels (height, width, 3).
    """
    figure = Figure(figsize=(10, 7.6), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.02, 0.02, 0.74, 0.87))
    found = groups(values)
    for group in reversed(found):
        _dots(axes, xy[group.members], group, len(xy))
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()
    axes.set_axis_off()
    _legend(axes, found, italic)
    figure.text(0.03, 0.945, title, size=17, weight="bold", color=INK)
    figure.text(0.03, 0.912, subtitle, size=10.5, color=FAINT)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def _dots(axes: Axes, xy: npt.NDArray[np.floating[Any]], group: Group, total: int) -> None:
    size = float(np.clip(30_000 / max(total, 1), 1.0, 60.0))
    grey = group.colour in (OTHER, UNKNOWN)
    axes.scatter(
        xy[:, 0],
        xy[:, 1],
        s=size,
        c=group.colour,
        marker=group.marker,
        linewidths=0,
        alpha=0.6 if grey else 0.85,
        zorder=1 if grey else 2,
    )


def _legend(axes: Axes, found: Sequence[Group], italic: bool) -> None:
    handles = [
        Line2D([], [], color=g.colour, marker=g.marker, linestyle="", markersize=7, label=_label(g))
        for g in found
    ]
    legend = axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=10,
        handletextpad=0.2,
        labelspacing=0.45,
        labelcolor=INK,
    )
    for text, group in zip(legend.get_texts(), found, strict=True):
        if italic and group.colour not in (OTHER, UNKNOWN):
            text.set_fontstyle("italic")


def _label(group: Group) -> str:
    return f"{group.label}  {int(group.members.sum()):,}".replace("$", r"\$")
