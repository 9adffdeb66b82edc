import csv
from pathlib import Path
from typing import Any

import pytest

from butterflies.files import read_json
from butterflies.rendering.credits import about_credits
from tests.tiny_site import Squares, make_site


def test_credits_lists_every_specimen_with_what_its_record_says(tmp_path: Path) -> None:
    quoted = 'Museum, “A” "B" (2014). é'
    facts = {
        0: {
            "bibliographicCitation": quoted,
            "creator": "=cmd|' /C calc'!A0",
            "recordLicense": "CC0",
        },
        1: {"creator": "\t@SUM(1)", "rightsHolder": "-\r\n1", "scientificName": "+1"},
        2: {"occurrenceID": "https://a.example/record", "creator": "A-B=C@D+E"},
    }
    site = make_site(Squares(4, facts=facts), tmp_path / "site")
    data = (site / read_json(site / "map.json")["version"] / "credits.csv").read_bytes().decode()
    assert data.count("\r\n") == data.count("\n") == 5
    assert '"Museum, “A” ""B"" (2014). é"' in data
    rows = list(csv.DictReader(data.splitlines()))
    assert list(rows[0]) == [
        *("assetID", "scientificName", "creator", "rightsHolder"),
        *("license", "recordLicense", "bibliographicCitation", "record"),
    ]
    assert [row["assetID"] for row in rows] == ["ID000", "ID001", "ID002", "ID003"]
    assert (rows[0]["bibliographicCitation"], rows[0]["recordLicense"]) == (quoted, "CC0")
    assert rows[0]["creator"] == "'=cmd|' /C calc'!A0"
    names = ("creator", "rightsHolder", "scientificName")
    assert [rows[1][name] for name in names] == ["'@SUM(1)", "'- 1", "'+1"]
    assert (rows[2]["record"], rows[2]["creator"]) == ("https://a.example/record", "A-B=C@D+E")
    assert (rows[3]["creator"], rows[3]["license"]) == ("", "CC BY 4.0")


def test_about_counts_licences_of_pictures_and_of_records_apart() -> None:
    by, zero = "://creativecommons.org/licenses/by/4.0/", "CC0"
    records: list[dict[str, Any]] = [
        *({"license": f"http{by}", "recordLicense": zero},) * 2,
        *({"license": f"https{by}"}, {"license": "CC BY 4.0"}, {"license": "All rights reserved"}),
        {"assetID": "bare"},
    ]
    said = about_credits(records)
    assert said["licences"] == [
        {"name": "CC BY 4.0", "link": f"http{by}", "specimens": 4},
        {"name": "All rights reserved", "link": None, "specimens": 1},
        {"name": "not stated", "link": None, "specimens": 1},
    ]
    assert said["record_licences"][0] == {"name": "not stated", "link": None, "specimens": 4}
    assert said["credits"] == {"not stated": 6}
    assert about_credits(records[2:])["record_licences"] == []


@pytest.mark.parametrize(
    ("record", "warned"),
    [
        ({"institutionCode": "NHMUK"}, True),
        ({"associatedMedia": "https://data.nhm.ac.uk/media/1"}, True),
        ({"associatedMedia": "https://data.nhm.ac.uk.e.org/media/1"}, False),
        ({}, False),
    ],
)
def test_the_museums_records_come_without_its_warranty(
    record: dict[str, str], warned: bool
) -> None:
    sentence = about_credits([{}, record])["no_warranty"]
    assert (sentence is not None) == warned
