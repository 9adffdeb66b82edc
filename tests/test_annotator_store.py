import csv
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from butterflies.collection.judgements import judge, read_judgements, untaught
from butterflies.collection.masks import Method, read_mask_log, record_mask, remove_mask, save_mask
from butterflies.collection.photos import read_mask
from butterflies.errors import UserError
from butterflies.segmentation.annotator.errors import Refusal
from butterflies.segmentation.annotator.store import Store
from butterflies.segmentation.cutouts import CutoutSettings, run
from butterflies.segmentation.data import MaskedPhotographs
from butterflies.segmentation.store import read_cutouts
from tests.annotators import store
from tests.specimens import Mask, masked_collection, record_some, wings

SIZE = (128, 96)
ONE, OTHER = wings(seed=1), wings(seed=2)
EMPTY = np.zeros_like(ONE)


def found(folder: Path, asset_id: str = "a00") -> Mask:
    mask = read_mask(folder, asset_id, SIZE)
    assert mask is not None
    return mask


def test_a_mask_is_saved_with_who_when_and_how() -> None:
    record_mask(Path(), "a00", ONE, "corrected", "Ada, B.")
    assert (found(Path()) == ONE).all()
    row = read_mask_log(Path())["a00"]
    assert (row["method"], row["who"]) == ("corrected", "Ada, B.")
    assert row["time"].endswith("+00:00")


def test_the_previous_mask_is_kept_until_another_one_comes() -> None:
    for mask in (ONE, OTHER, OTHER):
        record_mask(Path(), "a00", mask, "hand", "Ada")
    Path("masks/a00.png.1").rename("masks/before.png")
    assert (found(Path(), "before") == ONE).all()


@pytest.mark.parametrize("first", ["hand", "corrected", None])
@pytest.mark.parametrize("then", ["contrast", "prediction"])
def test_a_mask_made_by_hand_gives_way_to_no_other(first: Method | None, then: Method) -> None:
    if first:
        record_mask(Path(), "a00", ONE, first, "Ada")
    else:
        save_mask(Path("masks/a00.png"), ONE)
    with pytest.raises(UserError, match="made by hand"):
        record_mask(Path(), "a00", OTHER, then, "Ada")
    assert (found(Path()) == ONE).all()
    remove_mask(Path(), "a00")
    record_mask(Path(), "a00", OTHER, then, "Ada")
    assert read_mask_log(Path())["a00"]["method"] == then


def test_threads_and_processes_lose_no_row() -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as process, ThreadPoolExecutor(3) as threads:
        process.submit(record_some, Path.cwd(), 0).result()  # it takes seconds to start
        for pool, first in ((process, 10), (threads, 20), (threads, 30), (threads, 40)):
            pool.submit(record_some, Path.cwd(), first)
    assert len(read_mask_log(Path())) == len(list(Path("masks").glob("*.png"))) == 50


def test_judgements_are_written_down_and_taken_back() -> None:
    judge(Path(), "b", "bad", "Ada")
    judge(Path(), "a", "no_specimen", "Ada")
    judge(Path(), "b", None, "Ada")
    with Path("judgements.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["assetID"], r["judgement"], r["who"]) for r in rows] == [("a", "no_specimen", "Ada")]


def test_a_draft_outlives_its_server() -> None:
    annotated = store(Path("c"))
    annotated.save_draft("a00", ONE, "corrected", annotated.version("a00"))
    again = Store(Path("c"), "Bea")
    draft = again.draft("a00")
    assert draft is not None
    assert (draft == ONE).all()
    assert again.draft_method("a00") == "corrected"
    assert again.overview().drafts == {"a00"}
    assert again.mask("a00") is None


def test_a_draft_that_no_longer_fits_is_set_aside() -> None:
    place = store(Path("c")).collection
    save_mask(place / "drafts/a00.png", wings(48, 64))
    (place / "drafts/a01.png").write_bytes(b"half a PN")
    save_mask(place / "drafts/a02.png", ONE)
    assert Store(place, "Ada").overview().drafts == {"a02"}
    assert {path.name for path in (place / "drafts").glob("*.1")} == {"a00.png.1", "a01.png.1"}


def test_saving_makes_the_mask_and_ends_the_draft() -> None:
    annotated = store(Path("c"))
    version = annotated.save_draft("a00", ONE, "hand", annotated.version("a00"))
    annotated.save("a00", OTHER, "hand", version)
    assert (found(Path("c")) == OTHER).all()
    assert annotated.draft("a00") is None
    assert annotated.overview().masks == {"a00": "hand"}


def test_no_write_overrules_one_that_it_has_not_seen() -> None:
    annotated = store(Path("c"))
    old = annotated.version("a00")
    now = annotated.save_draft("a00", ONE, "hand", old)
    writes: list[Callable[[], str]] = [
        lambda: annotated.save_draft("a00", OTHER, "hand", old),
        lambda: annotated.save("a00", OTHER, "hand", old),
        lambda: annotated.drop_draft("a00", old),
        lambda: annotated.drop_mask("a00", old),
        lambda: annotated.judge("a00", "bad", old),
    ]
    for write in writes:
        with pytest.raises(Refusal) as refusal:
            write()
        assert (refusal.value.status, refusal.value.version) == (409, now)
    assert annotated.version("a00") == now
    assert annotated.drop_draft("a00", now) == old


def test_a_version_changes_with_what_others_write() -> None:
    annotated = store(Path("c"))
    versions = [annotated.version("a00")]
    record_mask(Path("c"), "a00", ONE, "hand", "Bea")
    versions.append(annotated.version("a00"))
    judge(Path("c"), "a00", "bad", "Bea")
    versions.append(annotated.version("a00"))
    assert len(set(versions)) == 3
    assert annotated.version("a01") == versions[0]


def test_an_empty_mask_says_that_there_is_no_specimen() -> None:
    annotated = store(Path("c"))
    version = annotated.save("a00", EMPTY, "hand", annotated.version("a00"))
    assert annotated.overview().judgements == {"a00": "no_specimen"}
    annotated.judge("a00", None, version)
    assert annotated.overview().judgements == annotated.overview().masks == {}


def test_a_drawn_mask_takes_back_that_there_is_no_specimen() -> None:
    annotated = store(Path("c"))
    version = annotated.judge("a00", "no_specimen", annotated.version("a00"))
    annotated.save("a00", ONE, "hand", version)
    assert annotated.overview().judgements == {}


def test_a_deleted_mask_is_put_aside() -> None:
    annotated = store(Path("c"), masks=1)
    annotated.drop_mask("a00", annotated.version("a00"))
    assert annotated.mask("a00") is None
    assert Path("c/masks/a00.png.1").is_file()


@pytest.mark.parametrize("name", ["../a00", "a99", "", "masks"])
def test_only_photographs_of_the_records_are_known(name: str) -> None:
    with pytest.raises(Refusal, match="no photograph"):
        store(Path("c")).save_draft(name, ONE, "hand", "")


def test_judged_photographs_do_not_teach_unless_their_mask_agrees() -> None:
    masked_collection(Path("c"), 12)
    for key in ("a00", "a01", "a02"):
        judge(Path("c"), key, "bad" if key == "a00" else "no_specimen", "Ada")
    save_mask(Path("c/masks/a02.png"), EMPTY)
    assert untaught(Path("c")) == {"a00", "a01"}
    taught = MaskedPhotographs("c", split="all").rows()["train"]
    assert [row["assetID"] for row in taught] == [f"a{n:02d}" for n in range(2, 12)]


def test_judged_photographs_are_not_cut_out() -> None:
    masked_collection(Path("c"), 3)
    settings = CutoutSettings("c", "contrast", workers=1)
    run(settings)
    judge(Path("c"), "a00", "bad", "Ada")
    judge(Path("c"), "a01", "no_specimen", "")
    run(settings)
    rows = {row["assetID"]: row for row in read_cutouts(Path("c")).to_pylist()}
    said = [(rows[key]["status"], rows[key]["reason"]) for key in ("a00", "a01")]
    assert said == [
        ("refused", "Judged a bad photograph by Ada."),
        ("no_specimen", "Judged to show no specimen."),
    ]
    judge(Path("c"), "a00", None, "Ada")
    assert read_judgements(Path("c")).keys() == {"a01"}
    run(settings)
    again = {row["assetID"]: row["reason"] for row in read_cutouts(Path("c")).to_pylist()}
    assert again["a00"] != "Judged a bad photograph by Ada."
