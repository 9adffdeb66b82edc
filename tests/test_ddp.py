"""Several processes at one training: they share the work, and one run comes of it."""

import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl

from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.data import Batches, Cutouts
from butterflies.errors import UserError
from butterflies.segmentation.crops import EpochOrder
from butterflies.tracking.batches import Order, Share
from butterflies.tracking.console import is_first, say
from butterflies.tracking.fit import fit
from butterflies.tracking.processes import processes, shared_folder
from butterflies.tracking.provenance import read_provenance
from tests.cutout_sets import blob, write_cutouts
from tests.processes import Between, settings
from tests.trainings import metrics

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}


def started(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.parametrize("count", [5, 24, 29])
def test_processes_see_every_number_once_in_as_many_batches(count: int) -> None:
    for seed, epoch in ((0, 0), (0, 3), (7, 3)):
        orders = [Order(np.arange(count), 4, seed, Share(rank, 3)) for rank in range(3)]
        for order in orders:
            order.set_epoch(epoch)
        seen = [number for order in orders for batch in order for number in batch.tolist()]
        assert len({len(list(order)) for order in orders}) == 1
        assert len(seen) == len(set(seen))
        assert count - len(seen) < 3 * orders[0].size


def test_together_processes_take_the_steps_of_one_with_larger_batches() -> None:
    alone = Order(np.arange(29), 6, seed=3)
    two = [Order(np.arange(29), 3, 3, Share(rank, 2)) for rank in range(2)]
    together = [sorted(chain(*map(np.ndarray.tolist, pair))) for pair in zip(*two, strict=True)]
    assert together == [sorted(batch.tolist()) for batch in alone]


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("size", [2, 4])
def test_what_is_scored_is_shared_out_whole_in_as_many_batches(processes: int, size: int) -> None:
    for count in (0, *range(processes, 30)):
        shares = [Share(rank, processes) for rank in range(processes)]
        batches = [list(Order(np.arange(count), size, share=share)) for share in shares]
        assert sorted(chain(*(b.tolist() for part in batches for b in part))) == list(range(count))
        assert len({len(part) for part in batches}) == 1
        assert all(0 < len(batch) <= size for part in batches for batch in part)


def test_views_are_shared_out_with_their_epoch_and_repeat() -> None:
    orders = [EpochOrder(6, 2, 0, 2, Share(rank, 2)) for rank in range(2)]
    for order in orders:
        order.set_epoch(5)
    seen = [tuple(view) for order in orders for batch in order for view in batch.tolist()]
    assert sorted(seen) == [(index, 5, repeat) for index in range(6) for repeat in range(2)]


def test_rows_of_a_batch_follow_each_other_on_the_disk() -> None:
    for batch in Batches(np.arange(40), 8, 0, Share(1, 2)):
        assert batch.tolist() == sorted(batch.tolist())


def test_more_processes_than_pictures_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cutouts(tmp_path, {f"b{n:03d}": blob(n, 32) for n in range(30)})
    trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    monkeypatch.setattr(pl.Trainer, "world_size", 20)
    data = Cutouts(str(tmp_path))
    data.trainer = trainer
    with pytest.raises(UserError, match=r"fewer than the 20 processes: give fewer trainer\.dev"):
        data.setup()


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 1),
        ({"devices": 3}, 3),
        ({"devices": "3"}, 3),
        ({"devices": "0,2"}, 2),
        ({"devices": "3,"}, 1),
        ({"devices": [1, 2], "num_nodes": 4}, 8),
        ({"devices": "auto", "accelerator": "cpu"}, 1),
    ],
)
def test_processes_are_counted_as_lightning_counts_them(
    options: dict[str, object], count: int
) -> None:
    assert processes(options) == count


def test_only_the_first_process_speaks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say("first")
    for name in ("LOCAL_RANK", "NODE_RANK", "RANK"):
        monkeypatch.setenv(name, "1")
        say("second")
        assert not is_first()
        monkeypatch.delenv(name)
    assert capsys.readouterr().out == "first\n"


def test_processes_started_from_outside_need_a_run_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        with pytest.raises(UserError, match=r"torchrun or srun, needs out="):
            fit(settings(2, out=""))
    assert shared_folder("here") == Path("here")
    assert not Path("runs").exists()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """An autoencoder trained by the command line in two processes."""
    folder = tmp_path_factory.mktemp("two")
    write_cutouts(folder / "c", {f"b{n:03d}": blob(n, 32) for n in range(40)})
    words = (
        "butterflies train experiment=autoencoder collection=c max_epochs=2 ++data.batch_size=4 "
    )
    words += "model.latent_dim=4 model.width=4 trainer.accelerator=cpu trainer.devices=2 "
    words += "trainer.strategy=ddp trainer.log_every_n_steps=1 logger.mode=offline"
    return folder, started(folder, *words.split())


def test_two_processes_leave_one_run(
    two: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = two
    assert done.returncode == 0, done.stderr
    (place,) = (folder / "runs/train").glob("*")
    assert {p.name for p in place.parent.iterdir()} == {place.name}, "the lock is gone"
    left = {"best.ckpt", "last.ckpt", "config.yaml", "metrics.csv", "provenance.json"}
    assert {path.name for path in place.iterdir()} == {*left, "pictures", "wandb"}
    assert len(list((place / "wandb").glob("offline-run-*"))) == 1
    assert len(list((place / "pictures").glob("reconstruction-*"))) == 2
    assert done.stdout.count("Next: python embed.py") == 1
    assert done.stdout.count("val/l1") == 1
    assert read_provenance(place)["status"] == "finished"
    assert [float(row["step"]) for row in metrics(place)] == list(range(7))


def test_scores_of_two_processes_are_those_of_one(
    two: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = two
    (place,) = (folder / "runs/train").glob("*")
    data = Cutouts(str(folder / "c"))
    assert len(data.assets()["validation"]) % 2 or len(data.assets()["test"]) % 2
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    model = Autoencoder.load_from_checkpoint(place / "best.ckpt", weights_only=True)
    (tested,) = trainer.test(model, data, verbose=False)
    (validated,) = trainer.validate(model, data, verbose=False)
    scores = read_provenance(place)["scores"]
    assert scores["test/l1"] == pytest.approx(tested["test/l1"], abs=1e-6)
    assert scores["val/l1"] == pytest.approx(validated["val/l1"], abs=1e-6)


def test_two_processes_learn_what_one_learns_from_batches_twice_as_large(tmp_path: Path) -> None:
    done = started(tmp_path, "tests.processes", "two")
    assert done.returncode == 0, done.stderr
    alone, scores = fit(settings(1, "alone"))
    pair = tmp_path / "two"
    slopes = [Between.load_from_checkpoint(p / "last.ckpt").slope.item() for p in (alone, pair)]
    assert slopes[0] == pytest.approx(slopes[1], abs=1e-6)
    assert read_provenance(pair)["scores"] == pytest.approx(scores, abs=1e-6)


def test_a_loss_that_breaks_in_one_process_ends_all_with_one_sentence(tmp_path: Path) -> None:
    done = started(tmp_path, "tests.processes", "broken", "1")
    assert done.returncode == 1, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("butterflies: ")]
    assert len(told) == 1
    assert "The loss is no number" in told[0]
    assert "Traceback" not in done.stderr
