"""Watching codes beside a training: in time, and without changing what is learned."""

import csv
import json
import random
from collections.abc import Iterator
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping

from butterflies.collection.records import table_of, write_records
from butterflies.encoding import watching
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.data import Cutouts
from butterflies.encoding.looks import looks
from butterflies.encoding.seen import Gallery, Seen
from butterflies.encoding.watching import CodesWatch
from butterflies.errors import UserError
from butterflies.tracking.fit import fit
from butterflies.tracking.settings import FitSettings
from butterflies.tracking.wandb import WandbSettings
from tests.cutout_sets import Pixels
from tests.toy import Line, Points
from tests.watched import KINDS, gallery, write_watched

SCORES = ("knn_genus", "knn_genus_species_out", "knn_sex")


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return write_watched(tmp_path / "collection")


def run(collection: Path, epochs: int = 5, **changed: Any) -> Path:
    given: dict[str, Any] = {
        "model": partial(Autoencoder, latent_dim=8, width=4),
        "data": Cutouts(str(collection), batch_size=16),
        "monitor": "val/l1",
        "mode": "min",
        "trainer": {"max_epochs": epochs, "log_every_n_steps": 1, "accelerator": "cpu"},
        "logger": WandbSettings(mode="disabled"),
        "callbacks": [CodesWatch(3)],
        **changed,
    }
    return fit(FitSettings(**given))[0]


def logged(place: Path, name: str) -> list[float]:
    with (place / "metrics.csv").open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


def epochs_of(place: Path, name: str) -> list[int]:
    """The epochs that have such a picture; all validations have a reconstruction."""
    pictures = sorted((place / "pictures").glob("reconstruction-*.png"))
    same = (path.with_name(path.name.replace("reconstruction", name)) for path in pictures)
    return [epoch for epoch, path in enumerate(same) if path.is_file()]


def test_what_colours_tell_is_found_and_what_nothing_tells_is_not(collection: Path) -> None:
    place = run(collection, 1)
    for stage in ("val", "test"):
        assert logged(place, f"{stage}/knn_genus") == [1.0]
        assert logged(place, f"{stage}/knn_genus_balanced") == [1.0]
        assert logged(place, f"{stage}/knn_genus_species_out") == [1.0]
        assert 0 < logged(place, f"{stage}/knn_genus_majority")[0] < 1
        assert 0 <= logged(place, f"{stage}/knn_sex")[0] <= 1


def test_scores_and_pictures_come_at_the_first_validation_now_and_then_and_at_the_last(
    collection: Path,
) -> None:
    place = run(collection)
    assert len(logged(place, "val/l1")) == 5
    for name in SCORES:
        assert len(logged(place, f"val/{name}")) == 3
    for name in ("neighbours", "traversals", "worst", "scatter"):
        assert epochs_of(place, name) == [0, 3, 4]


@pytest.mark.parametrize(
    ("apart", "every", "epochs", "due"),
    [
        (1, 5, 12, [0, 5, 10, 11]),
        (2, 5, 13, [1, 5, 11]),
        (4, 3, 9, [3, 7]),
        (None, 2, 5, [0, 2, 4]),
    ],
)
def test_looks_are_counted_from_the_start(
    apart: int | None, every: int, epochs: int, due: list[int]
) -> None:
    trainer: Any = SimpleNamespace(
        check_val_every_n_epoch=apart, max_epochs=epochs, max_steps=-1, should_stop=False
    )
    found = []
    for trainer.current_epoch in range((apart or 1) - 1, epochs, apart or 1):
        found += [trainer.current_epoch] * CodesWatch(every)._due(trainer)
    assert found == due


def scripted(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Lets the score of each look be the next of these."""
    left = chain(values, repeat(0.0))
    monkeypatch.setattr(watching, "knn_scores", lambda *_: {"knn_genus": next(left)})


def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a look draw nothing, which takes most of its time."""
    monkeypatch.setattr(watching, "looks", lambda *_: iter(()))


def test_the_best_checkpoint_goes_by_a_fresh_score_at_every_validation(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, 0.2, 0.5, 0.1, 0.4, 0.3)
    place = run(collection, monitor="val/knn_genus", mode="max")
    assert logged(place, "val/knn_genus") == pytest.approx([0.2, 0.5, 0.1, 0.4, 0.3])
    assert torch.load(place / "best.ckpt", weights_only=True)["epoch"] == 1
    assert epochs_of(place, "scatter") == [0, 3, 4]


def test_an_early_stop_never_counts_an_old_score_twice(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen(monkeypatch)
    scripted(monkeypatch, 0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3)
    stop = EarlyStopping("val/knn_genus", mode="max", patience=2)
    place = run(collection, 12, callbacks=[CodesWatch(4), stop])
    assert len(logged(place, "val/knn_genus")) == 7


class Killed(pl.Callback):
    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 2:
            raise RuntimeError("killed")


def test_a_training_that_goes_on_between_two_looks_has_its_score(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen(monkeypatch)
    monitored: dict[str, Any] = {"monitor": "val/knn_genus", "mode": "max"}
    with pytest.raises(RuntimeError, match="killed"):
        run(collection, callbacks=[CodesWatch(3), Killed()], **monitored)
    place = run(collection, **monitored)
    assert len(logged(place, "val/knn_genus")) == 5


@pytest.mark.parametrize("records", ["none", "no names", "one genus"])
def test_without_labels_there_are_pictures_and_no_scores(collection: Path, records: str) -> None:
    (collection / "records.parquet").unlink()
    if records != "none":
        genus = "Morpho" if records == "one genus" else None
        ids = [f"b{number:03d}" for number in range(72)]
        rows = [{"assetID": i, "status": "ok", "specimen": i, "genus": genus} for i in ids]
        write_records(collection, table_of(rows))
    place = run(collection, 1)
    assert len(logged(place, "val/l1")) == 1
    assert "knn" not in (place / "metrics.csv").read_text()
    assert epochs_of(place, "neighbours") == epochs_of(place, "scatter") == [0]


def states() -> list[Any]:
    return [torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()]


def noisy(*_: Any) -> Iterator[tuple[str, Pixels]]:
    """Pictures that draw from all the random numbers there are."""
    shade = int((torch.rand(1).item() + np.random.rand() + random.random()) * 80)
    yield "noise", np.full((8, 8, 3), shade, np.uint8)


def test_watching_changes_nothing_of_the_training(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for callbacks, draws in (
        ([], looks),
        ([CodesWatch(1)], looks),
        ([CodesWatch(1)], noisy),
    ):
        monkeypatch.setattr(watching, "looks", draws)
        place = run(collection, 2, callbacks=callbacks, force=True)
        saved = torch.load(place / "last.ckpt", weights_only=True)["state_dict"]
        found.append((saved, states(), logged(place, "train/loss")))
    for other in found[1:]:
        assert all(map(torch.equal, found[0][0].values(), other[0].values()))
        assert found[0][1:] == other[1:]


def test_training_specimens_answer_and_in_the_test_those_of_the_validation_too(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[set[int], set[int]]] = []

    def remember(known: Seen, others: Seen) -> dict[str, float]:
        asked.append((set(known.rows.tolist()), set(others.rows.tolist())))
        return {}

    unseen(monkeypatch)
    monkeypatch.setattr(watching, "knn_scores", remember)
    run(collection, 1)
    parts = Cutouts(str(collection)).assets()
    train, validation, test = ({int(i[1:]) for i in ids} for ids in parts.values())
    assert all((train, validation, test))
    assert asked == [(train, validation), (train | validation, test)]


def test_wandb_gets_a_table_of_the_validation_codes(collection: Path) -> None:
    place = run(collection, 2, logger=WandbSettings())
    (path,) = place.glob("wandb/offline-run-*/files/media/table/val/codes_*.table.json")
    table = json.loads(path.read_text())
    assert table["columns"] == [
        "assetID",
        "genus",
        "species",
        "sex",
        *(f"code_{n:03d}" for n in range(8)),
    ]
    assert [row[0] for row in table["data"]] == Cutouts(str(collection)).assets()["validation"]
    model = Autoencoder.load_from_checkpoint(place / "last.ckpt").eval()
    asset_id, genus, species, _, *code = table["data"][0]
    row = int(asset_id[1:])
    assert (genus, species) == (KINDS[row % 6][0], " ".join(KINDS[row % 6]))
    with torch.no_grad():
        again = gallery(collection).see(model, np.array([row])).codes[0]
    assert code == pytest.approx(again.tolist(), abs=1e-5)


def test_codes_that_are_no_numbers_are_not_scored(
    collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Autoencoder, "encode", lambda self, x: x.mean((2, 3)) * float("nan"))
    watch, data = CodesWatch(), Cutouts(str(collection))
    data.setup()
    watch.gallery = Gallery(data)
    trainer: Any = SimpleNamespace()
    assert watch._look(trainer, Autoencoder(3, width=4), "val", True) == {}


def test_it_watches_autoencoders_only() -> None:
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False}
    trainer = pl.Trainer(accelerator="cpu", max_epochs=1, callbacks=[CodesWatch()], **quiet)
    with pytest.raises(UserError, match="give callbacks=none"):
        trainer.fit(Line(), Points())
    with pytest.raises(UserError, match="every_n_epochs is 0"):
        CodesWatch(0)
