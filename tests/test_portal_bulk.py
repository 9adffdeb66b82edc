"""The test portal's bulk downloads; assertions cite the published facts."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.portal_api import SPECIMENS
from tests.portal_asking import act, ask
from tests.portal_http import Record
from tests.portal_records import TYPES, make_records
from tests.portal_server import Portal, serving


@pytest.fixture
def server() -> Iterator[Portal]:
    with serving(make_records(30)) as portal:
        yield portal


def queue(server: Portal, **changes: object) -> str:
    kinds = {"core_extension_name": "gbif_occurrence", "extension_names": ["gbif_multimedia"]}
    arguments = {**kinds, "extension_map": {"gbif_multimedia": ["associatedMedia"]}}
    equal = {"string_equals": {"fields": ["project"], "value": TYPES}}
    body = {
        "query": {"resource_ids": [SPECIMENS], "query": {"filters": equal}},
        "file": {"format": "dwc", "format_args": arguments},
    }
    status: str = act(server, "vds_download_queue", **{**body, **changes}).result["status_json"]
    return status


def test_a_download_comes_after_polls_and_one_504(server: Portal) -> None:
    status = queue(server)
    polls = [ask(status) for _ in range(7)]
    # section 4: the states over polls, and a 504 in HTML once
    assert (polls.pop(1).status, polls[0].json["file_exists"]) == (504, False)
    seen = [poll.json["status"] for poll in polls]
    assert seen == ["initiated", "gen_core", "gen_derivative", "zipping", "complete", "complete"]
    direct = polls[-1].json["urls"]["direct"]
    assert ask(direct).kind == "application/zip"
    assert ask(f"{server.url}/status/download/nothing/json").status == 500  # 1.8 [S]
    server.bulk.states = ("complete",)
    assert (
        ask(queue(server)).json["urls"]["direct"] == direct
    )  # 1.8 [S]: identical queries reuse the zip
    assert ask(f"{server.url}/api/3/action/vds_download_queue").status == 400  # 1.2: POST only


def test_files_of_downloads_can_expire(server: Portal) -> None:
    server.bulk.states = ("complete",)
    status = queue(server)
    direct = ask(status).json["urls"]["direct"]
    server.bulk.expired = True
    ask(status)
    assert ask(status).json["file_exists"] is False  # 1.8
    assert ask(direct).status == 404


def unzipped(server: Portal) -> tuple[zipfile.ZipFile, zipfile.ZipFile]:
    server.bulk.states = ("complete",)
    outer = zipfile.ZipFile(io.BytesIO(ask(ask(queue(server)).json["urls"]["direct"]).body))
    return outer, zipfile.ZipFile(io.BytesIO(outer.read("resource.zip")))


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def chosen(server: Portal) -> dict[str, Record]:
    return {r["_id"]: r for r in server.records if TYPES in json.dumps(r["project"])}


def test_the_zip_holds_a_darwin_core_archive_that_is_a_zip(server: Portal) -> None:
    outer, inner = unzipped(server)
    assert set(outer.namelist()) == {"manifest.json", "resource.zip"}  # 1.8 [S]
    names = {"occurrence.csv", "multimedia.csv", "meta.xml", "eml.xml"}
    assert set(inner.namelist()) == names  # 1.8 [S]
    count = json.loads(outer.read("manifest.json"))["total_records"]
    assert count == len(chosen(server)) < len(server.records)


def test_occurrences_are_written_as_the_museum_writes_them(server: Portal) -> None:
    wanted, core = chosen(server), rows(unzipped(server)[1], "occurrence.csv")
    assert {row["_id"] for row in core} == set(wanted)
    last = ["basisOfRecord", "datasetID", "dynamicProperties"]
    columns = list(core[0])
    assert (columns[0], columns[-3:]) == ("_id", last)  # 1.8 [S]
    for row in core:
        record = wanted[row["_id"]]
        assert row["locality"] == record["locality"]  # quotes, newlines and accents survive
        assert row["recordedBy"] == " | ".join(record["recordedBy"])  # 1.8 [S]
        rest = json.loads(row["dynamicProperties"])  # 1.8 [S]: the non-DwC fields
        assert (rest["barcode"], rest["project"]) == (record["barcode"], record["project"])


def test_media_link_to_occurrences_in_columns_of_no_order(server: Portal) -> None:
    wanted, media = chosen(server), rows(unzipped(server)[1], "multimedia.csv")
    pairs = {(row["_id"], row["identifier"]) for row in media}
    expected = {(i, m["identifier"]) for i, r in wanted.items() for m in r["associatedMedia"]}
    assert pairs == expected
    # 1.8 [S]: no assetID, category or pixel size; columns in no fixed order
    assert not {"assetID", "category", "PixelXDimension"} & set(media[0])
    assert next(iter(media[0])) != "_id"
    assert list(media[0]) != sorted(media[0])


def test_meta_xml_is_written_as_the_museum_writes_it(server: Portal) -> None:
    inner = unzipped(server)[1]
    text = inner.read("meta.xml").decode()
    assert 'linesTerminatedBy="&#10;"' in text  # 2.4 [S/E]
    space = "{http://rs.tdwg.org/dwc/text}"  # 2.4 [S/E]: without the slash
    for tag, key, file in (
        ("core", "id", "occurrence.csv"),
        ("extension", "coreid", "multimedia.csv"),
    ):
        part = ElementTree.fromstring(text).find(space + tag)
        assert part is not None
        header = next(csv.reader(io.StringIO(inner.read(file).decode())))
        columns = {int(f.attrib["index"]): f.attrib["term"] for f in part.findall(f"{space}field")}
        found = part.find(space + key)
        assert found is not None
        at = int(found.attrib["index"])
        assert header[at] == "_id"
        assert at not in columns  # 2.4: `_id` has no field element
        assert [columns[i].rsplit("/")[-1] for i in sorted(columns)] == header[:at] + header[
            at + 1 :
        ]
