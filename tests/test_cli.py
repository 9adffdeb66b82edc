import subprocess
import sys
from pathlib import Path

import pytest

from butterflies.__main__ import JOBS, main
from butterflies.collection.folder import FolderSettings
from butterflies.jobs.collect import SOURCES
from butterflies.tracking.provenance import PATH_KEYS
from butterflies.tracking.quoting import quoted
from tests.test_folder import photograph

ROOT = Path(__file__).parent.parent
ODD = ["a b", "x,y", "k=v", "(p)", "é", "[z]", "{k: v}", "it's", "back\\slash", "${a}", "~"]


def stopped(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(stop.value.code or 0)


def test_alone_it_lists_every_job_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(JOBS)
    assert all(len(line.split()) > 4 for line in lines[2:])


@pytest.mark.parametrize("job", JOBS)
def test_each_job_has_a_manual_with_its_command(
    job: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([job, "--help"])
    said = capsys.readouterr().out
    assert f"butterflies {job}" in said or f"python {job}.py" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("colect",), "there is no job 'colect'"),
        (("collect", "photos=p"), "collection=... is missing"),
        (("collect", "fotos=p"), "fotos"),
        (("collect", "workers=many"), "could not be converted to Integer"),
        (("collect", "workers=["), "[Ss]ee|viable"),
        (("train",), "experiment=segmenter or experiment=autoencoder"),
        (("train", "experiment=segmentor"), "segmentor"),
        (("embed", "projection=tsnee"), "tsnee"),
        (("embed", "projection=null"), "projection=null chooses no projection: give one of pca,"),
        (("embed", "projection=3"), "projection=3 chooses no projection: give one of pca,"),
        (("embed", "~projection"), "~projection chooses no projection: give one of pca,"),
        (("train", "-m", "experiment=autoencoder", "model=vae,null"), "chooses no model: give one"),
        (("render",), "map=RUN, or autoencoder=CHECKPOINT"),
    ],
)
def test_a_bad_command_line_is_one_sentence_and_status_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stopped(*words) == 2
    error = capsys.readouterr().err
    assert any(part in error for part in said.split("|"))
    assert "Traceback" not in error


def test_a_bad_input_is_one_sentence_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert stopped("collect", "photos=nowhere", "collection=c") == 1
    found = capsys.readouterr().err
    assert found == (
        "butterflies: photos=nowhere: there is no such folder; photographs are expected there.\n"
    )


@pytest.mark.parametrize("value", ODD)
def test_paths_reach_the_job_as_they_were_typed(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[FolderSettings] = []

    def take(settings: FolderSettings) -> Path:
        given.append(settings)
        return Path(settings.collection)

    monkeypatch.setitem(SOURCES, "folder", (FolderSettings, take))
    main(["collect", f"photos={value}", f"collection=c/{value}/", f"records='{value}'"])
    assert given[0].collection == f"c/{value}/"
    assert given[0].photos == str(Path(value).expanduser())
    assert given[0].records == str(Path(value).expanduser())


def test_every_path_setting_is_quoted() -> None:
    for key in PATH_KEYS:
        assert quoted([f"{key}=a b"]) == [f"{key}='a b'"]
    assert quoted(["-m", "collection=a,b"]) == ["-m", "collection=a,b"]
    assert quoted(["masks=null", "seed=1"]) == ["masks=null", "seed=1"]


def test_a_photograph_folder_becomes_a_collection(capsys: pytest.CaptureFixture[str]) -> None:
    photograph(Path("p/a.png"))
    main(["collect", "photos=p", "collection=c", "workers=1"])
    said = capsys.readouterr().out
    assert "c: 1 ok." in said
    assert "Next: butterflies cutout collection=c segmenter=contrast" in said


def test_the_wheel_brings_its_configuration(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    (tmp_path / "empty").mkdir()
    installed, source = tmp_path / "installed", tmp_path / "source"
    subprocess.run(
        ["git", "-C", str(ROOT), "checkout-index", "--all", f"--prefix={source}/"], check=True
    )
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-build-isolation", "--target", installed, source],
        check=True,
    )
    run = subprocess.run(
        [sys.executable, "-m", "butterflies", "demo", "--cfg", "job"],
        cwd=tmp_path / "empty",
        env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "out: demo" in run.stdout.splitlines()
    assert not list((tmp_path / "empty").iterdir())
    for mine, theirs in (("butterflies", "butterflies"), ("conf", "butterflies/conf")):
        wanted = {p.relative_to(source / mine) for p in (source / mine).rglob("*.*")}
        assert not [p for p in wanted if not (installed / theirs / p).is_file()]
