"""Plots beside the map: the projection coloured by what is known of the specimens."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.scatter import scatter
from butterflies.sheet import write_png

COLUMNS = ("genus", "family", "sex")


def plot_all(
    folder: Path, ids: Sequence[str], xy: npt.NDArray[np.float64], records: pa.Table
) -> None:
    """Writes `<column>.png` of each of COLUMNS; a specimen without a record is not recorded."""
    known = records.select(["assetID", *COLUMNS]).to_pylist()
    record = {row["assetID"]: row for row in known}
    subtitle = f"{len(xy):,} specimens, each beside those that look like it"
    for column in COLUMNS:
        values = [record.get(asset_id, {}).get(column) for asset_id in ids]
        plot = scatter(xy, values, f"By {column}", subtitle, italic=column == "genus")
        write_png(folder / f"{column}.png", plot)
