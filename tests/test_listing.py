"""Listing and updating. Facts are marked as in the test server: `portal` and a section."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from butterflies.collection.masks import save_mask
from butterflies.collection.photographs import citation
from butterflies.collection.sources import portal as portal_module
from butterflies.collection.sources.base import Page
from butterflies.errors import UserError
from tests import portal_faults as faults
from tests.gathering import Rows, collect, pictures_asked, rows, specimens
from tests.portal_records import make_records
from tests.portal_server import Portal, serving


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    monkeypatch.setattr(portal_module, "PAGE", 10)
    with serving(make_records(40)) as server:
        yield server


def pages_asked(portal: Portal, since: int) -> int:
    return sum("vds_multi_query" in request.path for request in portal.log[since:])


def changes() -> list[dict[str, str]]:
    with Path("c/changes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def one(found: Rows, record: dict[str, Any]) -> dict[str, Any]:
    """The first photograph of a record."""
    wanted = (row for row in found.values() if row["_id"] == record["_id"])
    return next(wanted)


def test_every_photograph_of_a_specimen_has_its_row_and_nothing_else_has(portal: Portal) -> None:
    found = collect(portal)
    # portal 1.7: category "Specimen" in any case, no labels, no pages of registers
    assert found.keys() == specimens(portal).keys()
    assert {row["status"] for row in found.values()} == {"ok"}
    for record in portal.records:
        for medium in record["associatedMedia"]:
            if row := found.get(medium["assetID"]):
                assert row["specimen"] == row["occurrenceID"] == record["occurrenceID"]
                assert row["scientificName"] == record["scientificName"]
                assert row["title"] == medium["title"]
                assert row["modified"] == record["modified"]
                assert row["license"] == medium["license"]
                assert row["recordLicense"].startswith("http://creativecommons.org/publicdomain/")
                picture = Path("c", row["photo"]).read_bytes()
                assert picture == portal.picture(medium["assetID"])


def test_the_citation_has_the_form_that_the_museum_asks_for(portal: Portal) -> None:
    row = one(collect(portal), portal.records[0])
    assert row["bibliographicCitation"] == (  # portal 1.10 [D]
        f"Natural History Museum (2025). {row['title']} (from Collection specimens) [Photograph]. "
        "Natural History Museum. Licensed under CC BY 4.0 "
        "(https://creativecommons.org/licenses/by/4.0). "
        f"https://data.nhm.ac.uk/object/{row['occurrenceID']}/{portal.version}"
    )


@pytest.mark.parametrize(
    ("version", "year"),
    [("1735689599999", "2024"), ("1735689600000", "2025"), ("1798761600000", "2027")],
)
def test_a_citation_names_the_year_of_the_version_to_the_millisecond(
    version: str, year: str
) -> None:
    row = {"institutionCode": "NHMUK", "occurrenceID": "893e0b8c-9dab-40b5-872b-51f08a69e765"}
    assert str(citation(row, version)).startswith(f"Natural History Museum ({year}).")


def test_a_second_run_asks_for_the_version_and_nothing_more(portal: Portal) -> None:
    first, since = collect(portal), len(portal.log)
    assert collect(portal) == first
    assert pages_asked(portal, since) == 0
    assert pictures_asked(portal, since) == []


def test_an_update_reads_what_changed_and_one_page_on(portal: Portal) -> None:
    before = collect(portal)
    changed, new = portal.records[30], make_records(41)[-1]
    portal.change(changed["_id"], locality="Mörön", genus="Papilio")
    portal.add(new)
    since = len(portal.log)
    after = collect(portal)
    # portal 1.4: the latest changes come first, so that one page with nothing new ends it
    assert pages_asked(portal, since) == 2
    assert len(pictures_asked(portal, since)) == len(after) - len(before) > 0
    row = one(after, changed)
    assert (row["locality"], row["genus"]) == ("Mörön", "Papilio")
    told = {(c["assetID"], c["what"]): c["columns"] for c in changes()}
    assert told[row["assetID"], "changed"] == "genus locality modified"
    assert {c["what"] for c in changes()} == {"changed", "new"}
    untouched = before.keys() - {c["assetID"] for c in changes()}
    assert len(untouched) > 30
    assert all(before[key] == after[key] for key in untouched)


def test_what_is_gone_is_withdrawn_with_its_mask_kept_and_may_come_back(portal: Portal) -> None:
    before = collect(portal)
    record = portal.records[3]
    key = one(before, record)["assetID"]
    mask = Path("c/masks", f"{key}.png")
    save_mask(mask, np.ones((before[key]["height"], before[key]["width"]), bool))
    portal.remove(record["_id"])
    row = collect(portal)[key]
    assert (row["status"], row["reason"]) == (
        "withdrawn",
        "The source no longer lists it among what was asked for.",
    )
    assert mask.is_file()
    assert Path("c", row["photo"]).is_file()
    assert row["genus"] == before[key]["genus"]
    since = len(portal.log)
    portal.add(record)
    assert collect(portal)[key]["status"] == "ok"
    assert pictures_asked(portal, since) == []
    assert {c["what"] for c in changes()} == {"back"}


def test_a_medium_that_leaves_its_record_is_withdrawn(portal: Portal) -> None:
    before = collect(portal)
    record = next(r for r in portal.records if len(r["associatedMedia"]) > 2)
    kept, dropped = record["associatedMedia"][:2]
    portal.change(record["_id"], associatedMedia=[kept])
    found = collect(portal)
    assert found.keys() == before.keys()
    assert found[kept["assetID"]]["status"] == "ok"
    assert found[dropped["assetID"]]["status"] == "withdrawn"


def test_a_picture_that_changed_is_fetched_again_and_a_mask_of_another_size_put_aside(
    portal: Portal,
) -> None:
    before = collect(portal)
    record = portal.records[0]
    medium = dict(record["associatedMedia"][0])
    key = medium["assetID"]
    row = before[key]
    save_mask(Path("c/masks", f"{key}.png"), np.ones((row["height"], row["width"]), bool))
    medium |= {"PixelXDimension": "90", "PixelYDimension": "33", "modified": "2025-06-01"}
    portal.change(record["_id"], associatedMedia=[medium, *record["associatedMedia"][1:]])
    since = len(portal.log)
    after = collect(portal)[key]
    assert len(pictures_asked(portal, since)) == 1
    assert after["sha256"] != row["sha256"]
    assert (after["width"], after["height"]) == (90, 33)
    assert not Path("c/masks", f"{key}.png").exists()
    assert Path("c/masks", f"{key}.png.1").exists()
    assert "put aside" in json.loads(Path("c/provenance.json").read_text())["notes"][0]
    assert {"what": "replaced", "assetID": key, "columns": ""} in changes()


def test_a_picture_that_its_host_calls_unchanged_does_not_come_again(portal: Portal) -> None:
    portal.conditional = True
    before = collect(portal)
    record = portal.records[0]
    media = [{**medium, "modified": "2025-06-01"} for medium in record["associatedMedia"]]
    portal.change(record["_id"], associatedMedia=media)
    since = len(portal.log)
    after = collect(portal)
    asked = [r for r in portal.log[since:] if r.path.startswith("/media")]
    assert asked
    assert {r.status for r in asked} == {304}
    key = media[0]["assetID"]
    assert after[key]["photo_mtime_ns"] == before[key]["photo_mtime_ns"]
    assert after[key]["mediaModified"] == "2025-06-01"


def test_a_limit_is_filled_and_can_be_raised(portal: Portal) -> None:
    few = collect(portal, limit=5)
    assert len(few) == 5
    assert len(pictures_asked(portal)) == 5
    more = collect(portal, limit=23)
    assert len(more) == 23
    assert few.items() <= more.items()
    everything = collect(portal)
    assert everything.keys() == specimens(portal).keys()
    assert more.items() <= everything.items()
    assert len(pictures_asked(portal)) == len(everything)


def test_another_query_withdraws_what_it_does_not_ask_for(portal: Portal) -> None:
    butterflies = collect(portal, family=["Papilionidae", "Nymphalidae"])
    since = len(portal.log)
    swallowtails = collect(portal, family="Papilionidae")
    assert pictures_asked(portal, since) == []
    assert swallowtails.keys() == butterflies.keys()
    for key, row in swallowtails.items():
        expected = "ok" if butterflies[key]["family"] == "Papilionidae" else "withdrawn"
        assert row["status"] == expected


def test_an_empty_answer_withdraws_nothing(portal: Portal) -> None:
    before = collect(portal)
    for record in portal.records:
        portal.remove(record["_id"])
    with pytest.raises(UserError, match="no photographs of what was asked for"):
        collect(portal)
    assert rows(Path("c")) == before


def test_a_listing_that_was_killed_goes_on_behind_the_last_page_it_kept(portal: Portal) -> None:
    portal.faults.on("vds_multi_query", *[faults.fine] * 2, *[faults.timeout_500] * 20)
    with pytest.raises(UserError, match="The same command goes on"):
        collect(portal)
    portal.faults.clear()
    since = len(portal.log)
    assert collect(portal).keys() == specimens(portal).keys()
    assert pages_asked(portal, since) == 2


def test_an_answer_that_ends_early_withdraws_nothing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(portal)
    portal.change(portal.records[0]["_id"], locality="here")
    portal.remove(portal.records[20]["_id"])
    whole = portal_module.Portal.pages

    def ending(*args: Any) -> Iterator[Page]:
        first = next(whole(*args))
        yield Page(first.records, None, first.total)

    monkeypatch.setattr(portal_module.Portal, "pages", ending)
    assert {row["status"] for row in collect(portal).values()} == {"ok"}


def test_a_query_that_nothing_fits_says_so_and_makes_no_table(portal: Portal) -> None:
    with pytest.raises(UserError, match="no photographs of what was asked for"):
        collect(portal, genus="Nosuchgenus")
    assert not Path("c/records.parquet").exists()


def test_records_met_twice_while_paging_count_once(portal: Portal) -> None:
    portal.faults.every(2, "vds_multi_query", faults.duplicate_record)  # portal 1.5
    assert collect(portal).keys() == specimens(portal).keys()


def test_two_records_that_show_one_picture_share_a_row_and_it_is_fetched_once(
    portal: Portal,
) -> None:
    first, second = portal.records[:2]
    portal.change(second["_id"], associatedMedia=first["associatedMedia"])
    found = collect(portal)
    key = first["associatedMedia"][0]["assetID"]
    assert found.keys() == specimens(portal).keys()
    assert len([path for path in pictures_asked(portal) if key in path]) == 1
    notes = json.loads(Path("c/provenance.json").read_text())["notes"]
    assert any("is shown by record" in note for note in notes)
    assert collect(portal) == found


def test_media_without_an_address_are_counted_and_left_out(portal: Portal) -> None:
    record = portal.records[0]
    media = [{k: v for k, v in m.items() if k != "identifier"} for m in record["associatedMedia"]]
    portal.change(record["_id"], associatedMedia=media)
    found = collect(portal)
    assert not {m["assetID"] for m in media} & found.keys()
    notes = json.loads(Path("c/provenance.json").read_text())["notes"]
    assert f"record {record['_id']}, column associatedMedia: no address." in notes


@pytest.mark.parametrize(
    "odd",
    ["../../evil", "/etc/passwd", "a\0b", "CON", "lpt1.jpg", "x" * 300, "é", ".hidden", "a b"],
)
def test_an_id_that_is_no_file_name_becomes_none(portal: Portal, odd: str) -> None:
    record = portal.records[0]
    media = [{**record["associatedMedia"][0], "assetID": odd}]
    media[0]["identifier"] = f"{portal.url}/media/{specimens(portal).popitem()[0]}"
    portal.change(record["_id"], associatedMedia=media)
    found = collect(portal)
    row = one(found, record)
    assert len(row["assetID"]) == 36
    assert row["sourceID"] == odd
    assert row["status"] == "ok"
    assert Path("c", row["photo"]).resolve().parent == Path("c/photos").resolve()
    assert {p.name for p in Path().iterdir()} == {"c"}


def test_ids_that_differ_in_case_only_are_told_apart(portal: Portal) -> None:
    first, second = portal.records[:2]
    picture = f"{portal.url}/media/{first['associatedMedia'][0]['assetID']}"
    for record, name in ((first, "BM_one"), (second, "bm_ONE")):
        medium = {**record["associatedMedia"][0], "assetID": name, "identifier": picture}
        portal.change(record["_id"], associatedMedia=[medium])
    found = collect(portal)
    names = {one(found, record)["assetID"].lower() for record in (first, second)}
    assert len(names) == 2
    assert collect(portal) == found


def test_a_folder_and_the_portal_do_not_share_a_collection(portal: Portal) -> None:
    collect(portal)
    with pytest.raises(UserError, match=r"c was collected from .* name another collection="):
        collect(portal, size="thumbnail")


def test_a_version_that_the_portal_knows_no_more_starts_a_new_listing(portal: Portal) -> None:
    portal.faults.on("vds_multi_query", faults.fine, *[faults.timeout_500] * 12)
    with pytest.raises(UserError, match="goes on"):
        collect(portal)
    portal.faults.clear()
    refused = faults.fixed(409, b'{"success": false, "error": "no such version"}', "text/plain")
    portal.faults.on("vds_multi_query", refused, refused)
    assert collect(portal).keys() == specimens(portal).keys()


def test_a_limited_collection_takes_up_the_changes_of_what_it_has(portal: Portal) -> None:
    before = collect(portal, limit=20)
    record = portal.records[-1]
    for changing in portal.records:
        if changing["_id"] in {row["_id"] for row in before.values()}:
            record = changing
    portal.change(record["_id"], locality="elsewhere")
    for new in make_records(55)[40:]:
        portal.add(new)
    after = collect(portal, limit=20)
    assert after.keys() == before.keys()
    assert one(after, record)["locality"] == "elsewhere"
