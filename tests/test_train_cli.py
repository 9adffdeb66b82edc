"""What makes no sense on the command line of a training is told in a sentence."""

from pathlib import Path

import pytest

from butterflies.__main__ import main
from tests.cutout_sets import blob, write_cutouts
from tests.specimens import masked_collection

QUIET = ("trainer.accelerator=cpu", "trainer.log_every_n_steps=1", "logger=none")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection `c` of cut-outs and a collection `m` of masks."""
    folder = tmp_path_factory.mktemp("collections")
    write_cutouts(folder / "c", {f"b{n:03d}": blob(n, 32) for n in range(30)})
    masked_collection(folder / "m", 12, (24, 32))
    (folder / "note.txt").write_text("not a run")
    return folder


def said(
    words: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit status and sentence of a training that stops."""
    with pytest.raises(SystemExit) as stop:
        main(["train", *(word.format(place=place) for word in words)])
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.startswith("butterflies: ")
    assert error.count("\n") == 1
    return int(stop.value.code or 0), error


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("model.latent_dim=0", 1, "model.latent_dim is 0: give at least 1."),
        ("model.latent_dim=abc", 2, "model.latent_dim=abc: give a whole number."),
        ("model.lr=-1", 1, "model.lr=-1: give a number above 0"),
        ("model.lr=abc", 2, "model.lr=abc: give a number."),
        ("model=resnet", 2, "there is no model=resnet; choose one of article, autoencoder, "),
        ("model=segmenter", 2, "model=segmenter does not learn from data=autoencoder"),
        ("collection={place}/m", 1, "cutouts.parquet does not exist: `butterflies cutout`"),
        ("collection=nowhere", 1, "cutouts.parquet does not exist: `butterflies cutout`"),
        ("++data.batch_size=0", 1, "data.batch_size is 0: give at least 1."),
        ("data.split=none", 2, "data.split=none: give specimen or all."),
        ("max_epochs=0", 1, "max_epochs=0: give at least 1"),
        ("max_epochs=-3", 1, "max_epochs=-3: give at least 1"),
        ("patience=abc", 1, "patience=abc: give a number from 1 on."),
        ("seed=abc", 2, "seed=abc: give a whole number."),
        ("seed=-1", 1, "seed=-1: give a whole number from 0 on."),
        ("mode=most", 1, "mode=most: give min or max"),
        ("trainer.precision=foo", 1, "Precision 'foo' is invalid. Allowed precision values"),
        ("trainer.gradient_clip_val=-1", 1, "gradient_clip_val=-1: give a number from 0 on."),
        ("trainer.num_nodes=2", 1, "on several nodes, or started by torchrun or srun, needs out="),
        ("trainer.strategy=ddp_spawn", 1, "share no command line: give ddp."),
        ("trainer=large", 2, "there is no trainer=large; choose one of debug, default."),
        ("+trainer.val_check_interval=99", 1, "(99) must be less than or equal to the number"),
        ("monitor=val/nothing", 1, "monitor=val/nothing: there is no such metric; choose one of"),
        ("ckpt_path=nowhere.ckpt", 1, "ckpt_path=nowhere.ckpt: there is no such file"),
        ("ckpt_path={place}/note.txt", 1, "note.txt is no checkpoint: give the last.ckpt"),
        ("out={place}/note.txt", 1, "note.txt is a file: give out= a folder."),
        ("out={place}/note.txt/run", 1, "note.txt/run cannot be written"),
        ("out=/proc/run", 1, "/proc/run cannot be written"),
    ],
)
def test_an_autoencoder_that_makes_no_sense_is_told(
    words: str, status: int, sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("experiment=autoencoder", "collection={place}/c", "model.width=4", *QUIET)
    code, error = said((*given, words), place, capsys)
    assert sentence in error
    assert code == status


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ("collection={place}/c", 1, "records.parquet does not exist: `butterflies collect`"),
        ("masks=chance", 2, "masks=chance: give hand or contrast or both."),
        ("data.batch_size=0", 1, "data.batch_size is 0: give at least 1."),
        ("data.workers=-1", 1, "data.workers is -1: give 0 or more."),
        ("model.width=0", 1, "model.width is 0: give at least 1."),
        ("model=autoencoder", 2, "model=autoencoder does not learn from data=segmenter"),
    ],
)
def test_a_segmenter_that_makes_no_sense_is_told(
    words: str, status: int, sentence: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("experiment=segmenter", "collection={place}/m", *QUIET, words)
    code, error = said(given, place, capsys)
    assert sentence in error
    assert code == status


def test_a_sweep_takes_one_device_a_job(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-m", "experiment=autoencoder", f"collection={place}/c", *QUIET]
    with pytest.raises(SystemExit) as stop:
        main(["train", *words, "trainer.devices=2", "seed=0,1"])
    assert stop.value.code == 2
    assert "A sweep (-m) trains with trainer.devices=1" in capsys.readouterr().err
    assert not list(Path("runs/train").glob("*"))


def test_a_full_disk_is_told_with_what_goes_on(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "runs/last.ckpt")

    monkeypatch.setattr("butterflies.tracking.resuming.write_bytes", full)
    words = ("experiment=autoencoder", "collection={place}/c", "model.width=4", *QUIET)
    code, error = said((*words, "trainer=debug"), place, capsys)
    assert code == 1
    assert "No space left on device: runs/last.ckpt. With more space the same command" in error
