"""The whole way on drawn specimens, a floor under its quality, and the README's commands on it."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from butterflies.__main__ import main
from butterflies.demo import DemoSettings, run
from butterflies.tracking.provenance import read_provenance
from tests.test_readme import LONG, commands, words_of

RUNS = ("segmenter", "autoencoder", "embedding", "map", "collection/cutouts")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, walked once: nothing takes longer, so that all tests of it are in this file."""
    place = tmp_path_factory.mktemp("demo")
    run(DemoSettings(str(place), specimens=300, segmenter_epochs=26, autoencoder_epochs=45))
    return place


def test_the_quality_has_a_floor(demo: Path) -> None:
    found = json.loads((demo / "quality.json").read_text())
    assert found["iou"] >= 0.90
    assert found["l1"] <= found["pca_l1"]
    assert found["knn"] >= 3 * found["chance"]


def test_every_step_leaves_its_provenance(demo: Path) -> None:
    marks = {}
    for name in RUNS:
        found = read_provenance(demo / name)
        assert found["status"] == "finished"
        assert found["inputs"]
        marks[name] = found["fingerprint"]
    assert read_provenance(demo / "map")["inputs"]["embedding"] == marks["embedding"]


def test_every_table_has_every_photograph_once(demo: Path) -> None:
    ids = pq.read_table(demo / "collection" / "records.parquet")["assetID"].to_pylist()
    for name in (
        "collection/cutouts",
        "embedding/codes",
        "embedding/neighbours",
        "embedding/map",
        "map/places",
    ):
        assert pq.read_table(demo / f"{name}.parquet")["assetID"].to_pylist() == ids


def test_odd_paths_work_on_the_whole_way(demo: Path) -> None:
    odd = Path("it's é, (a)=b [c] {d} ~")
    photos = sorted((demo / "drawn" / "photos").glob("*.jpg"))[:12]
    (odd / "photographs").mkdir(parents=True)
    for photo in photos:
        shutil.copy(photo, odd / "photographs")
    shutil.copy(demo / "autoencoder" / "best.ckpt", odd / "b=1, c.ckpt")
    collection = f"collection={odd}/the collection"
    main(["collect", f"photos={odd}/photographs", collection, "workers=1"])
    main(["cutout", collection, f"segmenter={demo}/segmenter/best.ckpt", "workers=1"])
    out, checkpoint = f"out={odd}/em,bedding", f"autoencoder={odd}/b=1, c.ckpt"
    main(["embed", collection, checkpoint, out, "projection=pca"])
    main(["render", f"map={odd}/em,bedding", f"out={odd}/rendered (1)", "workers=1"])
    assert (odd / "rendered (1)" / "site" / "map.json").is_file()


def test_the_short_commands_run_as_written(demo: Path, tmp_path: Path) -> None:
    """In the README's order, on some of the demo's photographs and with its checkpoints."""
    for photo in sorted((demo / "drawn" / "photos").iterdir())[:80]:
        mask = demo / "drawn" / "masks" / f"{photo.stem}.png"
        for folder, file in (("photographs", photo), ("masks", mask)):
            Path(folder).mkdir(exist_ok=True)
            shutil.copy(file, folder)
    shutil.copy(demo / "drawn" / "records.csv", "records.csv")
    for name in ("segmenter", "autoencoder"):
        Path("runs", name).mkdir(parents=True)
        shutil.copy(demo / name / "best.ckpt", Path("runs", name))
    for command in commands():
        words = words_of(command) if not LONG.search(command) else None
        if words and words[0] == "serve":
            _serves(words)
        elif words is not None:
            main(words)
    assert Path("runs/again/site/map.json").is_file()
    assert Path("runs/rendered/plots/spread.webp").is_file()


def _serves(words: list[str]) -> None:
    """Starts the server, fetches the page, and stops it with Ctrl-C."""
    line = [sys.executable, "-m", "butterflies", *words, "port=0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert address, said
        page = urllib.request.urlopen(address[0], timeout=30).read()
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
    assert b"leaflet" in page.lower()
