import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from butterflies.collection import photos as photographs
from butterflies.collection.folder import FolderSettings, run
from butterflies.collection.masks import read_mask_log
from butterflies.collection.photos import open_photo, photo_path, read_mask
from butterflies.collection.records import read_records
from butterflies.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def photograph(path: Path, pixels: np.ndarray = PIXELS, **how: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **how)  # type: ignore[arg-type]
    return path


def collect(**settings: object) -> dict[str, dict[str, object]]:
    wanted = {"collection": "c", "photos": "p", "workers": 1, **settings}
    place = run(FolderSettings(**wanted))  # type: ignore[arg-type]
    return {row["assetID"]: row for row in read_records(place).to_pylist()}


def bad_folder(place: Path) -> None:
    """One picture of each kind that goes wrong or needs care."""
    good = photograph(place / "good.jpg", quality=95)
    (place / "truncated.jpg").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (place / "empty.jpg").touch()
    (place / "page.jpg").write_text("<!DOCTYPE html><title>503</title>")
    (place / "noise.png").write_bytes(b"\x89PNG no picture")
    photograph(place / "one-pixel.png", PIXELS[:1, :1])
    Image.fromarray(PIXELS).convert("CMYK").save(place / "cmyk.jpg")
    Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257).save(place / "grey16.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(place / "lying.jpg", exif=exif)


def test_each_bad_picture_gets_its_own_reason_and_none_is_fatal() -> None:
    bad_folder(Path("p"))
    found = collect()
    said = {key: (row["status"], row["reason"]) for key, row in found.items()}
    assert said["good"] == ("ok", None)
    assert said["empty"] == ("unreadable", "The file is empty.")
    assert said["page"] == ("unreadable", "It is a web page saved under a picture's name.")
    assert said["noise"][0] == said["truncated"][0] == "unreadable"
    assert "truncated" in str(said["truncated"][1])
    assert said["one-pixel"][0] == "refused"
    assert said["cmyk"] == ("ok", "Good; converted from CMYK to RGB.")
    assert said["grey16"] == ("ok", "Good; 16-bit grey brought to 8 bits.")
    assert said["lying"] == ("ok", "Good; turned upright as its EXIF orientation 6 says.")
    reasons = {reason for _, reason in said.values() if reason}
    assert len(reasons) == 8
    assert (found["lying"]["width"], found["lying"]["height"]) == (40, 60)


def test_converted_pixels_are_right() -> None:
    bad_folder(Path("p"))
    grey = np.asarray(open_photo(Path("p/grey16.png")))
    assert (grey == PIXELS[..., :1]).all()
    lying = np.asarray(open_photo(Path("p/lying.jpg"))).astype(int)
    upright = np.asarray(Image.open("p/lying.jpg").rotate(-90, expand=True)).astype(int)
    assert (lying == upright).all()
    assert open_photo(Path("p/cmyk.jpg")).mode == "RGB"


def test_a_huge_picture_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "MAX_PIXELS", 2000)
    photograph(Path("p/huge.png"))
    found = collect()["huge"]
    assert (found["status"], found["width"]) == ("refused", None)


def test_paths_and_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    secret = photograph(tmp_path / "elsewhere" / "secret.png")
    photograph(Path("p/in.png"))
    Path("p/link.png").symlink_to(secret)
    Path("r.csv").write_text(f"file,genus\n../elsewhere/secret.png,A\n{secret},B\nin.png,C\n")
    found = collect(records="r.csv")
    assert {row["status"] for row in found.values() if row["photo"] is None} == {"refused"}
    assert [row["genus"] for row in found.values() if row["status"] == "ok"] == ["C"]
    assert "secret" not in str([row["photo"] for row in found.values()])


def test_records_find_their_photographs_by_file_by_id_and_by_media() -> None:
    for name in ("sub/one.jpg", "two.png", "three.webp", "four.tif"):
        photograph(Path("p", name))
    Path("r.csv").write_text(
        "assetID,file,associatedMedia,genus,note\n"
        "first,sub/one.jpg,,A,x\n"
        "two,,,B,\n"
        ",,https://museum.example/media/three,C,\n"
        "ghost,,,E,\n"
    )
    found = collect(records="r.csv")
    genera = {key: row["genus"] for key, row in found.items()}
    assert genera == {"first": "A", "two": "B", "three": "C", "ghost": "E", "four": None}
    assert (found["ghost"]["status"], found["first"]["note"]) == ("missing", "x")
    assert found["two"]["photo"] == str(Path("p/two.png").resolve())


def test_odd_and_doubled_names_become_valid_ids_and_keep_the_original() -> None:
    for name in ("é à.png", "a/x.png", "b/x.png", "B/X.png"):
        photograph(Path("p", name))
    found = collect()
    assert len({key.lower() for key in found}) == 4
    assert {row["sourceID"] for row in found.values()} == {None, "é à", "x"}


def test_a_doubled_row_and_a_bad_number_are_told_and_the_rest_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    photograph(Path("p/a.png"))
    Path("r.csv").write_text("assetID,decimalLatitude\na,95\na,1\n")
    found = collect(records="r.csv")
    assert (len(found), found["a"]["decimalLatitude"]) == (1, None)
    said = capsys.readouterr().out
    assert "row 2, column assetID: 'a' stands in row 1 already" in said
    assert "row 1, column decimalLatitude: 95 is not between -90 and 90" in said


def test_a_source_cannot_write_into_the_columns_of_this_program() -> None:
    photograph(Path("p/a.png"))
    Path("r.csv").write_text("assetID,status,sha256,width\na,failed,0,9\nb,ok,0,9\n")
    found = collect(records="r.csv")
    assert (found["a"]["status"], found["a"]["width"]) == ("ok", 60)
    assert (found["b"]["status"], found["b"]["width"]) == ("missing", None)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", "is empty"),
        (b"assetID,genus\n", "no rows"),
        (b"a,a\n1,2\n", "two columns named a"),
        ("é,b\n".encode("latin-1"), "line 1 is not UTF-8"),
        (b"a\0b\n1\n", "not a text file"),
    ],
)
def test_a_bad_table_is_refused_in_a_sentence(table: bytes, said: str) -> None:
    photograph(Path("p/a.png"))
    Path("r.csv").write_bytes(table)
    with pytest.raises(UserError, match=said):
        collect(records="r.csv")
    assert not Path("c/records.parquet").exists()


def test_missing_folders_and_tables_are_named() -> None:
    with pytest.raises(UserError, match="photos=p: there is no such folder"):
        collect()
    Path("p").mkdir()
    with pytest.raises(UserError, match="holds no photographs"):
        collect()
    photograph(Path("p/a.png"))
    with pytest.raises(UserError, match=r"records=r\.csv: there is no such file"):
        collect(records="r.csv")
    with pytest.raises(UserError, match="masks=m: there is no such folder"):
        collect(masks="m")


def test_masks_come_along_as_drawn_by_hand_and_an_older_one_is_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("a", "b"):
        photograph(Path(f"p/{name}.png"))
    mask = np.zeros((40, 60), bool)
    mask[10:20, 5:50] = True
    photograph(Path("m/a.png"), mask)
    photograph(Path("m/b.png"), mask[:5])
    photograph(Path("m/stranger.png"), mask)
    collect(masks="m")
    said = capsys.readouterr().out
    assert "60 x 5 pixels, its photograph 60 x 40" in said
    assert "stranger.png" in said
    assert (read_mask(Path("c"), "a", (60, 40)) == mask).all()  # type: ignore[union-attr]
    assert read_mask_log(Path("c"))["a"]["method"] == "hand"
    photograph(Path("m/a.png"), ~mask)
    collect(masks="m")
    assert (read_mask(Path("c"), "a", (60, 40)) == ~mask).all()  # type: ignore[union-attr]
    assert (np.asarray(Image.open("c/masks/a.png.1")) == mask * 255).all()


def test_collecting_again_reads_only_what_is_new_and_marks_what_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("a", "b"):
        photograph(Path(f"p/{name}.png"))
    collect()
    before = Path("c/records.parquet").read_bytes()
    collect()
    assert Path("c/records.parquet").read_bytes() == before
    Path("p/a.png").unlink()
    shutil.copy(Path("p/b.png"), Path("p/d.png"))
    found = collect()
    statuses = {key: row["status"] for key, row in found.items()}
    assert statuses == {"a": "withdrawn", "b": "ok", "d": "ok"}
    photograph(Path("other/z.png"))
    with pytest.raises(UserError, match="was collected from"):
        collect(photos="other")


def test_copies_lie_in_the_collection() -> None:
    photograph(Path("p/A B.PNG"))
    row = next(iter(collect(copy=True).values()))
    assert row["photo"] == f"photos/{row['assetID']}.png"
    assert photo_path(Path("c"), row).read_bytes() == Path("p/A B.PNG").read_bytes()


@pytest.mark.parametrize("name", ["a b", "x,y", "k=v", "(p)", "é", "~t", "[z]", "'q'"])
def test_odd_folder_names(name: str) -> None:
    photograph(Path(name, "a.png"))
    assert collect(photos=name, collection=f"out {name}")["a"]["status"] == "ok"
