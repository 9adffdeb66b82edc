"""The site: a folder of plain files that shows a map from any web host, offline.

    map.json          what the page reads first; moved in last
    index.html page/  the page, and Leaflet
    about.json        what the map is made of, for whoever finds the folder
    v-<fingerprint>/  the data of one version
        tiles/        written by the pyramid; or all of them in tiles.pmtiles, see `archive`
        coverage.bin points.bin columns/ names.json representatives/   see `points`
        chunks/       see `chunks`
        index/        <2 hex>.json: {"ids": {assetID: row}, "numbers": {catalogNumber: [row, ...]}},
                      keys in lower case, in the file named by the first byte of
                      sha256(key in UTF-8)
        credits.csv   see `credits`
        cutouts/      <2 hex>/<18 hex>.webp; photographs/ likewise, .jpg; see `copies`

A page that is open while a new version comes keeps its own: the version before goes with the next,
or at once where photographs were withdrawn.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pyarrow as pa

from butterflies.errors import UserError
from butterflies.files import write_json
from butterflies.rendering.copies import Cutouts, copy_cutouts
from butterflies.rendering.credits import TOLD, about_credits, write_credits
from butterflies.rendering.numbers import (
    write_columns,
    write_index,
    write_points,
    write_representatives,
)
from butterflies.rendering.page import write_page
from butterflies.rendering.rows import Rows, join
from butterflies.rendering.specimens import PHOTOGRAPHS, photographs, write_chunks
from butterflies.rendering.versions import (
    EarlierVersion,
    remove_other_versions,
    shown_version,
)
from butterflies.tables import stream_rows
from butterflies.tracking.console import say

FORMAT = 2
COLUMNS = ("genus", "family", "sex")
TILES = ("files", "pmtiles")


@dataclass
class SiteSettings:
    """How the page presents the map.

    Attributes:
        title: stands above the map.
        photographs: `link` (the museum's picture, after a click), `copy` (640 px JPEGs in the
            site) or `none`.
        tiles: `files` (one each) or `pmtiles` (all in one file, for `butterflies serve`;
            `butterflies export static` unpacks it for other hosts).
    """

    title: str = "Butterflies"
    photographs: str = "link"
    tiles: str = "files"


@dataclass(frozen=True)
class SiteContent:
    """What a site is made of.

    Attributes:
        site: its folder; the tiles lie in `v-<fingerprint>/tiles` already.
        fingerprint: of the render.
        zoom: Z, the zoom whose pixel is the world unit.
        tile_px: side of a tile.
        picture_px: side of a picture in world units.
        suffix: of tile files, with the dot.
        background: colour of the tiles where nothing lies, #rrggbb.
        tiles: the tiles there are, {zoom: {(x, y), ...}}.
        places: assetID, status, place_x, place_y (centres, world units).
        representatives: zoom, assetID, place_x, place_y, size_px, members.
        records: the records table; a specimen without a record shows its id only.
        scores: assetID, and numbers that tell of each specimen.
        neighbours: assetID, status, neighbour_ids; None when nothing is known.
        cutouts: a cut-out for each specimen placed.
        collection: the folder that the records' photographs are relative to.
        settings: how the page presents it.
        workers: processes, 0 for all cores.
        earlier: a version whose files are taken over.
    """

    site: Path
    fingerprint: str
    zoom: int
    tile_px: int
    picture_px: int
    suffix: str
    tiles: Mapping[int, Collection[tuple[int, int]]]
    places: pa.Table
    representatives: pa.Table
    records: pa.Table
    scores: pa.Table
    neighbours: pa.Table | None
    cutouts: Cutouts
    collection: Path
    settings: SiteSettings = field(default_factory=SiteSettings)
    workers: int = 0
    background: str = "#ffffff"
    earlier: EarlierVersion | None = None

    @property
    def version(self) -> str:
        return f"v-{self.fingerprint}"

    @property
    def map_px(self) -> int:
        """Width of the whole map in world units."""
        return self.tile_px << self.zoom


def check(settings: SiteSettings) -> None:
    """Raises UserError when a setting is none of its choices; call it before hours of rendering."""
    if settings.photographs not in PHOTOGRAPHS:
        raise UserError(
            f"site.photographs={settings.photographs} is none of {', '.join(PHOTOGRAPHS)}."
        )
    if settings.tiles not in TILES:
        raise UserError(f"site.tiles={settings.tiles} is none of {', '.join(TILES)}.")


def write_site(content: SiteContent) -> Path:
    """Writes everything but the tiles, and makes the new version the one that is shown.

    Returns:
        The site's folder.

    Raises:
        UserError: a setting is none of its choices.
        ValueError: the tables do not belong together.
    """
    check(content.settings)
    rows = join(content.places, content.records, content.scores, content.neighbours)
    folder, earlier = content.site / content.version, content.earlier
    copy_cutouts(content.cutouts, rows.ids, folder, earlier)
    choice, bits = content.settings.photographs, (content.map_px - 1).bit_length()
    pictures = photographs(choice, rows, content.collection, folder, content.workers, earlier)
    chunks, taken = write_chunks(rows, bits, pictures, folder, earlier)
    if earlier:
        say(f"{len(chunks) - taken:,} of {len(chunks):,} chunks of records are new.")
    shown = {
        **_map(content, rows),
        "hosts": pictures.hosts,
        "representatives": write_representatives(content.representatives, rows, folder),
        "chunks": chunks,
    }
    write_points(rows, content.tiles, folder)
    write_columns(rows, COLUMNS, folder)
    write_index(rows, folder / "index")
    credited = rows.records.sort_by("assetID")
    write_credits(stream_rows(credited, TOLD), folder / "credits.csv")
    write_page(content.site, content.settings.title, pictures.hosts)
    write_json(content.site / "about.json", _about(content, rows))
    before = shown_version(content.site)
    write_json(content.site / "map.json", shown)
    remove_other_versions(content.site, {content.version, before})
    return content.site


def _map(content: SiteContent, rows: Rows) -> dict[str, Any]:
    reach = content.picture_px // 2
    bounds = [0, 0, content.map_px, content.map_px]
    if len(rows.x):
        low, high = (rows.x.min() - reach, rows.y.min() - reach), (rows.x.max(), rows.y.max())
        bounds = [int(v) for v in (*low, high[0] + reach, high[1] + reach)]
    return {
        "format": FORMAT,
        "title": content.settings.title,
        "version": content.version,
        "specimens": len(rows.ids),
        "zoom": content.zoom,
        "tile_px": content.tile_px,
        "picture_px": content.picture_px,
        "suffix": content.suffix,
        "background": content.background,
        "bounds": bounds,
        "photographs": content.settings.photographs,
        "columns": list(COLUMNS),
    }


def _about(content: SiteContent, rows: Rows) -> dict[str, Any]:
    """What the map is made of; nothing of where or by whom."""
    return {
        "title": content.settings.title,
        "made_with": f"butterflies {installed('butterflies')}",
        "fingerprint": content.fingerprint,
        "specimens": len(rows.ids),
        "left_out": dict(Counter(s for s in content.places["status"].to_pylist() if s != "ok")),
        "map_px": content.map_px,
        "picture_px": content.picture_px,
        **about_credits(stream_rows(rows.records, TOLD)),
    }
