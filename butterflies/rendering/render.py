"""From an embedding to a map on the web: places, representatives, plots, tiles and the page.

<run>/places.parquet  representatives.parquet  plots/  site/  provenance.json
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from butterflies import mapping, rendering
from butterflies.collection.records import read_records, records_mark
from butterflies.errors import UserError
from butterflies.rendering import site
from butterflies.rendering.animation import animate
from butterflies.rendering.embedded import Embedding, open_embedding
from butterflies.rendering.encode import Encoder
from butterflies.rendering.layers import Cell, Placed
from butterflies.rendering.layout import SPREADS, Layout, lay_out
from butterflies.rendering.plots import plot_all
from butterflies.rendering.pyramid import Pyramid
from butterflies.rendering.site import SiteContent, SiteSettings, write_site
from butterflies.rendering.sprites import SpriteFiles
from butterflies.tables import count_statuses, write_table
from butterflies.tracking.console import say
from butterflies.tracking.outputs import Output, output

VERSION = 1000 * mapping.VERSION + rendering.VERSION


@dataclass
class RenderSettings:
    """Settings of a rendering."""

    map: str | None = None
    """The folder of an embedding."""
    collection: str | None = None
    """The collection, where it is no longer at the place the embedding knows."""
    picture_px: int = 128
    """Width of a picture at the deepest zoom, an even number."""
    tile_px: int = 512
    """Width of a tile, a power of two."""
    spread: str = "discs"
    """How pictures are moved apart: discs (as little as need be), grid (to cells without gaps) or
    none (they overlap)."""
    format: str = "webp"
    """Of the tiles: webp, jpg or png."""
    quality: int = 80
    """Of the tiles, 1 to 100."""
    site: SiteSettings = field(default_factory=SiteSettings)
    """How the page presents the map."""
    out: str | None = None
    force: bool = False
    seed: int = 0
    workers: int = 0
    """Processes, 0 = one a core."""


def run(settings: RenderSettings) -> Path:
    """Renders the map of an embedding.

    Returns:
        The folder that holds the tables, `plots/` and `site/`.

    Raises:
        UserError: a setting is wrong, or the embedding or its collection is not there.
    """
    encoder = _checked(settings)
    moved = Path(settings.collection) if settings.collection else None
    embedding = open_embedding(Path(str(settings.map)), moved)
    if not embedding.ids:
        gone = f" ({len(embedding.gone):,} were withdrawn)" if embedding.gone else ""
        raise UserError(f"{embedding.folder} has no specimen on its map{gone}: nothing to render.")
    inputs = {
        "embedding": embedding.fingerprint,
        "cutouts": embedding.store.fingerprint,
        "records": records_mark(embedding.collection),
    }
    sources = [embedding.store.folder, embedding.folder]
    with output("render", settings, inputs, VERSION, sources=sources) as made:
        if not made.finished:
            _render(settings, encoder, embedding, made)
    return made.place


def _checked(settings: RenderSettings) -> Encoder:
    """Raises UserError where a setting is none of its choices."""
    if not settings.map:
        raise UserError("map= is missing: give the folder that `python embed.py` wrote.")
    encoder = Encoder(settings.format, settings.quality)
    encoder.check()
    site.check(settings.site)
    if settings.picture_px % 2 or not 16 <= settings.picture_px <= 1024:
        raise UserError(f"picture_px={settings.picture_px} is no even number from 16 to 1024.")
    if settings.tile_px not in (128, 256, 512, 1024, 2048):
        raise UserError(f"tile_px={settings.tile_px} is none of 128, 256, 512, 1024, 2048.")
    if settings.spread not in SPREADS:
        raise UserError(f"spread={settings.spread} is none of {', '.join(SPREADS)}.")
    return encoder


def _render(settings: RenderSettings, encoder: Encoder, embedding: Embedding, made: Output) -> None:
    work = made.folder / "work"
    sprites = SpriteFiles(
        work / "sprites",
        embedding.collection,
        embedding.name,
        embedding.ids,
        settings.picture_px,
    )
    with made.stage("sprites"):
        rooms = sprites.make(settings.workers)
    with made.stage("layout"):
        px, how = sprites.px, settings.spread
        layout = lay_out(embedding, rooms, px, settings.tile_px, settings.seed, how)
        write_table(made.folder / "places.parquet", layout.table)
        write_table(made.folder / "representatives.parquet", layout.chosen)
        made.provenance["scores"] = {f"map/{name}": v for name, v in layout.moved.items()}
        say(_told(layout.moved))
    records = read_records(embedding.collection)
    with made.stage("plots"):
        plot_all(made.folder / "plots", embedding.ids, embedding.xy, records)
        animate(made.folder / "plots" / "spread.webp", layout.frames, sprites)
    with made.stage("tiles"):
        folder = made.folder / "site" / f"v-{made.fingerprint}" / "tiles"
        pyramid = Pyramid(folder, work / "blocks", layout.zoom, settings.tile_px, encoder, sprites)
        base = Placed(np.arange(len(rooms)), layout.places.astype(np.int64), rooms, sprites.px)
        above = layout.above(embedding.ids, rooms / sprites.px)
        tiles = pyramid.write(base, above, settings.workers)
    with made.stage("site"):
        write_site(_content(settings, embedding, made, layout, tiles, records))
    _discard(work)
    count = sum(map(len, tiles.values()))
    say(f"Rendered {count_statuses(layout.table)}: {count:,} tiles on {len(tiles)} zooms.")


def _told(moved: Mapping[str, float]) -> str:
    """How far pictures were moved, in a sentence."""
    far = [f"{moved[f'moved_{name}']:.2f}" for name in ("mean", "p95", "max")]
    kept = moved.get("neighbours_kept")
    share = "" if kept is None else f"; {kept:.0%} of the ten nearest stay among the ten nearest"
    return (
        f"Pictures were moved by {far[0]} of their width on average, 95 % of them by at most "
        f"{far[1]}, none by more than {far[2]}{share}."
    )


def _discard(work: Path) -> None:
    """Deletes the work under another name: what a killed run finds is whole or not there."""
    discarded = work.with_name("discarded")
    shutil.rmtree(discarded, ignore_errors=True)
    work.rename(discarded)
    shutil.rmtree(discarded)


def _content(
    settings: RenderSettings,
    embedding: Embedding,
    made: Output,
    layout: Layout,
    tiles: dict[int, set[Cell]],
    records: pa.Table,
) -> SiteContent:
    return SiteContent(
        site=made.folder / "site",
        fingerprint=made.fingerprint,
        zoom=layout.zoom,
        tile_px=settings.tile_px,
        picture_px=settings.picture_px,
        suffix=f".{settings.format}",
        tiles=tiles,
        places=layout.table,
        representatives=layout.chosen,
        records=records,
        neighbours=embedding.neighbours,
        cutouts=embedding.store,
        collection=embedding.collection,
        settings=settings.site,
        workers=settings.workers,
    )
