"""The tables of an embedding, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.encoding.codes import read_codes
from butterflies.encoding.labels import Label, read_labels
from butterflies.encoding.neighbours import NEIGHBOURS, Codes, Near, nearest, neighbours_table
from butterflies.encoding.neighbours import SCHEMA as NEIGHBOURS_SCHEMA
from butterflies.errors import UserError
from butterflies.mapping import trust as trusting
from butterflies.mapping.adding import add, warn
from butterflies.mapping.comparing import aligned, start_from
from butterflies.mapping.film import write_steps
from butterflies.mapping.fitting import fit
from butterflies.mapping.former import Former
from butterflies.mapping.origins import Origin, enlarged
from butterflies.mapping.projection import Points, Projection
from butterflies.mapping.ready import lacking, matched
from butterflies.segmentation.joining import NAME, join
from butterflies.segmentation.store import CutoutStore, read_cutouts
from butterflies.tables import count_statuses, read_table, schema, with_statuses, write_table
from butterflies.tracking.console import say
from butterflies.tracking.outputs import Output

SCHEMA = schema(
    pa.field("x", pa.float64()),
    pa.field("y", pa.float64()),
    pa.field("added", pa.bool_()),
    pa.field("drift", pa.float32()),
    *(pa.field(name, pa.float32()) for name in trusting.COLUMNS),
)
"""`added`: placed on a map that was there. `drift`: how far from where it lay on the map that this
one is aligned to, over the map's width. For the others see `trust`."""


@dataclass(frozen=True)
class Plan:
    """What an embedding is made of.

    Attributes:
        collection: its folder.
        cutouts: the name of its set of cut-outs.
        origin: where codes come from.
        projection: how they become points.
        old: the map they are added to.
        like: the map they are aligned to.
        positions: assetIDs and places of one's own.
        at_most: so many codes are projected, the others placed among them.
        seed: of everything drawn by lot.
        workers: threads, 0 = one a core.
    """

    collection: Path
    cutouts: str
    origin: Origin
    projection: Projection
    old: Former | None
    like: Former | None
    positions: tuple[list[str], Points] | None
    at_most: int
    seed: int
    workers: int


@dataclass(frozen=True)
class Specimens:
    """Those that come on the map: assetIDs (n), codes (n, d), labels (n)."""

    ids: list[str]
    codes: Codes
    labels: list[Label]

    @property
    def genera(self) -> list[str | None]:
        return [label.genus for label in self.labels]


def make(plan: Plan, made: Output) -> None:
    """Writes `codes.parquet`, `neighbours.parquet`, `map.parquet`, and a film where asked for."""
    collection, name = _collection(plan, made)
    table = _codes(plan, made, collection, name)
    ids, codes = read_codes(table)
    if plan.positions:
        rows = matched(plan.positions[0], ids, "positions=")
        ids, codes = [i for i, row in zip(ids, rows, strict=True) if row >= 0], codes[rows >= 0]
        table = lacking(table, ids, "There is no place for it among the positions.")
    those = Specimens(ids, codes, read_labels(collection, ids))
    with made.stage("neighbours"):
        near = _neighbours(plan, codes)
        found = neighbours_table(ids, near)
        columns = {name: found[name] for name in ("neighbour_ids", "distances")}
        whole = with_statuses(table, ids, columns, NEIGHBOURS_SCHEMA)
        write_table(made.folder / "neighbours.parquet", whole)
    with made.stage("projection"):
        points, columns = _points(plan, made, those, near)
    with made.stage("trust"):
        columns |= _trust(plan, made, those, near, points)
    places = {"x": pa.array(points[:, 0]), "y": pa.array(points[:, 1]), **columns}
    write_table(made.folder / "map.parquet", with_statuses(table, ids, places, SCHEMA))
    say(f"Embedded {count_statuses(table)}.")


def _collection(plan: Plan, made: Output) -> tuple[Path, str]:
    """The collection of all; where it has not all of the old map, joined with the old one's."""
    where, name = plan.collection, plan.cutouts
    final = where
    if plan.old:
        there = set(read_cutouts(where, name)["assetID"].to_pylist())
        if not there.issuperset(plan.old.ids):
            sets = [(plan.old.collection, plan.old.cutouts), (where, name)]
            where, name = join(sets, made.folder / "collection"), NAME
            final = made.place / "collection"
    made.provenance["collection"] = str(final.resolve())
    made.provenance["cutouts"] = {"name": name, "fingerprint": CutoutStore(where, name).fingerprint}
    return where, name


def _codes(plan: Plan, made: Output, collection: Path, cutouts: str) -> pa.Table:
    """The codes; those of a run that was stopped are kept."""
    path = made.folder / "codes.parquet"
    if not path.is_file():
        with made.stage("encoding"):
            known = frozenset(plan.old.ids) if plan.old else frozenset()
            table = plan.origin.table(collection, cutouts, known)
            if plan.old:
                table = enlarged(table, plan.old)
            _check(*read_codes(table))
            write_table(path, table)
    return read_table(path, "python embed.py")


def _check(ids: Sequence[str], codes: Codes) -> None:
    bad = np.flatnonzero(~np.isfinite(codes).all(axis=1))
    if len(bad):
        raise UserError(
            f"{len(bad):,} of {len(ids):,} codes are no finite numbers, the first that of "
            f"{ids[bad[0]]}: the autoencoder has diverged; train it anew with a lower model.lr."
        )


def _neighbours(plan: Plan, codes: Codes) -> Near:
    """Found once, for the lists of similar specimens and for the projection."""
    alone = plan.old is None and len(codes) <= plan.at_most
    wanted = plan.projection.neighbours(len(codes)) if alone else 0
    near = nearest(codes, max(NEIGHBOURS, wanted), plan.seed, plan.workers)
    if not near.exact:
        say(f"Among {len(codes):,} specimens nearest neighbours are approximate.")
    return near


def _points(
    plan: Plan, made: Output, those: Specimens, near: Near
) -> tuple[Points, dict[str, pa.Array]]:
    """The points, and the columns `added` and `drift`."""
    new, moved = np.zeros(len(those.ids), np.bool_), np.full(len(those.ids), np.nan)
    if plan.old:
        added = add(plan.old, those.ids, those.codes, near, plan.seed, plan.workers)
        warn(added)
        made.provenance["added_to"] = {
            "where": str(plan.old.folder.resolve()),
            "fingerprint": plan.old.fingerprint,
            "added": int(added.new.sum()),
            "far": added.far,
            "left": added.left,
        }
        points, new = added.points, added.new
    elif plan.positions:
        points = plan.positions[1][matched(plan.positions[0], those.ids, "positions=")]
    else:
        points = _projected(plan, made, those, near)
    if plan.like:
        points, moved = aligned(plan.like, those.ids, points)
        _note(made, {"map/drift": float(np.nanmean(moved))})
        say(f"Aligned: specimens moved by {np.nanmean(moved):.1%} of the map's width on average.")
    return points, {"added": pa.array(new), "drift": _column(moved)}


def _projected(plan: Plan, made: Output, those: Specimens, near: Near) -> Points:
    start = start_from(plan.like, those.ids, those.codes, plan.seed) if plan.like else None
    frames: dict[int, npt.NDArray[np.float32]] = {}
    every = getattr(plan.projection, "frames_every", 0)
    points = fit(
        plan.projection,
        those.codes,
        those.genera,
        plan.at_most,
        plan.seed,
        plan.workers,
        near,
        start,
        (lambda step, moved: frames.update({step: moved.astype(np.float32)})) if every else None,
    )
    if frames:
        write_steps(made.folder / "plots" / "tsne.webp", frames, those.genera)
    return points


def _trust(
    plan: Plan, made: Output, those: Specimens, near: Near, points: Points
) -> dict[str, pa.Array]:
    """The columns of `trust`; the scores go into the provenance."""
    specimens = [label.specimen for label in those.labels]
    found = trusting.trust(those.codes, points, near.rows, those.genera, specimens, plan.seed)
    _note(made, found.scores)
    for sentence in trusting.told(found.scores, len(those.ids)):
        say(sentence)
    return {name: _column(values) for name, values in found.columns.items()}


def _note(made: Output, scores: dict[str, float]) -> None:
    made.provenance.setdefault("scores", {}).update(scores)


def _column(values: npt.NDArray[np.float64]) -> pa.Array:
    """Numbers as a column, null where there is none."""
    return pa.array(values, pa.float32(), from_pandas=True)
