"""Drafts, masks and judgements of a collection, where no write overrules another unseen.

<collection>/drafts/<assetID>.png   what was drawn and not yet saved; its method in a text chunk
<collection>/masks/, masks.csv      see collection.masks
<collection>/judgements.csv         see collection.judgements
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from butterflies.collection.judgements import Judgement, judge, read_judgements
from butterflies.collection.masks import (
    Method,
    exclusive,
    read_mask_log,
    record_mask,
    remove_mask,
)
from butterflies.collection.photos import load_mask, masked_ids, read_mask
from butterflies.collection.records import read_records
from butterflies.errors import UserError
from butterflies.files import writing
from butterflies.segmentation.annotator.errors import Refusal, stale
from butterflies.tables import ok_rows

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Overview:
    """What there is for which photographs, at one moment.

    Attributes:
        masks: assetID -> method of its mask.
        judgements: assetID -> judgement.
        drafts: assetIDs with a draft.
    """

    masks: dict[str, str]
    judgements: dict[str, str]
    drafts: frozenset[str]

    def labelled(self, asset_id: str) -> bool:
        return asset_id in self.masks or asset_id in self.judgements


class Store:
    """What has been annotated in a collection, for the pages of one server.

    A photograph's version stands for its mask, draft and judgement. Every write names the version
    it was based on and answers the new one; one based on an older state is refused.

    Args:
        collection: its folder.
        who: who annotates.

    Attributes:
        rows: records of the usable photographs by assetID, sorted.
        unusable: how many records have no usable photograph.

    Raises:
        UserError: the collection has no records, or no usable photograph.
    """

    def __init__(self, collection: Path, who: str) -> None:
        table = read_records(collection)
        rows = sorted(ok_rows(table), key=lambda row: str(row["assetID"]))
        if not rows:
            raise UserError(f"{collection} has no usable photograph: `butterflies collect` them.")
        self.collection, self.who = collection, who
        self.rows: dict[str, dict[str, Any]] = {row["assetID"]: row for row in rows}
        self.unusable = table.num_rows - len(rows)
        self._set_old_drafts_aside()

    def row(self, asset_id: str) -> dict[str, Any]:
        """A photograph's record.

        Raises:
            Refusal: there is none.
        """
        if asset_id not in self.rows:
            raise Refusal(404, f"There is no photograph {asset_id!r} in this collection.")
        return self.rows[asset_id]

    def size(self, asset_id: str) -> tuple[int, int]:
        """Width and height of a photograph in pixels."""
        row = self.row(asset_id)
        return row["width"], row["height"]

    def overview(self) -> Overview:
        log = read_mask_log(self.collection)
        methods = {key: log[key]["method"] if key in log else "hand" for key in self._masked()}
        said = {k: row["judgement"] for k, row in read_judgements(self.collection).items()}
        drafts = {path.stem for path in (self.collection / "drafts").glob("*.png")}
        judgements = {key: said[key] for key in sorted(said.keys() & self.rows.keys())}
        return Overview(methods, judgements, frozenset(drafts & self.rows.keys()))

    def version(self, asset_id: str) -> str:
        """Changes when the photograph's mask, draft or judgement does."""
        self.row(asset_id)
        state = hashlib.sha256()
        for path in (self._mask_path(asset_id), self._draft_path(asset_id)):
            try:
                state.update(hashlib.sha256(path.read_bytes()).digest())
            except FileNotFoundError:
                state.update(b"none")
        state.update(self._judgement(asset_id).encode())
        return state.hexdigest()[:16]

    def mask(self, asset_id: str) -> Mask | None:
        """The saved mask (height, width), None without one."""
        return read_mask(self.collection, asset_id, self.size(asset_id))

    def draft(self, asset_id: str) -> Mask | None:
        """The draft (height, width), None without one."""
        size, path = self.size(asset_id), self._draft_path(asset_id)
        return load_mask(path, size) if path.is_file() else None

    def draft_method(self, asset_id: str) -> str | None:
        """How the draft was made, None without one."""
        path = self._draft_path(asset_id)
        if not path.is_file():
            return None
        with Image.open(path) as image:
            return str(image.info.get("method", "hand"))

    def save_draft(self, asset_id: str, mask: Mask, method: Method, base: str) -> str:
        """Keeps what is drawn so far.

        Raises:
            Refusal: the photograph's state is not `base` any more.
        """
        with self._writing(asset_id, base):
            notes = PngInfo()
            notes.add_text("method", method)
            image = Image.fromarray(mask.astype(np.uint8) * 255)
            with writing(self._draft_path(asset_id)) as temporary:
                image.save(temporary, format="PNG", compress_level=1, pnginfo=notes)
            return self.version(asset_id)

    def drop_draft(self, asset_id: str, base: str) -> str:
        with self._writing(asset_id, base):
            self._draft_path(asset_id).unlink(missing_ok=True)
            return self.version(asset_id)

    def save(self, asset_id: str, mask: Mask, method: Method, base: str) -> str:
        """Makes it the mask; its draft goes. An empty mask is the judgement `no_specimen`.

        Raises:
            Refusal: the photograph's state is not `base` any more.
            UserError: by its method it may not replace the mask that is there.
        """
        with self._writing(asset_id, base):
            record_mask(self.collection, asset_id, mask, method, self.who)
            self._draft_path(asset_id).unlink(missing_ok=True)
            if not mask.any():
                judge(self.collection, asset_id, "no_specimen", self.who)
            elif self._judgement(asset_id) == "no_specimen":
                judge(self.collection, asset_id, None, self.who)
            return self.version(asset_id)

    def drop_mask(self, asset_id: str, base: str) -> str:
        """Puts the mask aside, as `.1`; a `no_specimen` that it stood for goes with it."""
        with self._writing(asset_id, base):
            if self._denied(asset_id):
                judge(self.collection, asset_id, None, self.who)
            remove_mask(self.collection, asset_id)
            return self.version(asset_id)

    def judge(self, asset_id: str, judgement: Judgement | None, base: str) -> str:
        """Writes down a judgement; None takes it back, and an empty mask that says the same."""
        with self._writing(asset_id, base):
            if judgement is None and self._denied(asset_id):
                remove_mask(self.collection, asset_id)
            judge(self.collection, asset_id, judgement, self.who)
            return self.version(asset_id)

    def _set_old_drafts_aside(self) -> None:
        """As `.1`: drafts of photographs that have another size by now, and unreadable ones."""
        for path in (self.collection / "drafts").glob("*.png"):
            if path.stem in self.rows:
                try:
                    load_mask(path, self.size(path.stem))
                except UserError:
                    path.replace(path.with_name(f"{path.name}.1"))

    @contextmanager
    def _writing(self, asset_id: str, base: str) -> Iterator[None]:
        """Nobody else writes between the look at the version and the write."""
        with exclusive(self.collection):
            now = self.version(asset_id)
            if now != base:
                raise stale(now)
            yield

    def _denied(self, asset_id: str) -> bool:
        """Whether an empty mask says `no_specimen`."""
        mask = self.mask(asset_id) if self._judgement(asset_id) == "no_specimen" else None
        return mask is not None and not mask.any()

    def _judgement(self, asset_id: str) -> str:
        return read_judgements(self.collection).get(asset_id, {}).get("judgement", "")

    def _masked(self) -> list[str]:
        return [key for key in masked_ids(self.collection) if key in self.rows]

    def _mask_path(self, asset_id: str) -> Path:
        return self.collection / "masks" / f"{asset_id}.png"

    def _draft_path(self, asset_id: str) -> Path:
        return self.collection / "drafts" / f"{asset_id}.png"
