"""Segmenters trained and scored alike, for the benchmarks beside."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from butterflies.collection.photos import masked_ids
from butterflies.collection.records import read_records
from butterflies.collection.splits import split_of
from butterflies.tables import ok_rows


def parts(collection: Path) -> tuple[list[str], list[str]]:
    """Photographs with masks, by assetID: those of test specimens last, all others first."""
    masked = set(masked_ids(collection))
    rows = [r for r in ok_rows(read_records(collection)) if r["assetID"] in masked]
    test = {r["assetID"] for r in rows if split_of(r["specimen"]) == "test"}
    return sorted(masked - test), sorted(test)


def link(collection: Path, here: Path, drawn: Iterable[str]) -> None:
    """A collection with these masks only."""
    (here / "masks").mkdir(parents=True, exist_ok=True)
    for name in ("records.parquet", "photos"):
        if (collection / name).exists() and not (here / name).exists():
            (here / name).symlink_to((collection / name).resolve())
    for key in drawn:
        path = here / "masks" / f"{key}.png"
        if not path.is_symlink():
            path.symlink_to((collection / "masks" / path.name).resolve())


def trained(here: Path, steps: int, seed: int, working_px: int = 480, **data: Any) -> Any:
    """A segmenter after so many steps, on the CPU, also left in `model.ckpt`.

    Args:
        here: the collection.
        steps: of eight views each.
        seed: of weights, order and augmentation.
        working_px: see Segmenter.
        data: further settings of MaskedPhotographs.
    """
    import pytorch_lightning as pl

    from butterflies.compute import bf16_is_fast
    from butterflies.segmentation.data import MaskedPhotographs
    from butterflies.segmentation.segmenter import Segmenter

    pl.seed_everything(seed, verbose=False)
    model = Segmenter(working_px=working_px)
    trainer = pl.Trainer(
        max_steps=steps,
        max_epochs=-1,
        accelerator="cpu",
        precision="bf16-mixed" if bf16_is_fast("cpu") else "32-true",
        gradient_clip_val=1.0,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, MaskedPhotographs(str(here), working_px=working_px, seed=seed, **data))
    trainer.save_checkpoint(here / "model.ckpt")
    return model.eval()


def scores(model: Any, collection: Path, test: list[str]) -> list[float]:
    """IoU, its worst 5 %, and boundary F at 2 px of the cleaned masks, at working size."""
    from butterflies.scores.masks import boundary_f, iou, summarise
    from butterflies.segmentation.cleaning import clean
    from butterflies.segmentation.pairs import hand_pair
    from butterflies.segmentation.predict import predict

    rows = [r for r in ok_rows(read_records(collection)) if r["assetID"] in set(test)]
    pairs = [hand_pair(collection, model.working_px, row) for row in rows]
    found = [clean(p > 0.5) for p in predict(model, [photo for _, photo, _ in pairs])]
    truth = [np.asarray(mask) > 127 for _, _, mask in pairs]
    overlap = summarise([iou(*pair) for pair in zip(found, truth, strict=True)])
    edge = summarise([boundary_f(*pair) for pair in zip(found, truth, strict=True)])
    return [round(overlap.mean, 4), round(overlap.worst, 4), round(edge.mean, 4)]
