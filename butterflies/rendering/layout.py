"""Where every picture lies on the map: the specimens' places and the representatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.mapping import representatives as reps
from butterflies.mapping import spread as moving
from butterflies.mapping.moved import displacement
from butterflies.mapping.pushing import Frames
from butterflies.mapping.spread import Places
from butterflies.rendering.embedded import Embedding
from butterflies.rendering.growing import Rendering, kept_representatives
from butterflies.rendering.layers import Placed
from butterflies.tables import schema, with_statuses

SCHEMA = schema(
    pa.field("place_x", pa.int32()),
    pa.field("place_y", pa.int32()),
    pa.field("first_zoom", pa.int32()),
)
"""`place_*`: the centre of the specimen's picture in world units, pixels of the deepest zoom."""


SPREADS = ("discs", "grid", "none")
"""Pictures are moved apart as little as need be, to the cells of a grid, or not at all."""

REPRESENTATIVES = ("even", "members")
"""Representatives are of one size, or larger where they stand for more."""


@dataclass(frozen=True)
class Layout:
    """Where everything lies.

    Attributes:
        zoom: Z.
        places: (n, 2) centres in world units, in the order of the embedding's ids.
        frames: the points on their way there.
        moved: how far that was, see `displacement`.
        table: places.parquet.
        chosen: representatives.parquet.
        pad: how far shadows reach beyond pictures, over their width.
    """

    zoom: int
    places: Places
    frames: Frames
    moved: Mapping[str, float]
    table: pa.Table
    chosen: pa.Table
    pad: float

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
        widths, unit = np.array([row["size_px"] for row in rows]), 2 ** (self.zoom - zoom)
        room = reps.drawn_room(rooms[numbers], widths)
        return Placed(numbers, centres // unit, room, widths, self.pad)


def lay_out(
    embedding: Embedding,
    rooms: npt.NDArray[np.float64],
    px: int,
    tile_px: int,
    pad: float,
    seed: int,
    how: str = "discs",
    sized: bool = False,
    kept: Rendering | None = None,
) -> Layout:
    """Places every specimen and the representatives.

    Args:
        embedding: whose points are moved apart; it has specimens.
        rooms: (n,) diameters kept free, in world units, in the order of its ids.
        px: width of a picture.
        tile_px: width of a tile.
        pad: how far shadows reach beyond pictures, over their width.
        seed: of the spread.
        how: one of SPREADS.
        sized: representatives are larger where they stand for more.
        kept: an earlier rendering whose places and representatives stay.

    Raises:
        UserError: a point of the embedding is no number, or kept pictures overlap.
        ValueError: no map of the chosen size takes them all.
    """
    ids = embedding.ids
    margin = px * (0.5 + pad)
    zoom, places, frames = _spread(embedding, rooms, px, tile_px, margin, seed, how, kept)
    if kept:
        chosen = kept_representatives(kept.representatives, kept.places, ids, places)
    else:
        known = (places, embedding.codes, rooms / px)
        chosen = reps.representatives(ids, *known, zoom, tile_px, sized)
    columns = {
        "place_x": pa.array(places[:, 0]),
        "place_y": pa.array(places[:, 1]),
        "first_zoom": pa.array(reps.first_zooms(ids, chosen, zoom), pa.int32()),
    }
    table = with_statuses(embedding.points, ids, columns, SCHEMA)
    moved = displacement(frames[0], places, px)
    return Layout(zoom, places, frames, moved, table, chosen, pad)


def _spread(
    embedding: Embedding,
    rooms: npt.NDArray[np.float64],
    px: int,
    tile_px: int,
    margin: float,
    seed: int,
    how: str,
    kept: Rendering | None,
) -> tuple[int, Places, Frames]:
    """Z, places and frames."""
    xy = embedding.xy
    if kept:
        old = [kept.places.get(asset_id, (-1, -1)) for asset_id in embedding.ids]
        there = np.array(old, np.int32)
        size = tile_px * 2**kept.zoom
        return kept.zoom, *moving.spread_added(xy, rooms, size, margin, there)
    if how == "grid":
        zoom, map_px = moving.grid_size(len(xy), float(rooms.max()), margin, tile_px)
        return zoom, *moving.spread_grid(xy, rooms, map_px, margin)
    zoom, map_px = moving.map_size(len(xy), px, tile_px)
    if how == "none":
        return zoom, *moving.spread_none(xy, map_px, margin)
    return zoom, *moving.spread(xy, rooms, map_px, seed, margin)
