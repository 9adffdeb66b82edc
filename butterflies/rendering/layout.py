"""Where every picture lies on the map: the specimens' places and the representatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.mapping import representatives as reps
from butterflies.mapping.spread import Frames, Places, map_size, spread
from butterflies.rendering.embedded import Embedding
from butterflies.rendering.layers import Placed
from butterflies.rendering.sprites import SHADOW_PAD
from butterflies.tables import schema, with_statuses

SCHEMA = schema(
    pa.field("place_x", pa.int32()),
    pa.field("place_y", pa.int32()),
    pa.field("first_zoom", pa.int32()),
)
"""`place_*`: the centre of the specimen's picture in world units, pixels of the deepest zoom."""


@dataclass(frozen=True)
class Layout:
    """Where everything lies.

    Attributes:
        zoom: Z.
        places: (n, 2) centres in world units, in the order of the embedding's ids.
        frames: the points on their way there.
        table: places.parquet.
        chosen: representatives.parquet.
    """

    zoom: int
    places: Places
    frames: Frames
    table: pa.Table
    chosen: pa.Table

    def above(self, ids: Sequence[str], rooms: npt.NDArray[np.float64]) -> dict[int, Placed]:
        """The representatives by zoom, in pixels of their zoom; `rooms` over a picture's width."""
        number = {asset_id: index for index, asset_id in enumerate(ids)}
        by_zoom: dict[int, list[dict[str, Any]]] = {}
        for row in self.chosen.to_pylist():
            by_zoom.setdefault(row["zoom"], []).append(row)
        return {zoom: self._layer(zoom, rows, number, rooms) for zoom, rows in by_zoom.items()}

    def _layer(
        self,
        zoom: int,
        rows: Sequence[Mapping[str, Any]],
        number: Mapping[str, int],
        rooms: npt.NDArray[np.float64],
    ) -> Placed:
        numbers = np.array([number[row["assetID"]] for row in rows])
        centres = np.array([(row["place_x"], row["place_y"]) for row in rows], np.int64)
        unit = 2 ** (self.zoom - zoom)
        return Placed(numbers, centres // unit, reps.drawn_room(rooms[numbers]), reps.SIZE_PX)


def lay_out(
    embedding: Embedding, rooms: npt.NDArray[np.float64], px: int, tile_px: int, seed: int
) -> Layout:
    """Places every specimen and the representatives.

    Args:
        embedding: whose points are moved apart.
        rooms: (n,) diameters kept free, in world units, in the order of its ids.
        px: width of a picture.
        tile_px: width of a tile.
        seed: of the spread.

    Raises:
        ValueError: no map of the chosen size takes them all.
    """
    ids = embedding.ids
    zoom, map_px = map_size(len(ids), px, tile_px)
    places, frames = spread(embedding.xy, rooms, map_px, seed, margin=px * (0.5 + SHADOW_PAD))
    chosen = reps.representatives(ids, places, embedding.codes, rooms / px, zoom, tile_px)
    columns = {
        "place_x": pa.array(places[:, 0]),
        "place_y": pa.array(places[:, 1]),
        "first_zoom": pa.array(reps.first_zooms(ids, chosen, zoom), pa.int32()),
    }
    table = with_statuses(embedding.points, ids, columns, SCHEMA)
    return Layout(zoom, places, frames, table, chosen)
