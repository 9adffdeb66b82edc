import json
import os
from pathlib import Path

import pytest

from butterflies.collection.sources.archive import Archive, CsvPair
from butterflies.collection.sources.query import Query
from butterflies.errors import UserError
from tests.archives import ADDRESS, CORE, PICTURES, addresses, notes, quoted, read_pair, records

BOTH = {"7": ["7"], "8": ["8b", "8a"]}


def test_pages_have_at_most_a_thousand_records_in_order() -> None:
    rows = "".join(f"{i},{ADDRESS}{i}\n" for i in range(2500))
    pages = read_pair("id,associatedMedia\n" + rows)
    assert [len(page.records) for page in pages] == [1000, 1000, 500]
    assert list(records(pages)) == [str(i) for i in range(2500)]
    assert {page.cursor for page in pages} == {None}


def test_a_pair_of_csvs_is_joined_by_the_ids_that_both_have() -> None:
    core, media = quoted(CORE), quoted(PICTURES)
    assert addresses(read_pair(core, media)) == BOTH
    renamed = "coreid,identifier\n7," + ADDRESS + "7\n"
    assert addresses(read_pair(core.replace("_id", "id"), renamed)) == {"7": ["7"]}
    upper = f"coreid,AC:accessURI,Identifier,Title\n7,{ADDRESS}7,x7,T\n"
    found = records(read_pair(core, upper))["7"].media[0]
    assert found == {"identifier": ADDRESS + "7", "title": "T"}
    gbif = 'gbifID\tlocality\n1\t"Rio\n', f"gbifID\tidentifier\n1\t{ADDRESS}1\n"
    assert addresses(read_pair(*gbif)) == {"1": ["1"]}
    before = CsvPair(Path("core.csv"), Path("media.csv"), Query(), Path("work")).version()
    Path("media.csv").write_text(renamed)
    source = CsvPair(Path("core.csv"), Path("media.csv"), Query(), Path("work"))
    assert (source.version() != before, source.identity()["source"]) == (True, "csv")


def test_addresses_in_one_text_are_parted_and_json_is_understood() -> None:
    a, b = ADDRESS + "a b.jpg", ADDRESS + "c,d"
    listed = json.dumps([{"identifier": a, "mime": "image/jpeg", "assetID": "A"}, {"title": "-"}])
    texts = [f"{a} | {b}", f"{a} ,\n{b}", f"{a}, {b},", f"{a}\r\n{b}", "in a drawer", listed]
    rows = [["Occurrence_ID", "Associated Media"], *([str(i), t] for i, t in enumerate(texts))]
    pages = read_pair(quoted(rows))
    expected = {str(i): ["a b.jpg", "c,d"] for i in range(4)}
    assert addresses(pages) == {**expected, "5": ["a b.jpg"]}
    assert records(pages)["5"].media[0]["format"] == "image/jpeg"
    assert notes(pages) == ["Media without an address, left out: 2 in all."]


def test_a_table_of_photographs_gives_each_its_asset_id() -> None:
    row = f"m1,{ADDRESS}1,Pieridae,s1\nm2,{ADDRESS}2,Pieridae,s1\n"
    found = records(read_pair("assetID,associatedMedia,family,occurrenceID\n" + row))
    assert [r.media[0]["assetID"] for r in found.values()] == ["m1", "m2"]


def test_odd_rows_are_kept_or_left_out_and_told() -> None:
    rows = f"1,{ADDRESS}1\n,{ADDRESS}x\n3,{ADDRESS}3,more,still\n4\n\n1,{ADDRESS}y\n"
    pages = read_pair("id,associatedMedia,note\n" + rows)
    assert addresses(pages) == {"1": ["1"], "3": ["3"]}
    said = "\n".join(notes(pages))
    assert "core.csv, row 2 has no id and is left out." in said
    assert "core.csv, row 3 has 4 fields instead of 3." in said
    assert "The id 1 stands in several rows" in said
    assert "Rows of core.csv with too many or too few fields: 5 in all." in said


@pytest.mark.parametrize(
    ("core", "media", "said"),
    [
        ("id,genus\n1,A\n", None, "no column of addresses"),
        ("genus,associatedMedia\nA,B\n", None, "no column of ids"),
        ("id,associatedMedia\n", None, "core.csv has no record"),
        ("id,a\n1,2\n", "id,title\n1,x\n", "media.csv has no column identifier"),
        ("id,a\n1,2\n", "catalogNumber,identifier\n1,x\n", "share no column of ids"),
        ("Type Status,typeStatus,id\n", None, "two columns named typeStatus"),
    ],
)
def test_tables_that_lack_something_are_refused(core: str, media: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_pair(core, media)
    assert not Path("work").exists()


def test_missing_files_and_folders_are_named() -> None:
    for path, said in ((Path("x.zip"), "archive=x.zip: there is no"), (Path(), "is a folder")):
        source = Archive(path, Query(), Path("work"))
        with pytest.raises(UserError, match=said):
            source.version()
        with pytest.raises(UserError, match=said):
            next(source.pages(""))
    Path("a.csv").write_text("id\n1\n")
    with pytest.raises(UserError, match=r"media=\. is a folder"):
        CsvPair(Path("a.csv"), Path(), Query(), Path("work")).version()


def given_tables() -> Path:
    beside = Path(__file__).parents[2] / "shared" / "data" / "metadata"
    place = Path(os.environ.get("BUTTERFLIES_TEST_TABLES", beside))
    if not place.is_dir():
        pytest.skip("BUTTERFLIES_TEST_TABLES names no folder of given tables.")
    return place


def test_a_packed_table_in_windows_1252_with_several_addresses_a_row() -> None:
    path = given_tables() / "cambridge_heliconius_imagedata.csv.gz"
    pages = list(CsvPair(path, None, Query(), Path("work")).pages(""))
    found = records(pages)
    assert len(found) == 4541
    places = {r.fields.get("Collection_Locale") for r in found.values()}
    assert {"Río Pusuno"} & places
    assert [m["identifier"].rsplit("/", 1)[1] for m in found["14N015"].media] == [
        "14N015_v.JPG",
        "14N015_d.JPG",
    ]
    assert not any("," in m["identifier"] for r in found.values() for m in r.media)
    assert "such lines are read as Windows-1252" in notes(pages)[0]


def test_a_table_without_addresses_says_so() -> None:
    path = given_tables() / "nhm_heliconius_2466.csv"
    with pytest.raises(UserError, match="no column of addresses"):
        list(CsvPair(path, None, Query(), Path("work")).pages(""))
