"""What lies before an annotator: photographs in an order, facts about them, and progress."""

import threading
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from butterflies.errors import UserError
from butterflies.segmentation.annotator.backgrounds import classes, describe, descriptions, kinds
from butterflies.segmentation.annotator.errors import Refusal
from butterflies.segmentation.annotator.ranking import (
    by_score,
    complete,
    score,
    spread,
    uncertainties,
)
from butterflies.segmentation.annotator.store import Overview, Store
from butterflies.tracking.console import say
from butterflies.tracking.provenance import read_provenance

if TYPE_CHECKING:
    from butterflies.segmentation.segmenter import Segmenter

ORDERS = ("worst", "unlabelled", "random", "name")
UNKNOWN = "unknown"


class Desk:
    """The orders of a collection's photographs; they get better while a thread ranks.

    Args:
        store: the collection.
        checkpoint: a segmenter's, or None: then there is no order `worst`.
        seed: of chance.
        order: the one that a page begins with.

    Attributes:
        model: the segmenter, or None.
        orders: the names of the orders, that to begin with first.
        ready: whether the ranking is finished.

    Raises:
        UserError: there is no such order, or the checkpoint is no segmenter's.
    """

    def __init__(
        self, store: Store, checkpoint: Path | None = None, seed: int = 0, order: str = "worst"
    ) -> None:
        self.store, self.checkpoint, self.seed = store, checkpoint, seed
        self.orders = _orders(order, checkpoint is not None)
        self.model = _model(checkpoint)
        self.ready = False
        rows = store.rows
        self._genera = {key: row["genus"] or "" for key, row in rows.items()}
        self._random = _shuffled(list(rows), seed)
        self._described = descriptions(store.collection, rows.values())
        self._measured = (
            uncertainties(store.collection, checkpoint, rows.values()) if checkpoint else None
        )
        self._classes: dict[str, str] = {}
        self._scores: dict[str, float] = {}
        self._orders: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="ranking", daemon=True)

    def start(self) -> None:
        """Begins to rank, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the ranking at the next photograph; what is measured is kept."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def queue(
        self, order: str, after: str | None, limit: int, labelled: bool | None, genus: str | None
    ) -> dict[str, Any]:
        """A part of an order.

        Args:
            order: one of `orders`.
            after: begin behind this photograph.
            limit: how many at most.
            labelled: only those that have a mask or a judgement, or only those that have none.
            genus: only of this genus.

        Raises:
            Refusal: there is no such order or no such photograph.
        """
        overview = self.store.overview()
        ids = self._order(order, overview)
        wanted = [
            key
            for key in ids
            if (labelled is None or overview.labelled(key) == labelled)
            and (genus is None or self._genera[key] == genus)
        ]
        if after is not None:
            self.store.row(after)
            behind = set(ids[ids.index(after) + 1 :])
            rest = [key for key in wanted if key in behind]
        else:
            rest = wanted
        return {"items": [self.item(k, overview) for k in rest[:limit]], "total": len(wanted)}

    def item(self, asset_id: str, overview: Overview) -> dict[str, Any]:
        """What a queue says of a photograph."""
        row = self.store.row(asset_id)
        return {
            "assetID": asset_id,
            "genus": self._genera[asset_id],
            "name": row["scientificName"] or row["genus"] or asset_id,
            "background": self._classes.get(asset_id),
            "score": self._scores.get(asset_id),
            "has_mask": asset_id in overview.masks,
            "method": overview.masks.get(asset_id),
            "judgement": overview.judgements.get(asset_id),
            "draft": asset_id in overview.drafts,
            "width": row["width"],
            "height": row["height"],
        }

    def state(self) -> dict[str, Any]:
        """Counts and progress."""
        overview, rows = self.store.overview(), self.store.rows
        said = Counter(overview.judgements.values())
        return {
            "collection": str(self.store.collection),
            "who": self.store.who,
            "segmenter": self.model is not None,
            "orders": self.orders,
            "counts": {
                "photographs": len(rows),
                "masks": len(overview.masks),
                "skipped": self.store.unusable,
                "no_specimen": said["no_specimen"],
                "bad": said["bad"],
            },
            "by_genus": _shares("genus", self._genera, overview.masks),
            "by_background": _shares(
                "background", {k: self._classes.get(k, UNKNOWN) for k in rows}, overview.masks
            ),
            "iou": _iou(self.checkpoint),
            "ready": self.ready,
            "ranked": len(self._scores),
        }

    def _order(self, name: str, overview: Overview) -> list[str]:
        if name not in self.orders:
            known = ", ".join(self.orders)
            why = " (it needs segmenter=best.ckpt)" if name == "worst" else ""
            raise Refusal(400, f"There is no order {name!r} here{why}: there are {known}.")
        if name == "name":
            return sorted(self.store.rows, key=self._name)
        if name == "random":
            return self._random
        ids = self._orders.get(name) or self._random
        if name == "worst":
            return ids
        return sorted(ids, key=overview.labelled)  # a stable sort: unlabelled first

    def _name(self, asset_id: str) -> tuple[str, str]:
        row = self.store.rows[asset_id]
        return str(row["scientificName"] or row["genus"] or "~"), asset_id

    def _work(self) -> None:
        """Describes all backgrounds, then ranks those without mask in the order of chance."""
        for _ in self._described.complete(self._random, describe, self._stop.is_set):
            pass
        self._classes = classes(self._described.values, self.seed)
        self._arrange("unlabelled", self._random)
        if self._measured is not None and self.model is not None:
            self._rank()
            overview = self.store.overview()
            unlabelled = [key for key in self._random if not overview.labelled(key)]
            complete(self._measured, unlabelled, self.model, self._stop.is_set, self._rank)
        self.ready = not self._stop.is_set()
        if self.ready and self._measured is not None:
            say(f"{len(self._scores)} photographs are ranked, the least certain first.")

    def _rank(self) -> None:
        assert self._measured is not None
        self._scores = score(self._measured.values, self._genera)
        rest = [key for key in self._random if key not in self._scores]
        self._arrange("worst", by_score(self._scores), rest)

    def _arrange(self, name: str, ids: list[str], rest: list[str] | None = None) -> None:
        of = {key: kinds(self._genera, self._classes, key) for key in ids}
        self._orders[name] = [*spread(ids, of), *(rest or [])]


def _orders(first: str, segmenter: bool) -> list[str]:
    if first not in ORDERS:
        raise UserError(f"order={first} is none of {', '.join(ORDERS)}.")
    possible = [name for name in ORDERS if segmenter or name != "worst"]
    return sorted(possible, key=lambda name: name != first)


def _model(checkpoint: Path | None) -> "Segmenter | None":
    if checkpoint is None:
        return None
    from butterflies.segmentation.predict import load_segmenter  # torch takes seconds

    return load_segmenter(checkpoint)


def _shuffled(ids: list[str], seed: int) -> list[str]:
    return [ids[i] for i in np.random.default_rng(seed).permutation(len(ids)).tolist()]


def _shares(
    field: str, kind_of: Mapping[str, str], masks: Mapping[str, str]
) -> list[dict[str, Any]]:
    photographs = Counter(kind_of.values())
    masked = Counter(kind_of[key] for key in masks)
    return [
        {field: kind, "photographs": count, "masks": masked[kind]}
        for kind, count in sorted(photographs.items())
    ]


def _iou(checkpoint: Path | None) -> float | None:
    """The IoU that the training's provenance beside a checkpoint tells, if any."""
    scores = read_provenance(checkpoint.parent).get("scores", {}) if checkpoint else {}
    found = scores.get("test/iou", scores.get("val/iou"))
    return float(found) if isinstance(found, (int, float)) else None
