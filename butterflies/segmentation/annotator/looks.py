"""Photographs, masks and facts for the page, with what was just looked at kept in memory."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies.collection.photos import open_photo, photo_path
from butterflies.errors import PhotographError
from butterflies.segmentation.annotator import pictures
from butterflies.segmentation.annotator.desk import Desk
from butterflies.segmentation.annotator.errors import Refusal
from butterflies.segmentation.annotator.grow import grow
from butterflies.segmentation.masking import by_contrast, by_probability
from butterflies.segmentation.pictures import opaque

Mask = npt.NDArray[np.bool_]

KEPT = 3
"""Photographs that are held decoded: the one on the page and its neighbours."""


class Looks:
    """What a page sees of the photographs of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.store
        self._photo = lru_cache(KEPT)(self._decoded)
        self._contrast = lru_cache(KEPT)(self._by_contrast)
        self._prediction = lru_cache(KEPT)(self._predicted)

    def photo_jpeg(self, asset_id: str, longest: int) -> bytes:
        """The upright photograph, at most so many pixels on its longer side."""
        return pictures.jpeg(pictures.reduced(self._photo(asset_id), longest))

    def thumb_jpeg(self, asset_id: str) -> bytes:
        """A small picture with the saved mask, else the draft, laid over it."""
        mask = self.store.mask(asset_id)
        mask = self.store.draft(asset_id) if mask is None else mask
        # Past the cache: a gallery's hundred photographs would push out the one being drawn on.
        photo = self._decoded(asset_id)
        return pictures.jpeg(pictures.overlay(photo, mask), quality=85)

    def item(self, asset_id: str) -> dict[str, Any]:
        """A queue's item with its version and what a mask can begin from."""
        version = self.store.version(asset_id)
        item = self.desk.item(asset_id, self.store.overview())
        contrast = self._contrast(asset_id)
        size = self.store.size(asset_id)
        return item | {
            "version": version,
            "mask": item["has_mask"],
            "method": self.store.draft_method(asset_id) or item["method"],
            "contrast": contrast if isinstance(contrast, str) else True,
            "prediction": self.desk.model is not None,
            "scale": pictures.edited_size(size)[0] / size[0],
        }

    def mask_png(self, asset_id: str, kind: str) -> tuple[bytes, str]:
        """A mask of a photograph as PNG, and the version that the photograph had before.

        Raises:
            Refusal: there is none of this kind.
        """
        ways: dict[str, Callable[[str], Mask | None]] = {
            "mask": self.store.mask,
            "draft": self.store.draft,
            "contrast": self._contrast_mask,
            "prediction": self._prediction,
        }
        version = self.store.version(asset_id)
        if kind not in ways:
            raise Refusal(404, f"There is no kind of mask {kind!r}: there are {', '.join(ways)}.")
        mask = ways[kind](asset_id)
        if mask is None:
            raise Refusal(404, f"{asset_id} has no {kind}.")
        return pictures.png(mask), version

    def grown_png(self, asset_id: str, data: bytes) -> bytes:
        """A mask, at the size in which it was sent, with its outline at the picture's edges."""
        mask = pictures.sent_mask(data, self.store.size(asset_id))
        longest = pictures.EDITED_PX
        small = pictures.scaled(mask, pictures.edited_size(mask.shape[::-1], longest))
        photo = self._photo(asset_id).resize(small.shape[::-1], Image.Resampling.BOX)
        found = pictures.scaled(grow(np.asarray(photo), small), mask.shape[::-1])
        return pictures.png(found)

    def _decoded(self, asset_id: str) -> Image.Image:
        row = self.store.row(asset_id)
        try:
            photo = opaque(open_photo(photo_path(self.store.collection, row)))
        except PhotographError as error:
            raise Refusal(404, f"The photograph {asset_id} cannot be shown: {error}") from None
        if photo.size != self.store.size(asset_id):
            sentence = f"The photograph {asset_id} has another size now: collect it anew."
            raise Refusal(404, sentence)
        return photo

    def _by_contrast(self, asset_id: str) -> Mask | str:
        """The mask, or why there is none."""
        try:
            return by_contrast(self._photo(asset_id)).mask
        except PhotographError as error:
            return str(error)

    def _contrast_mask(self, asset_id: str) -> Mask:
        found = self._contrast(asset_id)
        if isinstance(found, str):
            raise Refusal(404, found)
        return found

    def _predicted(self, asset_id: str) -> Mask | None:
        if self.desk.model is None:
            return None
        from butterflies.segmentation.predict import predict  # torch takes seconds

        photo = self._photo(asset_id)
        probability = predict(self.desk.model, [photo])[0]
        return np.asarray(by_probability(probability, photo.size).alpha) > 127
