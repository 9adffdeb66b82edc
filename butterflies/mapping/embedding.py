"""From a collection's cut-outs to a map: codes, neighbours, and a point for every specimen.

<run>/codes.parquet  neighbours.parquet  map.parquet  provenance.json
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from butterflies import encoding, mapping
from butterflies.collection.withdrawn import withdrawn
from butterflies.encoding.codes import encode_collection, load_autoencoder, read_codes
from butterflies.encoding.neighbours import SCHEMA as NEIGHBOURS_SCHEMA
from butterflies.encoding.neighbours import neighbours_table
from butterflies.files import sha256
from butterflies.mapping.projection import TSNE
from butterflies.segmentation.store import CutoutStore
from butterflies.tables import count_statuses, read_table, schema, with_statuses, write_table
from butterflies.tracking.artifacts import checkpoint
from butterflies.tracking.console import say
from butterflies.tracking.outputs import Output, output
from butterflies.tracking.provenance import hash_of

SCHEMA = schema(pa.field("x", pa.float64()), pa.field("y", pa.float64()))

VERSION = 1000 * encoding.VERSION + mapping.VERSION


@dataclass
class EmbedSettings:
    """Settings of an embedding."""

    collection: str
    """The collection whose cut-outs are encoded."""
    autoencoder: str
    """The checkpoint that encodes them: a path, or wandb:entity/project/name:alias."""
    projection: Any = field(default_factory=TSNE)
    """How codes become points: a TSNE, UMAP or PCA of mapping.projection."""
    cutouts: str = "cutouts"
    """The name of the set of cut-outs."""
    out: str | None = None
    force: bool = False
    seed: int = 0
    workers: int = 0
    """Threads and processes, 0 = one a core."""


def run(settings: EmbedSettings) -> Path:
    """Encodes all specimens, finds each one's neighbours, and projects the codes to the plane.

    Same inputs and seed, same tables, to the last bit on one kind of machine.

    Returns:
        The folder that holds `codes.parquet`, `neighbours.parquet` and `map.parquet`.

    Raises:
        UserError: no autoencoder at that place, or no cut-outs.
    """
    collection, model = Path(settings.collection), checkpoint(settings.autoencoder)
    settings = replace(settings, autoencoder=str(model))
    load_autoencoder(model)  # says what is wrong with it before a run folder is made
    cutouts = CutoutStore(collection, settings.cutouts).fingerprint
    inputs = {"cutouts": cutouts, "autoencoder": sha256(model)[:16]}
    if gone := withdrawn(collection):
        inputs["withdrawn"] = hash_of(sorted(gone))
    sources = [collection / settings.cutouts, model]
    with output("embed", settings, inputs, VERSION, sources=sources) as made:
        if not made.finished:
            made.provenance["collection"] = str(collection.resolve())
            made.provenance["cutouts"] = {"name": settings.cutouts, "fingerprint": cutouts}
            _embed(settings, made)
    return made.place


def _embed(settings: EmbedSettings, made: Output) -> None:
    codes = _codes(settings, made)
    ids, vectors = read_codes(codes)
    with made.stage("neighbours"):
        found = neighbours_table(ids, vectors)
        columns = {name: found[name] for name in ("neighbour_ids", "distances")}
        table = with_statuses(codes, ids, columns, NEIGHBOURS_SCHEMA)
        write_table(made.folder / "neighbours.parquet", table)
    with made.stage("projection"):
        points = settings.projection.project(vectors, settings.seed, settings.workers)
        columns = {"x": pa.array(points[:, 0]), "y": pa.array(points[:, 1])}
        write_table(made.folder / "map.parquet", with_statuses(codes, ids, columns, SCHEMA))
    say(f"Embedded {count_statuses(codes)}.")


def _codes(settings: EmbedSettings, made: Output) -> pa.Table:
    """The codes; those of a run that was stopped are kept."""
    path = made.folder / "codes.parquet"
    if not path.is_file():
        with made.stage("encoding"):
            table = encode_collection(
                Path(settings.autoencoder), Path(settings.collection), settings.cutouts
            )
            write_table(path, table)
    return read_table(path, "python embed.py")
