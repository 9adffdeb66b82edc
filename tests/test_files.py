import json
import multiprocessing
import os
import socket
from pathlib import Path

import pytest

from butterflies.errors import UserError
from butterflies.files import lock, swap_in, write_text, writing


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail() -> None:
        with writing(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_swapping_in_replaces_the_whole_folder(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").touch()
    swap_in(tmp_path / "new", tmp_path / "old")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["new.txt", "old"]


def _try_to_lock(path: Path, answer: "multiprocessing.Queue[str]") -> None:
    try:
        with lock(path):
            answer.put("taken")
    except UserError as error:
        answer.put(str(error))


def test_a_second_process_is_told_who_holds_the_output(tmp_path: Path) -> None:
    answer: multiprocessing.Queue[str] = multiprocessing.get_context("spawn").Queue()
    other = multiprocessing.get_context("spawn").Process(
        target=_try_to_lock, args=(tmp_path / "run", answer)
    )
    with lock(tmp_path / "run"):
        other.start()
        said = answer.get(timeout=60)
        other.join()
    assert f"process {os.getpid()} on {socket.gethostname()}" in said


@pytest.mark.parametrize("left", ["", "garbage", json.dumps({"pid": 2**22 + 1, "host": None})])
def test_a_lock_that_a_dead_process_left_is_taken_over(tmp_path: Path, left: str) -> None:
    left = left.replace("null", json.dumps(socket.gethostname()))
    (tmp_path / ".run.lock").write_text(left)
    with lock(tmp_path / "run"):
        assert json.loads((tmp_path / ".run.lock").read_text())["pid"] == os.getpid()
    assert not (tmp_path / ".run.lock").exists()
