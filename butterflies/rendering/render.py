"""From an embedding to a map on the web: places, representatives, plots, tiles and the page.

<run>/places.parquet  representatives.parquet  plots/  site/  provenance.json
<run>/blocks/   what a later rendering with add_to= compares with; deletable
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from butterflies import mapping, rendering
from butterflies.collection.records import read_records, records_mark
from butterflies.errors import UserError
from butterflies.rendering.animation import animate
from butterflies.rendering.archive import join_tiles
from butterflies.rendering.embedded import Embedding, open_embedding
from butterflies.rendering.encode import Encoder
from butterflies.rendering.growing import Rendering, open_rendering, remember
from butterflies.rendering.layers import Cell, Placed
from butterflies.rendering.layout import Layout, lay_out
from butterflies.rendering.plots import plot_all
from butterflies.rendering.pyramid import Pyramid, Written
from butterflies.rendering.settings import RenderSettings, checked, colour
from butterflies.rendering.site import SiteContent, write_site
from butterflies.rendering.spritefiles import SpriteFiles, Sprites
from butterflies.rendering.versions import EarlierVersion, keep_shown
from butterflies.tables import count_statuses, write_table
from butterflies.tracking.console import say
from butterflies.tracking.outputs import Output, output

VERSION = 1000 * mapping.VERSION + rendering.VERSION


def run(settings: RenderSettings) -> Path:
    """Renders the map of an embedding.

    Returns:
        The folder that holds the tables, `plots/` and `site/`.

    Raises:
        UserError: a setting is wrong, or the embedding or its collection is not there.
    """
    encoder = checked(settings)
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


def _render(
    settings: RenderSettings,
    encoder: Encoder,
    embedding: Embedding,
    made: Output,
    before: Rendering | None,
) -> None:
    work, px = made.folder.absolute() / "work", settings.picture_px
    known = before.known(px) if before else {}
    where, ids = work / "sprites", embedding.ids
    files = SpriteFiles(where, embedding.store, ids, px, settings.shadow, known)
    with made.stage("sprites"):
        sprites = files.make(settings.workers)
        rooms = sprites.rooms
    with made.stage("layout"):
        kept = before if before and before.embedding == embedding.added_to else None
        if kept:
            kept.check(px, settings.tile_px)
        size = (px, settings.tile_px, settings.shadow.pad, settings.seed)
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
    seen = remember(made.folder / "blocks", embedding.ids, sprites, records)
    earlier = before.version_for(seen) if before else None
    with made.stage("site"):
        write_site(_content(settings, embedding, made, layout, tiles.tiles, records, earlier))
        if not embedding.gone:  # what was withdrawn is not shown any longer, to nobody
            keep_shown(made.place / "site", made.folder / "site")
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
        background=colour(settings.background),
        shadow=settings.shadow,
        block_px=settings.block_px,
    )
    pyramid = replace(pyramid, earlier=before.tiles_for(pyramid) if before else None)
    rooms = sprites.rooms
    numbers, widths = np.arange(len(rooms)), np.full(len(rooms), sprites.px)
    places = layout.places.astype(np.int64)
    base = Placed(numbers, places, rooms, widths, settings.shadow.pad)
    with made.stage("tiles"):
        above = layout.above(ids, rooms / sprites.px)
        written = pyramid.write(sprites, base, above, settings.workers)
    if settings.crisp:
        with made.stage("tiles of the deepest zoom"):
            crisp = pyramid.write_crisp(sprites, base, settings.workers)
        written = written.with_zooms_of(crisp)
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
    earlier: EarlierVersion | None,
) -> SiteContent:
    return SiteContent(
        site=made.folder / "site",
        fingerprint=made.fingerprint,
        zoom=layout.zoom,
        tile_px=settings.tile_px,
        picture_px=settings.picture_px,
        suffix=f".{settings.format}",
        background="#{:02x}{:02x}{:02x}".format(*colour(settings.background)),
        tiles=tiles,
        places=layout.table,
        representatives=layout.chosen,
        records=records,
        scores=embedding.scores,
        neighbours=embedding.neighbours,
        cutouts=embedding.store,
        collection=embedding.collection,
        settings=settings.site,
        workers=settings.workers,
        earlier=earlier,
    )
