"""A rendered map, by the real way from cut-outs on, whose pictures' colours tell who they are."""

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa

from butterflies.collection.records import table_of, write_records
from butterflies.files import write_json
from butterflies.rendering.render import run
from butterflies.rendering.settings import RenderSettings
from butterflies.tables import from_rows, schema, write_table
from tests.cutout_sets import Pixels, write_cutouts

COLOURS = list(product((20, 110, 200), repeat=3))
"""Far enough apart to be told from one another after WebP: a specimen's number is its index."""

IDS = [f"painted-{number:02d}" for number in range(len(COLOURS))]


def disc(colour: tuple[int, ...], size: int = 256) -> Pixels:
    """A disc on nothing, as wide as a cut-out may be."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    picture = np.zeros((size, size, 4), np.uint8)
    picture[np.hypot(x, y) < 0.46 * size] = [*colour, 255]
    return picture


def painted_map(folder: Path) -> Path:
    """Writes a collection and an embedding and renders it; the folder of the rendering."""
    collection = write_cutouts(
        folder / "collection", {i: disc(c) for i, c in zip(IDS, COLOURS, strict=True)}
    )
    # Records and points lie in other orders than the cut-outs: nothing may rely on one.
    records = [{"assetID": i, "status": "ok", "specimen": i, "genus": "Pictor"} for i in IDS[::-1]]
    write_records(collection, table_of(records))
    random = np.random.default_rng(0)
    rows = [
        {"assetID": i, "status": "ok", "x": x, "y": y, "code": [x, y]}
        for i, (x, y) in zip(IDS, random.normal(size=(len(IDS), 2)).tolist(), strict=True)
    ]
    points = schema(pa.field("x", pa.float64()), pa.field("y", pa.float64()))
    codes = schema(pa.field("code", pa.list_(pa.float32(), 2)))
    write_table(folder / "embedding" / "map.parquet", from_rows(rows, points))
    write_table(folder / "embedding" / "codes.parquet", from_rows(rows, codes))
    made = {"job": "embed", "status": "finished", "fingerprint": "0123456789abcdef"}
    made_from = {"name": "cutouts", "fingerprint": "mark"}
    write_json(
        folder / "embedding" / "provenance.json",
        {**made, "collection": str(collection), "cutouts": made_from},
    )
    settings = RenderSettings(map=str(folder / "embedding"), out=str(folder / "map"))
    settings.picture_px, settings.tile_px, settings.workers = 64, 128, 1
    return run(settings)
