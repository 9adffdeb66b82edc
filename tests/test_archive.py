from pathlib import Path

import pytest

from butterflies.collection.sources.archive import Archive
from butterflies.collection.sources.query import Query
from butterflies.errors import UserError
from tests.archives import (
    ADDRESS,
    AUDUBON,
    CORE,
    DC,
    DWC,
    MEDIA,
    PICTURES,
    addresses,
    meta,
    notes,
    portal_members,
    quoted,
    read,
    records,
    sheet,
    tabbed,
    zipped,
)

BOTH = {"7": ["7"], "8": ["8b", "8a"]}
PAPILIO = {"8": ["8b", "8a"]}


def test_the_portals_zip_in_a_zip_gives_records_and_media() -> None:
    outer: dict[str, str | bytes] = {
        "manifest.json": "{}",
        "resource.zip": zipped(portal_members()),
    }
    pages = read(outer)
    assert addresses(pages) == BOTH
    seven, eight = records(pages).values()
    assert seven.fields == {
        "catalogNumber": "BMNH(E)7",
        "family": "Pieridae",
        "license": "CC0",
        "project": "A | B",
        "barcode": "17",
    }
    assert dict(seven.media[0]) == {
        "identifier": ADDRESS + "7",
        "license": "CC BY",
        "title": "seven",
        "type": "StillImage",
    }
    assert eight.media[0]["title"] == "eight, ventral\nview"
    assert "title" not in eight.media[1]
    assert notes(pages) == []
    assert not Path("work").exists()


def test_several_inner_zips_are_one_answer_and_a_doubled_id_counts_once() -> None:
    second = portal_members()
    second["occurrence.csv"] = quoted([CORE[0], *CORE[1:2], ["10", "x", "Pieridae", "", ""]])
    second["multimedia.csv"] = quoted([PICTURES[0], ["", "10", "", ADDRESS + "10", "Image"]])
    pages = read({"a.zip": zipped(portal_members()), "b.zip": zipped(second)})
    assert addresses(pages) == {**BOTH, "10": ["10"]}
    assert notes(pages) == ["The id 7 stands in several rows: the first one is kept."]


def test_a_resource_without_media_is_passed_over_among_others() -> None:
    bare: dict[str, str | bytes] = {"occurrence.csv": "_id,family\n1,Pieridae\n"}
    pages = read({"a.zip": zipped(bare), "b.zip": zipped(portal_members())})
    assert addresses(pages) == BOTH
    assert "a.zip/a.zip/occurrence.csv has no column of addresses" in notes(pages)[0]
    with pytest.raises(UserError, match=r"no record: .* has no column of addresses"):
        read({"a.zip": zipped(bare)})


def test_older_zips_have_tables_at_the_top_and_no_meta() -> None:
    members = portal_members()
    del members["meta.xml"]
    assert addresses(read(members)) == BOTH
    assert addresses(read({f"data/{k}": v for k, v in members.items()})) == BOTH


def test_the_portals_flat_csv_is_read_too() -> None:
    header = ["_id", "family", "associatedMedia.identifier", "associatedMedia.title"]
    header += ["associatedMedia.assetID", "associatedMedia.format"]
    two = f"{ADDRESS}1 | {ADDRESS}2"
    rows = [["1", "Pieridae", two, "a | b", "x | y", ""], ["2", "Pieridae", two, "a", "", ""]]
    pages = read({"manifest.json": "{}", "resource.csv": quoted([header, *rows])})
    assert [dict(m) for m in records(pages)["1"].media] == [
        {"identifier": ADDRESS + "1", "title": "a", "assetID": "x"},
        {"identifier": ADDRESS + "2", "title": "b", "assetID": "y"},
    ]
    assert records(pages)["1"].fields == {"family": "Pieridae"}
    assert [dict(m) for m in records(pages)["2"].media] == [
        {"identifier": ADDRESS + "1"},
        {"identifier": ADDRESS + "2"},
    ]
    assert "record 2: 2 addresses, but associatedMedia.title has 1 parts" in notes(pages)[0]


def test_gbifs_zip_has_tabs_and_lone_quotation_marks() -> None:
    how = (
        'encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" '
        'ignoreHeaderLines="1"'
    )
    core = ["http://rs.gbif.org/terms/1.0/gbifID", DWC + "locality", DC + "license"]
    media = ["", DC + "identifier", DC + "format", DC + "type"]
    members: dict[str, str | bytes] = {
        "meta.xml": meta(
            sheet("core", DWC + "Occurrence", "occurrence.txt", core, how=how),
            sheet("extension", DWC + "Occurrence", "verbatim.txt", core, how=how),
            sheet("extension", MEDIA, "multimedia.txt", media, how=how),
            namespace="http://rs.tdwg.org/dwc/text/",
        ),
        "occurrence.txt": tabbed([["gbifID", "locality", "license"], ["1", '"Rio', "CC0"]]),
        "verbatim.txt": "gbifID\n\0never read",
        "multimedia.txt": tabbed(
            [
                ["gbifID", "identifier", "format", "type"],
                ["1", ADDRESS + "1", "image/jpeg", "StillImage"],
                ["1", ADDRESS + "song", "audio/mpeg", "Sound"],
                ["1", "", "image/jpeg", "StillImage"],
                ["1", ADDRESS + "2", "", "http://purl.org/dc/dcmitype/StillImage"],
            ]
        ),
    }
    pages = read(members)
    assert addresses(pages) == {"1": ["1", "2"]}
    assert records(pages)["1"].fields == {
        "gbifID": "1",
        "locality": '"Rio',
        "license": "CC0",
    }
    assert notes(pages) == [
        "Media that are no pictures, left out: 1 in all.",
        "Media without an address, left out: 1 in all.",
    ]
    del members["meta.xml"]
    assert addresses(read(members)) == {"1": ["1", "2"]}


def test_audubon_core_keeps_the_address_in_its_own_column() -> None:
    terms = ["", DC + "identifier", "http://rs.tdwg.org/ac/terms/accessURI"]
    terms += ["http://rs.tdwg.org/ac/terms/subjectOrientation"]
    terms += ["http://ns.adobe.com/xap/1.0/rights/WebStatement"]
    terms += ["http://ns.adobe.com/xap/1.0/rights/Owner", "http://purl.org/dc/elements/1.1/type"]
    members: dict[str, str | bytes] = {
        "meta.xml": meta(
            sheet("core", DWC + "Occurrence", "o.csv", ["", DWC + "family"]),
            sheet("extension", AUDUBON, "m.csv", terms, key="coreId"),
        ),
        "o.csv": "id,family\n1,Pieridae\n",
        "m.csv": f"a,b,c,d,e,f,g\n1,urn:1,{ADDRESS}1,dorsal,https://cc.example/by,NHM,StillImage\n",
    }
    assert [dict(m) for m in records(read(members))["1"].media] == [
        {
            "identifier": ADDRESS + "1",
            "view": "dorsal",
            "license": "https://cc.example/by",
            "rightsHolder": "NHM",
            "type": "StillImage",
        }
    ]


def test_odd_but_lawful_metafiles_are_understood() -> None:
    core = (
        '<x:core rowType="http://rs.tdwg.org/dwc/terms/Occurrence" fieldsTerminatedBy=";" '
        'encoding="windows-1252" linesTerminatedBy="\\r\\n"><x:files><x:location>a.txt</x:location>'
        '<x:location>./B.txt</x:location></x:files><x:id index="1"/>'
        f'<x:field index="0" term="{DWC}locality" default="?"/>'
        f'<x:field term="{DWC}country" default="Peru"/>'
        f'<x:field index="2" term="{DWC}associatedMedia"/></x:core>'
    )
    members: dict[str, str | bytes] = {
        "top/meta.xml": f'<x:archive xmlns:x="http://rs.tdwg.org/dwc/text/">{core}</x:archive>',
        "top/a.txt": f'"Río; Piñas";1;{ADDRESS}1\r\n'.encode("cp1252"),
        "top/b.txt": f";2;{ADDRESS}2\r\n",
    }
    found = records(read(members))
    assert {k: r.fields for k, r in found.items()} == {
        "1": {"locality": "Río; Piñas", "country": "Peru"},
        "2": {"locality": "?", "country": "Peru"},
    }


def test_both_readers_see_the_same_in_an_ordinary_archive() -> None:
    dwca = pytest.importorskip("dwca.read")
    members = portal_members()
    ours = records(read(members))
    found = {}
    with dwca.DwCAReader("a.zip") as archive:
        for row in archive:
            media = [e.data[DC + "identifier"] for e in row.extensions]
            found[row.id] = (row.data[DWC + "family"], media)
    seen = {k: (r.fields["family"], [m["identifier"] for m in r.media]) for k, r in ours.items()}
    assert seen == {key: both for key, both in found.items() if both[1]}


def test_a_reading_that_is_given_up_leaves_no_files() -> None:
    Path("a.zip").write_bytes(zipped({"resource.zip": zipped(portal_members())}))
    pages = Archive(Path("a.zip"), Query(), Path("work")).pages("")
    next(pages)
    assert Path("work").exists()
    pages.close()  # type: ignore[attr-defined]
    assert not Path("work").exists()


def test_only_records_that_match_are_given_and_the_identity_says_which() -> None:
    assert addresses(read(portal_members(), family="papilionidae")) == PAPILIO
    assert addresses(read(portal_members(), project="b")) == {"7": ["7"]}
    assert addresses(read(portal_members(), family="Lycaenidae")) == {}
    source = Archive(Path("a.zip"), Query(family="Pieridae"), Path("work"))
    assert source.identity() == {"source": "dwca", "query": {"family": ["Pieridae"]}}
