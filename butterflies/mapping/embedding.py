"""From a collection's cut-outs to a map: codes, neighbours, and a point for every specimen.

<run>/codes.parquet  neighbours.parquet  map.parquet  plots/tsne.webp  provenance.json
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from butterflies import encoding, mapping
from butterflies.collection.withdrawn import withdrawn
from butterflies.encoding.labels import read_labels
from butterflies.errors import UserError
from butterflies.files import sha256
from butterflies.mapping.former import Former, read_former
from butterflies.mapping.making import Plan, make
from butterflies.mapping.origins import Encoded, Origin, Ready, ready_codes
from butterflies.mapping.projection import Points, Precomputed
from butterflies.mapping.ready import read_positions
from butterflies.mapping.tsne import TSNE
from butterflies.segmentation.store import CutoutStore
from butterflies.tracking.outputs import output
from butterflies.tracking.provenance import hash_of

VERSION = 1000 * encoding.VERSION + mapping.VERSION


@dataclass
class EmbedSettings:
    """Settings of an embedding."""

    collection: str
    """The collection whose cut-outs come on the map."""
    autoencoder: str | None = None
    """The checkpoint that encodes them: a path, or wandb:entity/project/name:alias."""
    projection: Any = field(default_factory=TSNE)
    """How codes become points: a TSNE, UMAP, PCA or Precomputed of `mapping`."""
    cutouts: str = "cutouts"
    """The name of the set of cut-outs."""
    codes: str | None = None
    """Ready codes instead of an autoencoder: a table with assetID and code, or a .npy file."""
    ids: str | None = None
    """The assetIDs of a .npy file of codes, one a line."""
    positions: str | None = None
    """A CSV with assetID, x and y, for projection=precomputed."""
    add_to: str | None = None
    """A map that stays as it is, and that specimens which are not on it are added to."""
    align_to: str | None = None
    """A map to start from, and to be turned and mirrored like."""
    fit_at_most: int = 1_000_000
    """So many specimens are projected, rare genera whole; the others are placed among them."""
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
        UserError: no codes or no autoencoder at that place, no cut-outs, settings that do not go
            together, or a former map that is none.
    """
    _check(settings)
    old = read_former(Path(settings.add_to), "add_to") if settings.add_to else None
    like = read_former(Path(settings.align_to), "align_to") if settings.align_to else None
    positions = read_positions(Path(settings.positions)) if settings.positions else None
    settings, origin = _origin(settings, old, positions)
    if old:
        settings = replace(settings, projection=old.projection)
    collection = Path(settings.collection)
    inputs = {**_inputs(settings, collection), **origin.inputs}
    inputs |= {"add_to": old.fingerprint} if old else {}
    inputs |= {"align_to": like.fingerprint} if like else {}
    sources = [collection / settings.cutouts, *origin.sources]
    sources += [former.folder for former in (old, like) if former]
    with output("embed", settings, inputs, VERSION, sources=sources) as made:
        if not made.finished:
            plan = Plan(
                collection,
                settings.cutouts,
                origin,
                settings.projection,
                old,
                like,
                positions,
                settings.fit_at_most,
                settings.seed,
                settings.workers,
            )
            make(plan, made)
    return made.place


def _check(settings: EmbedSettings) -> None:
    """Raises UserError where settings do not go together."""
    precomputed = isinstance(settings.projection, Precomputed)
    wrong = {
        "projection= is missing: give tsne, umap, pca or precomputed.": settings.projection is None,
        "positions= goes with projection=precomputed, and the other way round.": not settings.add_to
        and precomputed != bool(settings.positions),
        "add_to= takes the places of the old map: it goes neither with align_to= nor with "
        "positions=.": settings.add_to and (settings.align_to or settings.positions),
        "codes= and autoencoder= both tell the codes: give one of them.": settings.codes
        and settings.autoencoder,
        "ids= goes with codes=, a .npy file.": settings.ids and not settings.codes,
        f"fit_at_most={settings.fit_at_most} is too few: give 1000 or more.": settings.fit_at_most
        < 1000,
    }
    for sentence, applies in wrong.items():
        if applies:
            raise UserError(sentence)


def _origin(
    settings: EmbedSettings, old: Former | None, positions: tuple[list[str], Points] | None
) -> tuple[EmbedSettings, Origin]:
    """Where codes come from; an autoencoder is that of the old map where none is told."""
    if settings.codes:
        return settings, ready_codes(
            Path(settings.codes), Path(settings.ids) if settings.ids else None
        )
    told = settings.autoencoder or (old and old.provenance["settings"].get("autoencoder"))
    if told:
        encoded = Encoded(told)
        if old and encoded.inputs["autoencoder"] != old.provenance["inputs"].get("autoencoder"):
            raise UserError(
                f"autoencoder={told} is not the one that made the codes of {old.folder}: give that."
            )
        return replace(settings, autoencoder=str(encoded.model)), encoded
    if positions:
        path = Path(str(settings.positions))
        return settings, Ready("positions", path, positions[0], positions[1].astype("float32"))
    raise UserError(
        "Nothing tells the codes: give autoencoder= the best.ckpt of a run of `python train.py "
        "experiment=autoencoder`, or codes= a file of ready ones."
    )


def _inputs(settings: EmbedSettings, collection: Path) -> dict[str, str]:
    """Fingerprints of the cut-outs, of what is known of them, and of positions."""
    store = CutoutStore(collection, settings.cutouts)
    inputs = {
        "cutouts": store.fingerprint,
        "labels": hash_of([label[:2] for label in read_labels(collection, store.ids)]),
    }
    if gone := withdrawn(collection):
        inputs["withdrawn"] = hash_of(sorted(gone))
    if settings.positions:
        inputs["positions"] = sha256(Path(settings.positions))[:16]
    return inputs
