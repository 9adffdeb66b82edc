import hashlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from butterflies.collection.records import read_records, write_records
from butterflies.errors import UserError
from butterflies.scores.masks import iou
from butterflies.segmentation import store
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.framing import Frame
from butterflies.segmentation.segmenter import Segmenter
from butterflies.segmentation.store import CutoutStore, read_cutouts
from butterflies.tables import ok_rows
from tests.specimens import Mask, Pixels, collection, photograph, wings


def settings(folder: Path, segmenter: str = "contrast", **changes: Any) -> CutoutSettings:
    return CutoutSettings(str(folder), segmenter, **{"workers": 1, **changes})


def simple(folder: Path, count: int = 3, size: tuple[int, int] = (120, 160)) -> Path:
    return collection(
        folder, {f"a{n:03d}": photograph(wings(size[0], size[1], n), n) for n in range(count)}
    )


def rgba(mask: Mask, colour: int = 200) -> Pixels:
    pixels = np.full((*mask.shape, 4), colour, np.uint8)
    pixels[..., 3] = mask * 255
    return pixels


def contents(folder: Path) -> dict[str, str]:
    """Digest of every file of the cut-outs but the provenance."""
    files = [*folder.glob("cutouts/*"), folder / "cutouts.parquet"]
    return {
        f.name: hashlib.sha256(f.read_bytes()).hexdigest()
        for f in files
        if f.name != "provenance.json"
    }


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of two photographs, in this process."""
    monkeypatch.setattr("butterflies.segmentation.cutouts.PART", 2)


@pytest.mark.parametrize("size", [(120, 160), (600, 800)])
def test_the_centre_leads_back_to_the_photograph(tmp_path: Path, size: tuple[int, int]) -> None:
    run(settings(simple(tmp_path / "c", 1, size), upright=False))
    cutouts = CutoutStore(tmp_path / "c")
    row, picture = ok_rows(cutouts.table)[0], cutouts.image("a000")
    truth = wings(*size, seed=0)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    side = picture.shape[0]
    across = (x + 0.5 - side / 2) / row["scale"] + row["centre_x"]
    down = (y + 0.5 - side / 2) / row["scale"] + row["centre_y"]
    inside = (across >= 0) & (across < size[1]) & (down >= 0) & (down < size[0])
    seen = truth[down.astype(int).clip(0, size[0] - 1), across.astype(int).clip(0, size[1] - 1)]
    assert iou(picture[..., 3] > 127, seen & inside) > 0.95


@pytest.mark.parametrize(("size", "side"), [((120, 160), None), ((600, 800), 256)])
def test_cutouts_are_square_with_a_margin(
    tmp_path: Path, size: tuple[int, int], side: int | None
) -> None:
    run(settings(simple(tmp_path / "c", 1, size), upright=False))
    cutouts = CutoutStore(tmp_path / "c")
    row, alpha = ok_rows(cutouts.table)[0], cutouts.image("a000")[..., 3]
    longer = max(row["box_w"], row["box_h"])
    assert alpha.shape[0] == alpha.shape[1] == (side or np.ceil(longer / 0.92))
    used = np.flatnonzero((alpha > 127).any(axis=0))
    assert (used[-1] + 1 - used[0]) / alpha.shape[1] == pytest.approx(0.92, abs=0.02)
    assert not alpha[0].any()
    assert set(np.unique(alpha)) - {0, 255}, "the edge is soft"


def test_one_row_for_every_photograph(tmp_path: Path) -> None:
    pictures = {"good": photograph(wings()), "empty": np.full((96, 128, 3), 240, np.uint8)}
    pictures["noisy"] = photograph(wings(), grain=30)
    folder = collection(tmp_path / "c", {**pictures, "gone": pictures["good"]})
    records = read_records(folder).to_pylist()
    bad = {"assetID": "never", "status": "unreadable", "reason": "It is not a picture."}
    write_records(
        folder, read_records(folder).from_pylist([*records, bad], read_records(folder).schema)
    )
    (folder / "photos/gone.png").unlink()
    run(settings(folder))
    rows = {row["assetID"]: row for row in read_cutouts(folder).to_pylist()}
    found = {asset_id: row["status"] for asset_id, row in rows.items()}
    assert found == {
        "good": "ok",
        "empty": "refused",
        "noisy": "refused",
        "gone": "missing",
        "never": "unreadable",
    }
    assert rows["never"]["reason"] == "It is not a picture."
    assert rows["noisy"]["box_x"] is None
    assert all(row["reason"] for row in rows.values() if row["status"] != "ok")


def test_no_specimen_is_recorded(tmp_path: Path) -> None:
    folder = collection(tmp_path / "c", {"a": rgba(np.zeros((60, 80), dtype=bool))})
    run(settings(folder, "alpha"))
    assert read_cutouts(folder)["status"].to_pylist() == ["no_specimen"]
    assert CutoutStore(folder).ids == []


def test_alpha_takes_the_mask_the_picture_brings(tmp_path: Path) -> None:
    mask = wings(60, 80)
    mask[30, 40] = False
    folder = collection(tmp_path / "c", {"a": rgba(mask), "b": photograph(mask)})
    run(settings(folder, "alpha"))
    cutouts = CutoutStore(folder)
    row, picture = ok_rows(cutouts.table)[0], cutouts.image("a")
    assert cutouts.ids == ["a"]
    assert row["scale"] == 1
    assert np.count_nonzero(picture[..., 3]) == np.count_nonzero(mask)
    assert (np.abs(picture[picture[..., 3] == 255][:, :3].astype(int) - 200) < 6).all()


def test_the_same_bytes_for_any_number_of_workers(tmp_path: Path, small_parts: None) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        run(settings(simple(tmp_path / name, 5), workers=workers))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_what_was_stopped_goes_on_to_the_same_bytes(tmp_path: Path, small_parts: None) -> None:
    run(settings(simple(tmp_path / "whole", 5)))
    folder = simple(tmp_path / "killed", 5)
    run(settings(folder))
    kept = (folder / "cutouts/part-00000.arrow").stat().st_mtime_ns
    (folder / "cutouts.parquet").unlink()
    (folder / "cutouts/part-00001.parquet").unlink()
    (folder / "cutouts/part-00002.arrow").unlink()
    (folder / "cutouts/.part-00001.arrow.1.tmp").write_bytes(b"half")
    run(settings(folder))
    assert contents(folder) == contents(tmp_path / "whole")
    assert (folder / "cutouts/part-00000.arrow").stat().st_mtime_ns == kept


def test_a_killed_process_loses_nothing_that_was_finished(
    tmp_path: Path, small_parts: None
) -> None:
    program = (
        "import os, signal\n"
        "from butterflies import files\n"
        "from butterflies.segmentation import cutouts\n"
        "cutouts.PART, replace = 2, files.Path.replace\n"
        "def dying(self, target):\n"
        "    if target.name == 'part-00001.parquet':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return replace(self, target)\n"
        "files.Path.replace = dying\n"
        "cutouts.run(cutouts.CutoutSettings('killed', 'contrast', workers=1))\n"
    )
    folder = simple(tmp_path / "killed", 5)
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert store.has_part(folder / "cutouts", 0)
    assert not store.has_part(folder / "cutouts", 1)
    assert list(folder.glob("cutouts/.part-00001*.tmp"))
    run(settings(folder))
    run(settings(simple(tmp_path / "whole", 5)))
    assert contents(folder) == contents(tmp_path / "whole")


def test_nothing_is_done_twice_and_a_changed_photograph_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = simple(tmp_path / "c", 2)
    run(settings(folder))
    first = CutoutStore(folder).fingerprint
    run(settings(folder))
    assert "Nothing changed" in capsys.readouterr().out
    Image.fromarray(photograph(wings(120, 160, 9))).save(folder / "photos/a000.png")
    run(settings(folder))
    assert CutoutStore(folder).fingerprint != first


def test_force_makes_the_table_anew_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = simple(tmp_path / "c", 1)
    run(settings(folder))
    monkeypatch.setattr("butterflies.segmentation.shape.solidity", lambda mask: 0.125)
    run(settings(folder, force=True))
    assert read_cutouts(folder)["solidity"].to_pylist() == [0.125]


def test_masks_are_kept_at_the_photographs_size(tmp_path: Path) -> None:
    folder = simple(tmp_path / "c", 2, (600, 800))
    run(settings(folder))
    run(settings(folder, keep_masks=str(tmp_path / "kept")))
    with Image.open(tmp_path / "kept/a001.png") as image:
        mask = np.asarray(image)
    assert mask.shape == (600, 800)
    assert set(np.unique(mask)) == {0, 255}
    assert iou(mask > 127, wings(600, 800, seed=1)) > 0.95
    row = {r["assetID"]: r for r in ok_rows(read_cutouts(folder))}["a001"]
    assert Frame.around(mask > 127).box == tuple(row[f"box_{side}"] for side in "xywh")


def test_masks_that_are_not_its_own_are_never_replaced(tmp_path: Path) -> None:
    folder, drawn = simple(tmp_path / "c", 1), tmp_path / "drawn/a000.png"
    drawn.parent.mkdir()
    drawn.write_bytes(b"an afternoon's work")
    with pytest.raises(UserError, match="give an empty folder"):
        run(settings(folder, keep_masks=str(drawn.parent)))
    assert drawn.read_bytes() == b"an afternoon's work"
    drawn.unlink()
    for upright in (True, False):
        run(settings(folder, keep_masks=str(drawn.parent), upright=upright))
        assert drawn.is_file(), "its own are replaced"


@pytest.mark.parametrize(
    "changes",
    [{"keep_masks": "c/masks"}, {"cutouts": "../x"}, {"segmenter": "none.ckpt"}],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    simple(tmp_path / "c", 1)
    with pytest.raises(UserError):
        run(CutoutSettings("c", **{"segmenter": "contrast", **changes}))


def test_a_segmenter_that_takes_anothers_place_is_used(tmp_path: Path) -> None:
    folder, place = simple(tmp_path / "c", 1), tmp_path / "best.ckpt"
    found = []
    for answer in (-9.0, 9.0):
        model = Segmenter(depth=1, width=4, working_px=64)
        for weights in model.net.head.parameters():
            torch.nn.init.constant_(weights, answer)
        trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
        trainer.strategy.connect(model)
        trainer.save_checkpoint(place)
        run(settings(folder, str(place)))
        found += read_cutouts(folder)["status"].to_pylist()
    assert found == ["no_specimen", "ok"]


def test_contrast_and_alpha_need_no_torch() -> None:
    program = (
        "import sys, butterflies.segmentation.cutouts, butterflies.segmentation.parts\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_pictures_of_another_run_are_refused(tmp_path: Path) -> None:
    folder = simple(tmp_path / "c", 1)
    run(settings(folder))
    (folder / "cutouts.parquet").rename(tmp_path / "old.parquet")
    run(settings(folder, batch_size=3))
    (tmp_path / "old.parquet").rename(folder / "cutouts.parquet")
    with pytest.raises(UserError, match="do not belong together"):
        CutoutStore(folder)


def test_pictures_come_in_the_order_of_their_ids(tmp_path: Path, small_parts: None) -> None:
    run(settings(simple(tmp_path / "c", 5)))
    cutouts = CutoutStore(tmp_path / "c")
    assert cutouts.ids == sorted(cutouts.ids)
    assert all(cutouts.image(asset_id).shape[2] == 4 for asset_id in cutouts.ids)
    assert len(cutouts) == 5
