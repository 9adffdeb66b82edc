"""Plots beside the map: the projection coloured by what is known of the specimens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from butterflies.files import writing

COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e0a100"),
    *("#56b4e9", "#882255", "#332288", "#999933", "#7a4a21"),
)
"""Ten that stay apart for most colour-blind eyes (after Okabe and Ito, 2008, and Tol, 2021)."""

COLUMNS = ("genus", "family", "sex")

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
    path: Path, xy: npt.NDArray[np.float64], values: Sequence[str | None], name: str
) -> None:
    """Writes a PNG of the projection, a dot a specimen, y down as on the map.

    Args:
        path: of the PNG.
        xy: (n, 2).
        values: (n,) what colours the dots, None where not recorded.
        name: of the column, for the title.
    """
    figure = Figure(figsize=(10, 7.6), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.02, 0.02, 0.74, 0.87))
    found = groups(values)
    for group in reversed(found):
        _dots(axes, xy[group.members], group, len(xy))
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()
    axes.set_axis_off()
    _legend(axes, found, italic=name == "genus")
    figure.text(0.03, 0.945, f"By {name}", size=17, weight="bold", color=INK)
    subtitle = f"{len(xy):,} specimens, each beside those that look like it"
    figure.text(0.03, 0.912, subtitle, size=10.5, color=FAINT)
    FigureCanvasAgg(figure)
    with writing(path) as temporary:
        figure.savefig(temporary, format="png")


def plot_all(
    folder: Path, ids: Sequence[str], xy: npt.NDArray[np.float64], records: pa.Table
) -> None:
    """Writes `<column>.png` of each of COLUMNS; a specimen without a record is not recorded."""
    known = records.select(["assetID", *COLUMNS]).to_pylist()
    record = {row["assetID"]: row for row in known}
    for column in COLUMNS:
        values = [record.get(asset_id, {}).get(column) for asset_id in ids]
        scatter(folder / f"{column}.png", xy, values, column)


def _dots(axes: Axes, xy: npt.NDArray[np.float64], group: Group, total: int) -> None:
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
