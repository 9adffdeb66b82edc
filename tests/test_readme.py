"""What the README says: its commands exist, its files are there; test_demo runs the short ones."""

import re
import shlex
from pathlib import Path

import pytest

from butterflies.__main__ import JOBS, main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LONG = re.compile(r"#\s*(over 60 s|needs the network)")


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def words_of(command: str) -> list[str] | None:
    """The words behind `butterflies`, or None for a command of another program."""
    words = shlex.split(command, comments=True)
    if words[0] == "butterflies":
        return words[1:]
    if words[0] == "python" and words[1].removesuffix(".py") in JOBS:
        assert (ROOT / words[1]).is_file()
        return [words[1].removesuffix(".py"), *words[2:]]
    return None


def test_the_readme_is_short_and_names_both_commands() -> None:
    assert len(README.splitlines()) <= 200
    assert {"make demo", "make test"} <= {line.split("#")[0].strip() for line in commands()}


def test_every_file_that_the_readme_names_is_there() -> None:
    for name in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / name).is_file(), name
    assert (ROOT / "docs" / "map.jpg").stat().st_size < 300_000


@pytest.mark.parametrize("command", [c for c in commands() if LONG.search(c)])
def test_a_long_command_is_one_that_exists(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = words_of(command)
    if words is None:
        program = shlex.split(command)[:2]
        assert program in (["make", "demo"], ["make", "test"], ["wandb", "sync"])
        return
    main([words[0], "--cfg", "job", *_single(words[1:])])
    assert "collection: data/" in capsys.readouterr().out


def _single(words: list[str]) -> list[str]:
    """One point of a sweep: `--cfg job` shows a single job's configuration."""
    return [w.split(",")[0] for w in words if w != "-m"]
