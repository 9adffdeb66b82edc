"""What W&B is told of each job's result: numbers, pictures, and what to keep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from butterflies.collection.records import read_records
from butterflies.quality import genus_knn, read_points
from butterflies.rendering.plots import COLUMNS, plot_all
from butterflies.segmentation.sheets import SHEETS, sheet_path
from butterflies.segmentation.store import read_cutouts
from butterflies.tables import read_table
from butterflies.tracking.artifacts import Artifact
from butterflies.tracking.reporting import Report, counts

TABLES = ("codes", "neighbours", "map")


def of_cutouts(place: Path) -> Report:
    """Counts, mean confidence and damage, the contact sheets; nothing is uploaded."""
    table = read_cutouts(place.parent, place.name)
    return Report(
        summary=counts(table, means=("confidence", "damage", "foreground_share")),
        pictures={f"contact sheet/{which}": sheet_path(place, which) for which in SHEETS},
        artifact=Artifact(
            place.name, "cutouts", refers_to=place.with_name(f"{place.name}.parquet")
        ),
    )


def of_embedding(place: Path, collection: Path) -> Report:
    """Counts, mean error, how well the map tells genera, and plots of it; the tables."""
    points, plots = read_points(place), place / "plots"
    plot_all(plots, list(points), np.stack(list(points.values())), read_records(collection))
    codes = read_table(place / "codes.parquet", "python embed.py")
    return Report(
        summary={**counts(codes, means=("reconstruction_error",)), **_score(collection, points)},
        pictures=_plots(plots),
        artifact=Artifact("map", "map", [place / f"{name}.parquet" for name in TABLES]),
    )


def of_rendering(place: Path) -> Report:
    """Counts and plots; the site is referred to, not one of its tiles."""
    return Report(
        summary=counts(read_table(place / "places.parquet", "python render.py")),
        pictures=_plots(place / "plots"),
        artifact=Artifact("site", "site", refers_to=place / "site" / "map.json"),
    )


def _plots(folder: Path) -> dict[str, Path]:
    return {f"map/{name}": folder / f"{name}.png" for name in COLUMNS}


def _score(collection: Path, points: Mapping[str, Any]) -> dict[str, float]:
    try:
        found = genus_knn(collection, points)
    except ValueError:  # too few genera are known
        return {}
    return {
        "map/knn_genus": found.plain,
        "map/knn_genus_balanced": found.balanced,
        "map/knn_genus_majority": found.majority,
    }
