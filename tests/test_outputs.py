import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from butterflies.errors import UserError
from butterflies.tracking.outputs import output
from butterflies.tracking.provenance import fingerprint, hash_of, read_provenance


@dataclass
class Settings:
    perplexity: float = 30.0
    workers: int = 0
    out: str | None = None
    force: bool = False


def make(settings: Settings, text: str, stop: bool = False, **inputs: str) -> Path:
    with output("embed", settings, inputs, 1) as made:
        if not made.finished:
            with made.stage("write"):
                (made.folder / "result.txt").write_text(text)
            if stop:
                raise KeyboardInterrupt
    return made.place


def test_the_same_job_is_skipped_and_another_gets_its_own_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = make(Settings(), "first")
    again = make(Settings(workers=7), "again")
    other = make(Settings(perplexity=5), "other")
    changed = make(Settings(), "changed", photographs="changed")
    assert first == again
    assert len({first, other, changed}) == 3
    assert (first / "result.txt").read_text() == "first"
    assert f"Nothing changed: {first} is up to date" in capsys.readouterr().out


def test_a_stopped_job_goes_on_in_its_folder() -> None:
    with pytest.raises(KeyboardInterrupt):
        make(Settings(), "half", stop=True)
    half = next(Path("runs/embed").glob("*/provenance.json"))
    assert json.loads(half.read_text())["status"] == "running"
    assert make(Settings(), "whole") == half.parent
    found = read_provenance(half.parent)
    assert (found["status"], list(found["timings"])) == ("finished", ["write"])


def test_force_replaces_only_at_the_end() -> None:
    make(Settings(out="o"), "old")
    with pytest.raises(KeyboardInterrupt):
        make(Settings(out="o", force=True), "half", stop=True)
    assert Path("o/result.txt").read_text() == "old"
    make(Settings(out="o", force=True), "new")
    assert Path("o/result.txt").read_text() == "new"
    assert [p.name for p in Path().iterdir()] == ["o"]


def test_other_settings_replace_what_lies_at_out_only_at_the_end() -> None:
    make(Settings(out="o"), "old")
    with pytest.raises(KeyboardInterrupt):
        make(Settings(out="o", perplexity=5), "half", stop=True)
    assert Path("o/result.txt").read_text() == "old"
    make(Settings(out="o", perplexity=5), "new")
    assert Path("o/result.txt").read_text() == "new"


def test_somebody_elses_folder_is_never_touched() -> None:
    Path("o").mkdir()
    Path("o/thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="was not made by"):
        make(Settings(out="o", force=True), "new")
    assert Path("o/thesis.txt").read_text() == "precious"


def test_a_fingerprint_tells_settings_inputs_and_version_but_not_speed() -> None:
    base = fingerprint(Settings(), {"a": "1"}, 1)
    assert base == fingerprint(Settings(workers=3, out="x", force=True), {"a": "1"}, 1)
    changed = [
        fingerprint(Settings(perplexity=5), {"a": "1"}, 1),
        fingerprint(Settings(), {"a": "2"}, 1),
        fingerprint(Settings(), {"a": "1"}, 2),
    ]
    assert len({base, *changed}) == 4


def test_two_kinds_of_settings_with_the_same_values_differ() -> None:
    @dataclass
    class Other:
        perplexity: float = 30.0
        workers: int = 0
        out: str | None = None
        force: bool = False

    assert hash_of(Settings()) != hash_of(Other())


def test_provenance_names_versions_times_and_memory() -> None:
    found = read_provenance(make(Settings(), "x", photographs="abc"))
    assert found["inputs"] == {"photographs": "abc"}
    assert found["settings"]["perplexity"] == 30.0
    assert found["versions"]["python"].startswith("3.")
    assert found["peak_memory_mb"] > 10
    assert found["started"] <= found["finished"]
