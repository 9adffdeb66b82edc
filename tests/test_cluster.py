"""Work on a Dask cluster: the same bytes, and nothing lost with a worker."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from distributed import LocalCluster

from butterflies.__main__ import main
from butterflies.compute import ComputeSettings, computing, each
from butterflies.encoding.autoencoder import Autoencoder
from butterflies.encoding.codes import BATCH, encode
from butterflies.errors import UserError
from butterflies.rendering.render import run
from tests.test_render import embedded, files, settings

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0
    ) as running:
        yield running


@pytest.fixture(scope="module")
def address(cluster: LocalCluster) -> str:
    return str(cluster.scheduler_address)


def on(address: str) -> Any:
    return computing(ComputeSettings("dask", address))


def test_a_cluster_renders_the_same_bytes(tmp_path: Path, address: str) -> None:
    run_folder = embedded(tmp_path)
    here = run(settings(run_folder, out="here"))
    with on(address):
        there = run(settings(run_folder, out="there"))
    assert files(here / "site") == files(there / "site")


def test_paths_may_be_relative(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The workers of a cluster run in other folders."""
    embedded(tmp_path)
    words = ["map=embedding", "collection=collection", "out=out", "picture_px=32", "tile_px=128"]
    main(["render", *words, "crisp=false", "compute=dask", f"compute.address={address}"])
    assert Path("out/site/map.json").is_file()
    capsys.readouterr()
    main(["render", *words, "crisp=false"])
    assert "Nothing changed" in capsys.readouterr().out


def _slow(folder: Path, number: int) -> int:
    (folder / f"{number}-{os.getpid()}").touch()
    time.sleep(0.3)
    return number * number


def test_a_worker_killed_midway_loses_nothing(tmp_path: Path, address: str) -> None:
    def kill() -> None:
        while not any(tmp_path.iterdir()):
            time.sleep(0.01)
        os.kill(int(next(tmp_path.iterdir()).name.split("-")[1]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with on(address):
        found = each(partial(_slow, tmp_path), range(8), "squares")
    killer.join()
    assert found == [number * number for number in range(8)]
    assert len(list(tmp_path.iterdir())) > 8


def test_renderings_and_workers_killed_at_random_moments_leave_the_same_bytes(
    tmp_path: Path, cluster: LocalCluster, address: str
) -> None:
    run_folder = embedded(tmp_path)
    words = [f"map={run_folder}", "picture_px=64", "tile_px=128", "block_px=256", "format=png"]
    main(["render", *words, "out=here"])
    words += ["out=there", "compute=dask", f"compute.address={address}"]
    moments = np.random.default_rng(7).uniform(0, 1.5, 3)
    killed = 0
    for moment in moments:
        with subprocess.Popen([sys.executable, "-m", "butterflies", "render", *words]) as running:
            while not list(tmp_path.rglob("*there*/work")) and running.poll() is None:
                time.sleep(0.01)
            time.sleep(moment)
            worker = next(iter(cluster.workers.values())).pid
            if worker:  # None while the one killed before is being replaced
                os.kill(worker, signal.SIGKILL)
            running.kill()
            killed += running.wait() == -signal.SIGKILL
    assert killed > 1
    main(["render", *words])
    assert files(tmp_path / "here" / "site") == files(tmp_path / "there" / "site")


def test_codes_of_a_cluster_are_those_of_this_process(tmp_path: Path, address: str) -> None:
    rng = np.random.default_rng(0)
    pictures: Any = np.lib.format.open_memmap(
        tmp_path / "pictures.npy", "w+", np.uint8, (BATCH + 9, 4, 128, 128)
    )
    pictures[:] = rng.integers(0, 255, pictures.shape, np.uint8)
    pictures.flush()
    torch.manual_seed(0)
    model = Autoencoder(latent_dim=8).eval()
    rows = np.arange(3, BATCH + 9)
    here = encode(model, np.asarray(pictures), rows)
    with on(address):
        there = encode(model, pictures, rows)
    for ours, theirs in zip(here, there, strict=True):
        assert np.abs(ours - theirs).max() < 1e-5


def _fails(number: int) -> int:
    raise OSError(28, "No space left on device", f"/somewhere/{number}")


def test_a_full_disk_there_is_told_here(address: str) -> None:
    with on(address), pytest.raises(OSError, match="No space left") as caught:
        each(_fails, range(4), "failing")
    assert (caught.value.errno, caught.value.filename) == (28, "/somewhere/0")


def test_no_scheduler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("butterflies.cluster.PATIENCE_S", 1)
    with (
        on("tcp://127.0.0.1:9"),
        pytest.raises(UserError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9"),
    ):
        each(abs, range(4), "nothing")


def test_an_address_that_is_none_is_said() -> None:
    with on("nonsense://x"), pytest.raises(UserError, match="No Dask scheduler answers"):
        each(abs, range(4), "nothing")


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with on("tcp://127.0.0.1:9"), pytest.raises(UserError, match="pip install"):
        each(abs, range(4), "nothing")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["compute=dask"], "compute=dask needs compute.address=tcp://"),
        (["compute.kind=slurm"], "compute.kind=slurm is none of local, dask"),
        (["compute=spark"], "there is no compute=spark"),
    ],
)
def test_wrong_settings_are_said(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["render", "map=nowhere", *words])
    assert sentence in capsys.readouterr().err
