"""The whole way on drawn specimens, and a floor under its quality."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from butterflies.__main__ import main
from butterflies.tracking.provenance import read_provenance

RUNS = ("segmenter", "autoencoder", "embedding", "map", "collection/cutouts")


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
    photos = sorted((demo / "drawn" / "photos").glob("*.jpg"))[:40]
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


@pytest.mark.parametrize("experiment", ["segmenter", "autoencoder"])
def test_a_sweep_makes_one_wandb_run_per_job(demo: Path, experiment: str) -> None:
    main(
        [
            "train",
            "-m",
            f"experiment={experiment}",
            f"collection={demo / 'collection'}",
            "trainer=debug",
            "model.lr=1e-3,1e-4",
        ]
    )
    runs = sorted(Path("runs/train").iterdir())
    assert len(runs) == 2
    ids = {read_provenance(run)["wandb_id"] for run in runs}
    folders = [next((run / "wandb").glob("offline-run-*")).name for run in runs]
    assert {name.rsplit("-", 1)[1] for name in folders} == ids
    assert len(ids) == 2
    configs = [(run / "config.yaml").read_text() for run in runs]
    assert ["lr: 0.001" in configs[0], "lr: 0.0001" in configs[1]] == [True, True]
    assert all((run / "metrics.csv").is_file() for run in runs)
