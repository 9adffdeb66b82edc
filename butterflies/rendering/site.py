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
        cutouts/      <row div 512>/<row>.webp; photographs/ likewise, .jpg; see `copies`

A page that is open while a new version comes keeps its own: the version before goes with the next,
or at once where photographs were withdrawn.
"""

import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import pyarrow as pa

from butterflies.errors import UserError
from butterflies.files import read_json, write_bytes, write_json
from butterflies.rendering.cards import card, origin
from butterflies.rendering.chunks import Specimens, chunks
from butterflies.rendering.copies import Cutouts, copy_cutouts, copy_photographs
from butterflies.rendering.credits import about_credits, write_credits
from butterflies.rendering.numbers import (
    write_columns,
    write_index,
    write_points,
    write_representatives,
)
from butterflies.rendering.page import write_page
from butterflies.rendering.rows import Rows, join
from butterflies.rendering.tilefiles import link

FORMAT = 1
COLUMNS = ("genus", "family", "sex")
PHOTOGRAPHS = ("link", "copy", "none")
TILES = ("files", "pmtiles")
MAX_HOSTS = 20
MAX_NAME = 200
VERSION_NAME = re.compile(r"v-[0-9a-f]+")


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
        neighbours: assetID, status, neighbour_ids; None when nothing is known.
        cutouts: a cut-out for each specimen placed.
        collection: the folder that the records' photographs are relative to.
        settings: how the page presents it.
        workers: processes, 0 for all cores.
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
    neighbours: pa.Table | None
    cutouts: Cutouts
    collection: Path
    settings: SiteSettings = field(default_factory=SiteSettings)
    workers: int = 0
    background: str = "#ffffff"

    @property
    def version(self) -> str:
        return f"v-{self.fingerprint}"


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
    rows = join(content.places, content.records, content.neighbours)
    folder = content.site / content.version
    copy_cutouts(content.cutouts, rows.ids, folder / "cutouts")
    cards, hosts = _cards(content, rows, folder)
    shown = {
        **_map(content, rows),
        "hosts": hosts,
        "representatives": write_representatives(content.representatives, rows, folder),
        "chunks": _write_chunks(content, rows, cards, folder),
    }
    write_points(rows, content.tiles, folder)
    write_columns(rows, COLUMNS, folder)
    write_index(rows, folder / "index")
    write_credits(rows.records, folder / "credits.csv")
    write_page(content.site, content.settings.title, hosts)
    write_json(content.site / "about.json", _about(content, rows))
    before = _shown(content.site)
    write_json(content.site / "map.json", shown)
    _remove_old(content.site, {content.version, before})
    return content.site


def _cards(
    content: SiteContent, rows: Rows, folder: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    """The cards and the hosts that their pictures come from.

    `photo` becomes what the setting says: an address, true for a copy in the site, or nothing.
    """
    cards = [card(record) for record in rows.records]
    photos = [said.pop("photo", None) for said in cards]
    choice = content.settings.photographs
    if choice == "copy":
        place = folder / "photographs"
        for row in copy_photographs(content.collection, rows.records, place, content.workers):
            cards[row]["photo"] = True
    if choice != "link":
        return cards, []
    origins = [origin(photo) if photo else "" for photo in photos]
    hosts = _most(host for host in origins if host)
    for said, photo, host in zip(cards, photos, origins, strict=True):
        if host in hosts:
            said["photo"] = photo
    return cards, hosts


def _most(values: Iterable[str]) -> list[str]:
    """The MAX_HOSTS most frequent values."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [value for value, _ in ranked[:MAX_HOSTS]]


def _map(content: SiteContent, rows: Rows) -> dict[str, Any]:
    reach = content.picture_px // 2
    whole = content.tile_px * 2**content.zoom
    bounds = [0, 0, whole, whole]
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


def _write_chunks(
    content: SiteContent, rows: Rows, cards: list[dict[str, Any]], folder: Path
) -> dict[str, int]:
    """Writes the chunks; their names and how many rows each has, in order."""
    names = [str(c.get("name") or c.get("author") or "Unnamed")[:MAX_NAME] for c in cards]
    bits = (content.tile_px * 2**content.zoom - 1).bit_length()
    written: dict[str, int] = {}
    for cell, data in chunks(Specimens(rows.keys, bits, cards, names, rows.near)):
        write_bytes(folder / "chunks" / f"q{cell.quadkey}.json", data)
        written[f"q{cell.quadkey}"] = cell.end - cell.start
    return written


def _about(content: SiteContent, rows: Rows) -> dict[str, Any]:
    """What the map is made of; nothing of where or by whom."""
    return {
        "title": content.settings.title,
        "made_with": f"butterflies {installed('butterflies')}",
        "fingerprint": content.fingerprint,
        "specimens": len(rows.ids),
        "left_out": dict(Counter(s for s in content.places["status"].to_pylist() if s != "ok")),
        "map_px": content.tile_px * 2**content.zoom,
        "picture_px": content.picture_px,
        **about_credits(rows.records),
    }


def _shown(site: Path) -> str | None:
    """The version that the site shows now."""
    try:
        return str(read_json(site / "map.json")["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_shown(before: Path, site: Path) -> None:
    """Gives a site, by links, the version shown by one that it will replace, for open pages.

    Args:
        before: the older site; there may be none.
        site: the new one, which is whole.
    """
    version = _shown(before) or ""
    if not VERSION_NAME.fullmatch(version) or (site / version).exists():
        return
    temporary = site / f".{version}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    if (before / version).is_dir():
        shutil.copytree(before / version, temporary, copy_function=_link)
        temporary.rename(site / version)


def _link(source: str, target: str) -> None:
    link(Path(source), Path(target))


def _remove_old(site: Path, kept: Collection[str | None]) -> None:
    for folder in site.iterdir():
        version = VERSION_NAME.fullmatch(folder.name)
        if version and folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder)
