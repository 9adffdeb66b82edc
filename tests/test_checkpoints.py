"""Checkpoint arguments: paths, and artifacts of W&B that a stand-in hands out."""

from pathlib import Path
from typing import Any

import pytest
import wandb

from butterflies.__main__ import main
from butterflies.errors import UserError
from butterflies.tracking.artifacts import checkpoint
from butterflies.tracking.provenance import lineage, read_provenance

NAME = "wandb:museum/butterflies/autoencoder"


class Found:
    """An artifact as W&B's API gives it."""

    qualified_name = "museum/butterflies/autoencoder:v3"

    def __init__(self, version: str = "v3", files: tuple[str, ...] = ("best.ckpt",)) -> None:
        self.version, self.files, self.downloads = version, files, 0
        self.metadata = {"job": "train", "fingerprint": "f" * 16, "wandb_id": "0a", "mine": 1}

    def download(self, root: str, skip_cache: bool) -> str:
        self.downloads += 1
        for name in self.files:
            Path(root).mkdir(parents=True, exist_ok=True)
            Path(root, name).write_text(self.version)
        return root


class Api:
    """Stands in for W&B; `asked` is what it was asked for."""

    def __init__(self, found: Any) -> None:
        self.found, self.asked = found, []  # type: ignore[var-annotated]

    def artifact(self, name: str) -> Any:
        self.asked.append(name)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def served(monkeypatch: pytest.MonkeyPatch, found: Any) -> Api:
    api = Api(found)
    monkeypatch.setattr(wandb, "Api", lambda: api)
    return api


def test_a_path_is_a_path() -> None:
    assert checkpoint("runs/a b/best.ckpt") == Path("runs/a b/best.ckpt")
    assert checkpoint("contrast") == Path("contrast")


def test_an_artifact_is_fetched_once_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    api = served(monkeypatch, Found())
    first = checkpoint(f"{NAME}:latest")
    assert first == Path("runs/fetched/museum/butterflies/autoencoder-v3/best.ckpt")
    assert checkpoint(f"{NAME}:latest") == checkpoint(f"{NAME}:v3") == first
    assert (api.asked, api.found.downloads) == (["museum/butterflies/autoencoder:latest"] * 2, 1)
    newer = served(monkeypatch, Found("v4"))
    assert checkpoint(f"{NAME}:latest").read_text() == "v4"
    assert newer.found.downloads == 1
    assert first.read_text() == "v3"


def test_what_was_fetched_keeps_its_ancestry(monkeypatch: pytest.MonkeyPatch) -> None:
    served(monkeypatch, Found())
    fetched = checkpoint(f"{NAME}:v3")
    known = read_provenance(fetched.parent)
    assert known == {
        "status": "finished",
        "job": "train",
        "fingerprint": "f" * 16,
        "wandb_id": "0a",
        "wandb_artifact": "museum/butterflies/autoencoder:v3",
    }
    assert lineage([fetched])[0]["wandb_artifact"] == "museum/butterflies/autoencoder:v3"


@pytest.mark.parametrize("wrong", ["wandb:", "wandb:autoencoder", f"{NAME}", "wandb:a/../b/c:d"])
def test_what_names_no_artifact_is_told_the_form(wrong: str) -> None:
    with pytest.raises(UserError, match="wandb:entity/project/name:alias is expected"):
        checkpoint(wrong)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (wandb.errors.UsageError("No authentication configured. Use `wandb login`"), "No auth"),
        (wandb.errors.CommError("artifact 'autoencoder:v9' not found\nmore"), "v9' not found"),
        (ConnectionError("Network is unreachable"), "Network is unreachable"),
        (ValueError(), "ValueError"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(monkeypatch, error)
    with pytest.raises(UserError, match=rf"v9 cannot be fetched \(.*{said}") as refused:
        checkpoint(f"{NAME}:v9")
    assert "\n" not in str(refused.value)
    assert not Path("runs").exists()


def test_a_download_that_breaks_off_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found()
    whole = found.download

    def broken(root: str, skip_cache: bool) -> str:
        whole(root, skip_cache)
        raise OSError("the line is dead")

    monkeypatch.setattr(found, "download", broken)
    served(monkeypatch, found)
    with pytest.raises(UserError, match="the line is dead"):
        checkpoint(f"{NAME}:v3")
    monkeypatch.setattr(found, "download", whole)
    assert checkpoint(f"{NAME}:v3").read_text() == "v3"


@pytest.mark.parametrize("files", [("map.parquet",), ("a.ckpt", "b.ckpt")])
def test_an_artifact_without_the_checkpoint_is_refused(
    files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    served(monkeypatch, Found(files=files))
    held = rf"{len(files) - files.count('map.parquet')} checkpoints \(it holds {', '.join(files)}"
    with pytest.raises(UserError, match=held):
        checkpoint(f"{NAME}:v3")


@pytest.mark.parametrize(
    "words",
    [
        ("embed", "autoencoder="),
        ("cutout", "segmenter="),
        ("annotate", "open=false", "segmenter="),
        ("render", "autoencoder="),
    ],
)
def test_every_job_takes_an_artifact(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    api = served(monkeypatch, wandb.errors.CommError("no such artifact"))
    with pytest.raises(SystemExit) as stop:
        main([*words[:-1], f"{words[-1]}{NAME}:best", "collection=c"])
    assert stop.value.code == 1
    assert api.asked == ["museum/butterflies/autoencoder:best"]
    assert "best cannot be fetched (no such artifact)" in capsys.readouterr().err
