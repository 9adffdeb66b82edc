"""A site of plain squares whose colour tells which specimen they are; drawn in a second or two."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from butterflies.rendering.site import SiteContent, SiteSettings, write_site

ZOOM, TILE, PICTURE = 3, 256, 64
WHOLE = TILE * 2**ZOOM
Colour = tuple[int, int, int]
REPRESENTATIVES = pa.schema(
    [(name, pa.string()) for name in ("assetID", "status")]
    + [
        (name, pa.int32())
        for name in ("zoom", "cluster", "place_x", "place_y", "size_px", "members")
    ]
)


def colour_of(number: int) -> Colour:
    """A colour of its own for each number below 200, none near white."""
    return (40 + number % 8 * 24, 40 + number // 8 * 7, 60 + number * 37 % 140)


@dataclass
class Squares:
    """Specimens on a loose grid, `count` in all; number i has colour_of(i).

    Attributes:
        count: specimens.
        facts: number -> fields of its record that differ from the plain ones.
    """

    count: int = 40
    facts: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [f"ID{number:03d}" for number in range(self.count)]

    def place(self, number: int) -> tuple[int, int]:
        """The centre: neither on a tile's edge nor in row with its number."""
        turned = number * 23 % self.count
        return 170 + turned % 8 * 215 + turned // 8 * 9, 190 + turned // 8 * 331

    def record(self, number: int) -> dict[str, Any]:
        plain = {
            "assetID": self.ids[number],
            "status": "ok",
            "reason": None,
            "catalogNumber": f"NHMUK {number}",
            "occurrenceID": None,
            "family": "Papilionidae" if number % 4 else "Pieridae",
            "genus": ("Papilio", "Graphium", "Troides")[number % 3],
            "specificEpithet": f"number{number}",
            "infraspecificEpithet": None,
            "scientificName": f"{('Papilio', 'Graphium', 'Troides')[number % 3]} number{number}",
            "sex": ("male", "female", None)[number % 3],
            "country": "Peru",
            "locality": "Pérou, “Río”",
            "year": 1886,
            "month": None,
            "day": None,
            "decimalLatitude": None,
            "decimalLongitude": None,
            "associatedMedia": None,
            "license": "CC BY 4.0",
            "rightsHolder": "A museum",
            "photo": "/somewhere/private.jpg",
        }
        return {**plain, **self.facts.get(number, {})}

    def scores(self, number: int) -> dict[str, float | None]:
        """Some, and one that is not known of every third."""
        return {"knn_recall": number / 99, "damage": None if number % 3 else 0.125}

    def picture(self, number: int, side: int) -> Image.Image:
        return Image.new("RGBA", (side, side), (*colour_of(number), 255))

    def data(self, asset_id: str) -> bytes:
        stream = BytesIO()
        self.picture(self.ids.index(asset_id), 256).save(stream, "WEBP", lossless=True)
        return stream.getvalue()

    def representatives(self) -> list[dict[str, Any]]:
        """Three large squares, at zoom 1 and 0, none at its own specimen's place."""
        drawn = []
        for zoom, size, numbers in ((0, 40, (5,)), (1, 80, (5, 11, 17))):
            for cluster, number in enumerate(n for n in numbers if n < self.count):
                place = {"place_x": 500 + cluster * 500, "place_y": 700 + cluster * 300}
                drawn.append(
                    {"zoom": zoom, "cluster": cluster, "assetID": self.ids[number], **place}
                    | {"status": "ok", "size_px": size, "members": 9}
                )
        return drawn


def draw_tiles(squares: Squares, folder: Path) -> dict[int, set[tuple[int, int]]]:
    """Writes PNG tiles of all zooms, as a pyramid would: sparse and opaque."""
    tiles: dict[int, set[tuple[int, int]]] = {}
    for zoom in range(ZOOM + 2):
        whole = Image.new("RGB", (TILE * 2**zoom, TILE * 2**zoom), "white")
        for x, y, side, number in _drawn(squares, zoom):
            whole.paste(
                colour_of(number), (x - side // 2, y - side // 2, x + side // 2, y + side // 2)
            )
        tiles[zoom] = set(_cut(whole, folder / str(zoom)))
    return tiles


def _drawn(squares: Squares, zoom: int) -> Iterator[tuple[int, int, int, int]]:
    """x, y, side in pixels of the zoom, and the number; what is above comes later."""
    scale = 2.0 ** (zoom - ZOOM)
    for number in range(squares.count):
        x, y = squares.place(number)
        yield round(x * scale), round(y * scale), max(2, round(PICTURE * scale)), number
    for one in squares.representatives():
        if one["zoom"] == zoom:
            x, y = round(one["place_x"] * scale), round(one["place_y"] * scale)
            yield x, y, one["size_px"], squares.ids.index(one["assetID"])


def _cut(whole: Image.Image, folder: Path) -> Iterator[tuple[int, int]]:
    side = whole.width // TILE
    for x in range(side):
        for y in range(side):
            tile = whole.crop((x * TILE, y * TILE, (x + 1) * TILE, (y + 1) * TILE))
            if tile.getextrema() == ((255, 255),) * 3:
                continue
            (folder / str(x)).mkdir(parents=True, exist_ok=True)
            tile.save(folder / str(x) / f"{y}.png", compress_level=1)
            yield x, y


def content_of(squares: Squares, site: Path, **changes: Any) -> SiteContent:
    """What `write_site` needs of these squares, with tiles drawn."""
    mark = str(changes.pop("fingerprint", "0123456789abcdef"))
    places = [
        {
            "assetID": i,
            "status": "ok",
            "place_x": squares.place(n)[0],
            "place_y": squares.place(n)[1],
        }
        for n, i in enumerate(squares.ids)
    ]
    near: dict[str, list[Any]] = defaultdict(list)
    for number, asset_id in enumerate(squares.ids):
        near["assetID"].append(asset_id)
        near["status"].append("ok")
        others = [squares.ids[(number + step) % squares.count] for step in range(1, 13)]
        near["neighbour_ids"].append([other for other in others if other != asset_id])
    tiles = draw_tiles(squares, site / f"v-{mark}" / "tiles")
    return SiteContent(
        site=site,
        fingerprint=mark,
        zoom=ZOOM,
        tile_px=TILE,
        picture_px=PICTURE,
        suffix=".png",
        tiles=tiles,
        places=pa.Table.from_pylist(places[::-1]),
        representatives=pa.Table.from_pylist(squares.representatives(), schema=REPRESENTATIVES),
        records=records_of(squares),
        scores=scores_of(squares),
        neighbours=pa.table(dict(near)),
        cutouts=squares,
        collection=changes.pop("collection", site),
        settings=SiteSettings(**{"title": "Squares & <b>more</b>", **changes}),
        workers=1,
    )


def records_of(squares: Squares) -> pa.Table:
    rows: Sequence[Mapping[str, Any]] = [squares.record(n) for n in range(squares.count)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return pa.Table.from_pylist([{c: row.get(c) for c in columns} for row in rows])


def scores_of(squares: Squares) -> pa.Table:
    rows = [{"assetID": i, **squares.scores(n)} for n, i in enumerate(squares.ids)]
    return pa.Table.from_pylist(rows[::-1])


def make_site(squares: Squares, site: Path, **changes: Any) -> Path:
    return write_site(content_of(squares, site, **changes))
