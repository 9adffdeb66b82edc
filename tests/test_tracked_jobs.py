"""One walk through all jobs, each logged offline: lineage, runs of W&B, artifacts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb
from PIL import Image

from butterflies.__main__ import main
from butterflies.errors import UserError
from butterflies.files import read_json, write_json
from butterflies.tracking.artifacts import Artifact
from butterflies.tracking.logger import WandbSettings
from butterflies.tracking.provenance import read_provenance
from butterflies.tracking.reporting import Report, report
from tests.cutout_sets import blob

LOGGED = ("cutout", "train", "embed", "render")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder that each job left."""
    place = tmp_path_factory.mktemp("walk")
    lines = ["assetID,genus"]
    (place / "p").mkdir()
    for number in range(40):
        Image.fromarray(blob(number)).save(place / "p" / f"b{number:02d}.png")
        lines.append(f"b{number:02d},Genus{number % 3}")
    (place / "records.csv").write_text("\n".join(lines))
    collection, log = f"collection={place}/c", ["logger=wandb", "logger.group=a group"]
    train, embed = place / "train", place / "embed"
    small = ["trainer=debug", "model.width=4", "model.latent_dim=4"]
    main(["collect", collection, f"photos={place}/p", f"records={place}/records.csv", "workers=1"])
    main(["cutout", collection, "segmenter=alpha", "workers=1", *log])
    main(["train", "experiment=autoencoder", collection, f"out={train}", *small, *log])
    checkpoint = f"autoencoder={train}/best.ckpt"
    main(["embed", collection, checkpoint, f"out={embed}", "projection=pca", "workers=1", *log])
    main(["render", f"map={embed}", f"out={place}/render", "workers=1", *log])
    return {
        "collect": place / "c",
        "cutout": place / "c" / "cutouts",
        "train": train,
        "embed": embed,
        "render": place / "render",
    }


def run_folder(place: Path) -> Path:
    (found,) = (place / "wandb").glob("offline-run-*")
    return found


def record(place: Path) -> bytes:
    """What an offline run wrote down; it has no public reader."""
    (found,) = run_folder(place).glob("run-*.wandb")
    return found.read_bytes()


def test_the_lineage_of_a_map_leads_back_to_the_photographs(walk: dict[str, Path]) -> None:
    lineage = read_provenance(walk["render"])["lineage"]
    assert [one["job"] for one in lineage] == ["collect", "cutout", "train", "embed"]
    for one in lineage:
        place = Path(one["where"])
        made = read_provenance(place.parent if place.is_file() else place)
        assert one["fingerprint"] == made["fingerprint"]
        assert one.get("wandb_id") == made.get("wandb_id")
    assert lineage[2]["where"] == str(walk["train"] / "best.ckpt")
    assert [one["job"] for one in lineage if one["direct"]] == ["cutout", "embed"]


def test_a_site_tells_of_no_place_of_this_machine(walk: dict[str, Path]) -> None:
    about = (walk["render"] / "site" / "about.json").read_text()
    assert str(walk["render"].parent) not in about
    assert "lineage" not in read_json(walk["render"] / "site" / "about.json")


@pytest.mark.parametrize("job", LOGGED)
def test_each_job_is_a_run_of_its_own_type_and_group(walk: dict[str, Path], job: str) -> None:
    place = walk[job]
    assert run_folder(place).name.endswith(read_provenance(place)["wandb_id"])
    assert job.encode() in record(place)
    assert b"a group" in record(place)


def test_the_jobs_make_four_runs(walk: dict[str, Path]) -> None:
    assert len({read_provenance(walk[job])["wandb_id"] for job in LOGGED}) == 4


@pytest.mark.parametrize(
    ("job", "key"),
    [
        ("cutout", b"segmenter"),
        ("train", b"model.latent_dim"),
        ("train", b"trainer.precision"),
        ("train", b"test/l1"),
        ("cutout", b"count/ok"),
        ("embed", b"mean/reconstruction_error"),
        ("embed", b"map/knn_genus"),
        ("render", b"seconds/tiles"),
        ("embed", b"projection.class"),
        ("render", b"site.photographs"),
    ],
)
def test_settings_and_results_are_logged_by_their_names(
    walk: dict[str, Path], job: str, key: bytes
) -> None:
    assert key in record(walk[job])


@pytest.mark.parametrize(
    ("job", "pictures"),
    [("cutout", 2), ("embed", 3), ("render", 3)],
)
def test_each_job_shows_pictures(walk: dict[str, Path], job: str, pictures: int) -> None:
    shown = list(run_folder(walk[job]).glob("files/media/images/*/*.png"))
    assert len(shown) == pictures
    assert all(np.asarray(Image.open(path)).std() > 1 for path in shown)


@pytest.mark.parametrize(
    ("job", "kept"),
    [
        ("train", ["best.ckpt", "config.yaml"]),
        ("embed", ["codes.parquet", "neighbours.parquet", "map.parquet"]),
    ],
)
def test_artifacts_name_the_files_where_they_lie(
    walk: dict[str, Path], job: str, kept: list[str]
) -> None:
    for name in kept:
        assert (walk[job] / name).is_file()
        assert str(walk[job] / name).encode() in record(walk[job])


@pytest.mark.parametrize(
    ("job", "file"), [("cutout", "../cutouts.parquet"), ("render", "site/map.json")]
)
def test_pictures_and_tiles_are_one_reference(walk: dict[str, Path], job: str, file: str) -> None:
    said = record(walk[job])
    assert (walk[job] / file).resolve().as_uri().encode() in said
    assert said.count(b"file://") == 1


def test_nothing_is_copied_for_an_artifact(walk: dict[str, Path]) -> None:
    size = (walk["train"] / "best.ckpt").stat().st_size
    copies = [p for p in (walk["train"] / "wandb").rglob("*") if p.is_file()]
    assert all(path.stat().st_size < size for path in copies)


def test_a_result_is_logged_once_and_skipped_all_the_same(
    walk: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_provenance(walk["embed"])
    checkpoint = f"autoencoder={walk['train']}/best.ckpt"
    collection, out = f"collection={walk['collect']}", f"out={walk['embed']}"
    for logger in ("wandb", "none"):
        words = [collection, checkpoint, out, "projection=pca", f"logger={logger}"]
        main(["embed", *words])
        assert "Nothing changed" in capsys.readouterr().out
    assert read_provenance(walk["embed"]) == before
    assert run_folder(walk["embed"]).is_dir()


class Online:
    """A run of W&B's that is online, and takes everything."""

    id, offline = "0123abcd", False

    def __init__(self) -> None:
        self.used: list[str] = []
        self.logged: list[tuple[Any, list[str]]] = []
        self.summary: dict[str, float] = {}
        self.pictures: dict[str, Any] = {}

    def use_artifact(self, name: str) -> None:
        self.used.append(name)

    def log(self, pictures: dict[str, Any]) -> None:
        self.pictures |= pictures

    def log_artifact(self, made: Any, aliases: list[str]) -> Any:
        self.logged.append((made, aliases))
        return self

    def wait(self) -> Any:
        return self

    @property
    def qualified_name(self) -> str:
        return f"museum/butterflies/{self.logged[-1][0].name}:v3"


def online(monkeypatch: pytest.MonkeyPatch) -> Online:
    run = Online()
    monkeypatch.setattr(wandb, "init", lambda **given: run)
    return run


def copied(place: Path, to: Path, **changed: Any) -> Path:
    to.mkdir()
    found = {k: v for k, v in read_provenance(place).items() if k != "wandb_id"}
    write_json(to / "provenance.json", {**found, **changed})
    return to


def test_online_a_run_tells_what_it_used_and_a_result_what_it_is_called(
    walk: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = online(monkeypatch)
    lineage = [
        {"where": "a", "direct": True, "wandb_artifact": "museum/butterflies/cutouts:v1"},
        {"where": "b", "direct": False, "wandb_artifact": "museum/butterflies/segmenter:v1"},
        {"where": "c", "direct": True},
    ]
    place = copied(walk["embed"], tmp_path / "r", lineage=lineage, scores={"l1": 0.5})
    told = Report({"count/ok": 3}, {}, Artifact("map", "map", [walk["embed"] / "map.parquet"]))
    report(WandbSettings(mode="online"), place, told)
    assert run.used == ["museum/butterflies/cutouts:v1"]
    (made, aliases), now = run.logged[0], read_provenance(place)
    assert (made.type, aliases) == ("map", ["latest", "0123abcd"])
    assert made.metadata["fingerprint"] == now["fingerprint"]
    assert now["wandb_artifact"] == "museum/butterflies/map:v3"
    assert (run.summary["l1"], run.summary["count/ok"]) == (0.5, 3)
    assert run.summary["seconds/projection"] >= 0


def test_what_wandb_does_not_take_is_said_and_nothing_is_lost(
    walk: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = online(monkeypatch)

    def refuse(*_: Any, **__: Any) -> Any:
        raise wandb.errors.CommError("the disk of W&B is full")

    monkeypatch.setattr(run, "log_artifact", refuse)
    place = copied(walk["embed"], tmp_path / "r")
    told = Report(artifact=Artifact("map", "map", [walk["embed"] / "map.parquet"]))
    report(WandbSettings(mode="online"), place, told)
    assert "did not take the artifact map (the disk of W&B is full)" in capsys.readouterr().out
    assert read_provenance(place)["status"] == "finished"


def test_without_a_key_online_is_refused_in_a_sentence(
    walk: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> Any:
        raise wandb.errors.UsageError("No API key configured. Use `wandb login` to log in.")

    monkeypatch.setattr(wandb, "init", refuse)
    place = copied(walk["embed"], tmp_path / "r")
    with pytest.raises(UserError, match=r"No API key configured.*logger\.mode=offline"):
        report(WandbSettings(mode="online"), place, Report())
    assert read_provenance(place) == read_provenance(tmp_path / "r")
