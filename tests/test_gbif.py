"""GBIF as a source. Facts are marked as in the test server: `gbif` and a section."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from butterflies.collection.collecting import GbifCollectSettings, collect_gbif
from butterflies.collection.fetching.settings import host_of
from butterflies.collection.sources import gbif as gbif_module
from butterflies.collection.sources.gbif import GbifQuery, GbifSettings
from butterflies.errors import UserError
from tests import portal_faults as faults
from tests.gathering import QUICK, Rows, rows
from tests.portal_records import make_records
from tests.portal_server import Portal, serving


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    monkeypatch.setattr(gbif_module, "PAGE", 10)
    with serving(make_records(60)) as server:
        yield server


MUSEUM = GbifQuery().dataset


def collect(portal: Portal, taxon: Any, dataset: Any = MUSEUM, **given: Any) -> Rows:
    settings = GbifCollectSettings(
        "c",
        replace(QUICK, hosts=[host_of(portal.url)]),
        source=GbifSettings(portal.url),
        query=GbifQuery(taxon, dataset),
        **given,
    )
    return rows(collect_gbif(settings))


def searches(portal: Portal) -> list[dict[str, list[str]]]:
    asked = [request.path for request in portal.log if "/occurrence/search" in request.path]
    return [parse_qs(urlsplit(path).query) for path in asked]


def test_the_specimens_of_taxa_come_page_by_page_to_the_end(portal: Portal) -> None:
    found = collect(portal, ["Papilionidae", "Nymphalidae"])
    families = {r["occurrenceID"]: r["family"] for r in portal.records}
    wanted = {k for k, v in families.items() if v in ("Papilionidae", "Nymphalidae")}
    assert {row["specimen"] for row in found.values()} == wanted
    assert {row["status"] for row in found.values()} == {"ok"}
    # gbif 2.1: pages by offset, each its own taxon
    assert all(int(asked["limit"][0]) <= 300 for asked in searches(portal))
    pages = [asked for asked in searches(portal) if asked["limit"] != ["0"]]
    offsets = [int(asked["offset"][0]) for asked in pages]
    assert offsets.count(0) == 2
    assert max(offsets) > 0


def test_records_have_the_same_ids_and_values_as_the_portals(portal: Portal) -> None:
    found = collect(portal, "Papilionidae")
    # gbif 2.1: the address ends with the portal's assetID; there are no categories
    assert found.keys() <= portal.assets().keys()
    assert not any("_label_" in str(row["title"]) for row in found.values())
    records = {record["occurrenceID"]: record for record in portal.records}
    for row in found.values():
        record = records[row["occurrenceID"]]
        assert row["genus"] == record["genus"]
        assert row["year"] == (int(record["year"]) if "year" in record else None)
        assert row["license"]
        assert row["bibliographicCitation"].startswith("Natural History Museum (")


def test_media_without_an_address_are_left_out_and_said(portal: Portal) -> None:
    collect(portal, "Lepidoptera")
    without = [
        medium
        for occurrence in portal.gbif
        for medium in occurrence["media"]
        if "identifier" not in medium
    ]
    notes = json.loads(Path("c/provenance.json").read_text())["notes"]
    assert without  # gbif 2.1: `identifier` may be missing
    assert sum("no address" in note for note in notes) > 0


def test_a_taxon_that_gbif_does_not_know_is_said(portal: Portal) -> None:
    with pytest.raises(UserError, match=r"query\.taxon=Papilionidea: GBIF knows no taxon"):
        collect(portal, "Papilionidea")
    with pytest.raises(UserError, match=r"query\.taxon= is missing"):
        collect(portal, None)


def test_more_than_a_search_reaches_is_refused_with_a_way_out(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gbif_module, "WINDOW", 20)  # gbif 2.1: 100,000
    with pytest.raises(UserError, match=r"source=dwca archive=FILE\.zip"):
        collect(portal, "Lepidoptera")
    assert len(searches(portal)) == 1
    assert len(collect(portal, "Lepidoptera", limit=12)) == 12


@pytest.mark.parametrize("fault", [faults.too_many(), faults.unavailable(1), faults.html_200])
def test_a_busy_gbif_is_asked_again(portal: Portal, fault: Any) -> None:
    portal.faults.on("/v1/", faults.fine, fault, fault)
    assert collect(portal, "Papilionidae")


def test_all_of_gbif_is_searched_without_a_dataset(portal: Portal) -> None:
    collect(portal, "Papilionidae", None)
    assert not any("datasetKey" in asked for asked in searches(portal))
    collect(portal, "Nymphalidae")
    assert "datasetKey" in searches(portal)[-1]
