import json
from pathlib import Path
from typing import Any

import pytest

from butterflies.__main__ import main
from butterflies.errors import UserError
from butterflies.tracking.fit import fit
from butterflies.tracking.listing import RunsSettings, small_is_good, table, trainings
from butterflies.tracking.logger import WandbSettings
from butterflies.tracking.settings import FitSettings
from tests.toy import Line, Points

METRICS = "step,val/l1,val/knn_genus,train/loss\n2,0.3,0.6,1\n4,0.1,,2\n6,0.2,0.9,3\n"


def training(name: str, day: int, csv: str | None = METRICS, **changed: Any) -> Path:
    place = Path("runs/train", name)
    place.mkdir(parents=True)
    told = {
        "job": "train",
        "status": "finished",
        "fingerprint": name,
        "started": f"2026-11-{day:02d}T10:20:30+00:00",
        "settings": {
            "model": {"class": "Autoencoder", "network": "article"},
            "monitor": "val/l1",
            "mode": "min",
        },
        "inputs": {"data": "0123456789abcdef"},
        "scores": {"val/l1": 0.1, "test/l1": 0.15},
        **changed,
    }
    (place / "provenance.json").write_text(json.dumps(told))
    (place / "best.ckpt").touch()
    if csv is not None:
        (place / "metrics.csv").write_text(csv)
    return place


def names(**settings: Any) -> list[str]:
    return [one.folder.name for one in trainings(RunsSettings(**settings))[0]]


def test_the_newest_training_comes_first() -> None:
    for day, name in ((2, "b"), (3, "a"), (1, "c")):
        training(name, day)
    assert names() == ["a", "b", "c"]


def test_a_metric_orders_the_best_first_and_who_lacks_it_last() -> None:
    for name, l1 in (("middle", 0.2), ("best", 0.1), ("worst", 0.3)):
        training(name, 1, scores={"test/l1": l1, "test/knn_genus": l1})
    training("none", 9, scores={})
    assert names(sort="test/l1") == ["best", "middle", "worst", "none"]
    assert names(sort="test/knn_genus") == ["worst", "middle", "best", "none"]


def test_metrics_are_those_of_the_best_checkpoint() -> None:
    training("a", 1, scores={"test/l1": 0.15})
    (one,) = trainings(RunsSettings())[0]
    assert one.metrics == {"val/l1": 0.1, "val/knn_genus": 0.6, "test/l1": 0.15}


def test_a_training_that_is_not_finished_is_shown_as_such() -> None:
    place = training("a", 1, status="running")
    (place / "best.ckpt").rename(place / "last.ckpt")
    training("b", 2, csv=None, status="running", scores={})
    found, broken = trainings(RunsSettings())
    lines = table(found).splitlines()
    assert ["unfinished" in line for line in lines] == [False, True, True]
    assert lines[2].split()[-1] == str(place / "last.ckpt")
    assert not broken


def test_broken_folders_never_stop_the_listing(capsys: pytest.CaptureFixture[str]) -> None:
    training("good", 1)
    (training("cut-short", 2) / "provenance.json").write_text('{"job": "tra')
    (training("a-list", 3) / "provenance.json").write_text("[]")
    training("no-model", 4, settings={})
    training("odd-scores", 5, scores=["0.5"])
    training("odd-csv", 6, csv="step,val/l1\n1,much,too,many\n")
    training("embedding", 7, job="embed")
    Path("runs/train/empty").mkdir()
    found, broken = trainings(RunsSettings())
    assert [one.folder.name for one in found] == ["odd-csv", "good"]
    wanted = {"cut-short", "a-list", "no-model", "odd-scores"}
    assert {place.name for place in broken} == wanted
    main(["runs"])
    said = capsys.readouterr().out
    assert "Not shown, their provenance.json is broken: runs/train/a-list" in said


def test_the_table_has_a_column_for_what_a_run_has(capsys: pytest.CaptureFixture[str]) -> None:
    place = training("a", 1)
    main(["runs", "sort=test/l1"])
    header, line = capsys.readouterr().out.splitlines()
    assert header.split() == [
        *("run", "started", "model", "data"),
        *("test/l1", "val/l1", "val/knn_genus", "checkpoint"),
    ]
    assert line.split() == [
        *("a", "2026-11-01", "10:20", "Autoencoder", "article", "01234567"),
        *("0.1500", "0.1000", "0.6000", f"{place}/best.ckpt"),
    ]
    assert line.index("0.1500") == header.index("test/l1")


def test_what_fit_leaves_is_listed() -> None:
    options = {"max_epochs": 2, "log_every_n_steps": 1, "accelerator": "cpu"}
    off = WandbSettings(mode="disabled")
    place, scores = fit(FitSettings(Line, Points(), "val/error", "min", options, off))
    (one,) = trainings(RunsSettings())[0]
    assert (one.folder, one.model, one.data) == (place, "Line", "points-8")
    assert one.metrics == scores
    assert one.checkpoint == place / "best.ckpt"


def test_a_deep_or_hidden_folder_is_left_alone() -> None:
    training("a", 1).rename("runs/train/.a.new")
    deep = Path("runs/1/2/3/4/5")
    deep.mkdir(parents=True)
    training("b", 1).rename(deep / "b")
    assert names() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"folder": "nowhere"}, "no folder nowhere"),
        ({"sort": "test/l2"}, "test/l2; there are: test/l1, val/knn_genus, val/l1"),
    ],
)
def test_what_cannot_be_listed_is_told(given: dict[str, str], said: str) -> None:
    training("a", 1)
    with pytest.raises(UserError, match=said):
        trainings(RunsSettings(**given))


def test_no_training_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs").mkdir()
    main(["runs"])
    assert capsys.readouterr().out == "There is no training below runs.\n"


@pytest.mark.parametrize(
    ("metric", "small"),
    [("val/l1", True), ("train/loss", True), ("val/recon_error", True), ("val/psnr", False)],
)
def test_errors_are_good_when_small(metric: str, small: bool) -> None:
    assert small_is_good(metric) is small
