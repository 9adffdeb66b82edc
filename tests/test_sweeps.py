"""Sweeps: one after the other, on all cores, and as Slurm would start them."""

import os
import re
import shlex
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from butterflies.__main__ import main
from butterflies.tracking.outputs import _new
from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.quoting import quoted
from tests import slurm
from tests.cutout_sets import blob, write_cutouts
from tests.specimens import masked_collection
from tests.test_conf import composed

DOCS = Path(__file__).parent.parent / "docs" / "sweeping.md"
SMALL = ("experiment=autoencoder", "trainer=debug", "model.width=4")


@pytest.fixture
def collection(tmp_path: Path) -> str:
    write_cutouts(tmp_path / "c", {f"b{number:02d}": blob(number) for number in range(40)})
    return f"collection={tmp_path}/c"


class Keep(Callback):
    """Keeps what the jobs of a sweep give to the sweeper."""

    given: ClassVar[list[Any]] = []

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        self.given.append(job_return.return_value)


def sweep(*words: str) -> int:
    try:
        main(["train", "-m", *SMALL, *words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def trained() -> dict[int, Path]:
    """The finished trainings by the size of their codes."""
    places = [path.parent for path in Path("runs/train").glob("*/best.ckpt")]
    sizes = [OmegaConf.load(place / "config.yaml").model.latent_dim for place in places]
    return dict(zip(sizes, places, strict=True))


def records(place: Path) -> bytes:
    """What the one offline run of W&B in a run folder wrote down."""
    (folder,) = (place / "wandb").glob("offline-run-*")
    assert folder.name.endswith(read_provenance(place)["wandb_id"])
    (record,) = folder.glob("run-*.wandb")
    return record.read_bytes()


def check_runs_of_one_group(*sizes: int) -> None:
    runs = trained()
    assert sorted(runs) == [*sizes]
    assert len({read_provenance(place)["wandb_id"] for place in runs.values()}) == len(sizes)
    (group,) = (path.name for path in Path("runs/sweeps").iterdir())
    for place in runs.values():
        assert group.encode() in records(place)
        header = (place / "metrics.csv").read_text().splitlines()[0]
        assert "val/l1" in header.split(",")


def test_a_sweep_is_a_group_of_runs_of_wandb(collection: str) -> None:
    keep = "+hydra.callbacks.keep._target_=tests.test_sweeps.Keep"
    assert sweep(collection, "model.latent_dim=4,5", keep) == 0
    check_runs_of_one_group(4, 5)
    scores = [read_provenance(place)["scores"]["val/l1"] for place in trained().values()]
    assert sorted(Keep.given) == sorted(scores), "what a sweeper may optimise"


def test_what_was_trained_before_tells_its_scores_to_wandbs_sweep(
    collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("butterflies.jobs.train.report", lambda *given: told.append(given))
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep123")
    for number in ("1", "2"):
        monkeypatch.setenv("WANDB_RUN_ID", f"agents0{number}")
        main(["train", *SMALL, collection, "model.latent_dim=4", "logger=none"])
    (place,) = Path("runs/train").iterdir()
    assert [given[1] for given in told] == [place, place]
    assert told[1][2].summary == read_provenance(place)["scores"]


def test_segmenters_are_swept_too_and_a_group_that_is_given_is_the_group(tmp_path: Path) -> None:
    masked_collection(tmp_path / "m", 12, (48, 64))
    words = ["experiment=segmenter", f"collection={tmp_path}/m", "trainer=debug", "model.width=4"]
    main(["train", "-m", *words, "model.lr=1e-3,1e-4", "logger.group=my ideas"])
    places = sorted(Path("runs/train").iterdir())
    rates = [OmegaConf.load(place / "config.yaml").model.lr for place in places]
    assert rates == [1e-3, 1e-4]
    assert all(b"my ideas" in records(place) for place in places)


def test_a_job_that_fails_fails_the_sweep_and_no_other_job(
    collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(collection, "model.latent_dim=4,0,5", "logger=none") == 1
    assert sorted(trained()) == [4, 5]
    said = capsys.readouterr().err
    assert said.count("model.latent_dim is 0: give at least 1.") == 1
    assert "Traceback" not in said


def test_joblib_trains_in_processes_and_tells_of_failures(collection: str) -> None:
    joblib = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert sweep(collection, "model.latent_dim=0,4", *joblib) == 1
    check_runs_of_one_group(4)


def test_slurm_trains_and_tells_of_failures(
    collection: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(slurm.install(tmp_path / "slurm")), prepend=os.pathsep)
    wanted = ("hydra/launcher=submitit_slurm", "hydra.launcher.gpus_per_node=1")
    assert sweep(collection, "model.latent_dim=0,4", *wanted) == 1
    check_runs_of_one_group(4)
    assert "model.latent_dim is 0: give at least 1." in capsys.readouterr().err


def test_jobs_that_start_in_one_second_take_folders_of_their_own() -> None:
    places = [_new("train") for _ in range(5)]
    assert len({*places}) == 5
    assert all(place.is_dir() and not os.listdir(place) for place in places)


def documented() -> list[list[str]]:
    """The words of each command of docs/sweeping.md that is ours, its job first."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    words = [shlex.split(line.removeprefix("python "), comments=True) for line in lines]
    ours = [w[1:] if w[0] == "butterflies" else w for w in words]
    return [[w[0].removesuffix(".py"), *w[1:]] for w in ours if w[0] not in ("export", "wandb")]


@pytest.mark.parametrize("words", documented(), ids=lambda words: " ".join(words)[:40])
def test_every_documented_command_composes(words: list[str]) -> None:
    job, *overrides = words
    first = [word.split(",")[0] for word in overrides if word != "-m"]
    assert composed(job, *quoted(first), hydra=True)
