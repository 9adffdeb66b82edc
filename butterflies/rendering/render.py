"""From an embedding to a map on the web: places, representatives, plots, tiles and the page.

<run>/places.parquet  representatives.parquet  plots/  site/  provenance.json
<run>/blocks/   what a later rendering with add_to= compares with; deletable
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import ImageColor

from butterflies import mapping, rendering
from butterflies.collection.records import read_records, records_mark
from butterflies.errors import UserError
from butterflies.rendering import site
from butterflies.rendering.animation import animate
from butterflies.rendering.archive import join_tiles
from butterflies.rendering.embedded import Embedding, open_embedding
from butterflies.rendering.encode import Encoder
from butterflies.rendering.growing import Rendering, open_rendering, remember
from butterflies.rendering.layers import Cell, Placed
from butterflies.rendering.layout import REPRESENTATIVES, SPREADS, Layout, lay_out
from butterflies.rendering.plots import plot_all
from butterflies.rendering.pyramid import Pyramid, Written
from butterflies.rendering.site import SiteContent, SiteSettings, write_site
from butterflies.rendering.spritefiles import SpriteFiles, Sprites
from butterflies.rendering.tilefiles import Colour
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
    representatives: str = "even"
    """How large specimens are drawn that stand for others: even, or by their members."""
    format: str = "webp"
    """Of the tiles: webp, jpg or png."""
    quality: int = 80
    """Of the tiles, 1 to 100."""
    background: str = "white"
    """Colour of the tiles where nothing lies: a name of CSS, or #rrggbb."""
    crisp: bool = True
    """Whether there is one more zoom, on which the stored cut-outs are drawn as they are."""
    block_px: int = 4096
    """Width of what a process draws at a time, which bounds its memory."""
    add_to: str | None = None
    """An earlier rendering whose tiles are taken over where they look the same."""
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
    before = open_rendering(Path(settings.add_to)) if settings.add_to else None
    inputs = {
        "embedding": embedding.fingerprint,
        "cutouts": embedding.store.fingerprint,
        "records": records_mark(embedding.collection),
        **({"added to": before.fingerprint} if before else {}),
    }
    sources = [embedding.store.folder, embedding.folder, *([before.folder] if before else [])]
    with output("render", settings, inputs, VERSION, sources=sources) as made:
        if not made.finished:
            _render(settings, encoder, embedding, made, before)
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
    if not settings.tile_px <= settings.block_px <= 32_768:
        raise UserError(f"block_px={settings.block_px} is not between tile_px= and 32,768.")
    if settings.spread not in SPREADS:
        raise UserError(f"spread={settings.spread} is none of {', '.join(SPREADS)}.")
    if settings.representatives not in REPRESENTATIVES:
        choices = ", ".join(REPRESENTATIVES)
        raise UserError(f"representatives={settings.representatives} is none of {choices}.")
    _colour(settings.background)
    return encoder


def _colour(name: str) -> Colour:
    """Raises UserError where it is none."""
    try:
        red, green, blue, *alpha = ImageColor.getrgb(name)
    except ValueError:
        alpha = [0]
    if alpha:
        raise UserError(f"background={name} is no colour: give a name such as white, or #rrggbb.")
    return red, green, blue


def _render(
    settings: RenderSettings,
    encoder: Encoder,
    embedding: Embedding,
    made: Output,
    before: Rendering | None,
) -> None:
    work, px = made.folder.absolute() / "work", settings.picture_px
    known = before.known(px) if before else {}
    files = SpriteFiles(work / "sprites", embedding.store, embedding.ids, px, known)
    with made.stage("sprites"):
        sprites = files.make(settings.workers)
        rooms = sprites.rooms
    with made.stage("layout"):
        kept = before if before and before.embedding == embedding.added_to else None
        if kept:
            kept.check(px, settings.tile_px)
        size = (px, settings.tile_px, settings.seed)
        sized = settings.representatives == "members"
        layout = lay_out(embedding, rooms, *size, settings.spread, sized, kept)
        write_table(made.folder / "places.parquet", layout.table)
        write_table(made.folder / "representatives.parquet", layout.chosen)
        made.provenance["scores"] = {f"map/{name}": v for name, v in layout.moved.items()}
        say(_told(layout.moved))
    records = read_records(embedding.collection)
    with made.stage("plots"):
        plot_all(made.folder / "plots", embedding.ids, embedding.xy, records)
        animate(made.folder / "plots" / "spread.webp", layout.frames, sprites)
    tiles = _draw_tiles(settings, encoder, made, layout, sprites, embedding.ids, before)
    with made.stage("site"):
        write_site(_content(settings, embedding, made, layout, tiles.tiles, records))
        if not embedding.gone:  # what was withdrawn is not shown any longer, to nobody
            site.keep_shown(made.place / "site", made.folder / "site")
    _discard(work)
    drawn = f", {tiles.drawn:,} of them drawn anew" if before else ""
    zooms = f"{tiles.count:,} tiles on {len(tiles.tiles)} zooms{drawn}"
    say(f"Rendered {count_statuses(layout.table)}: {zooms}.")


def _draw_tiles(
    settings: RenderSettings,
    encoder: Encoder,
    made: Output,
    layout: Layout,
    sprites: Sprites,
    ids: Sequence[str],
    before: Rendering | None,
) -> Written:
    """Draws what the site's tiles need, the deepest zoom timed apart."""
    folder = made.folder.absolute()  # where the workers of a cluster find it
    version = folder / "site" / f"v-{made.fingerprint}"
    pyramid = Pyramid(
        tiles=version / "tiles",
        work=folder / "blocks",
        zoom=layout.zoom,
        tile_px=settings.tile_px,
        encoder=encoder,
        background=_colour(settings.background),
        block_px=settings.block_px,
    )
    pyramid = replace(pyramid, earlier=before.tiles_for(pyramid) if before else None)
    rooms = sprites.rooms
    numbers, widths = np.arange(len(rooms)), np.full(len(rooms), sprites.px)
    base = Placed(numbers, layout.places.astype(np.int64), rooms, widths)
    with made.stage("tiles"):
        above = layout.above(ids, rooms / sprites.px)
        written = pyramid.write(sprites, base, above, settings.workers)
    if settings.crisp:
        with made.stage("tiles of the deepest zoom"):
            crisp = pyramid.write_crisp(sprites, base, settings.workers)
        written = written.with_zooms_of(crisp)
    remember(pyramid.work, ids, sprites)
    if settings.site.tiles == "pmtiles":
        with made.stage("archive"):
            join_tiles(version, written.tiles, encoder.suffix)
    return written


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
        background="#{:02x}{:02x}{:02x}".format(*_colour(settings.background)),
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
