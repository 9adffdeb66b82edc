"""Collecting from the test portal, as the tests do it."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from butterflies.collection.collecting import NhmSettings, collect_nhm
from butterflies.collection.fetching.settings import DownloadSettings
from butterflies.collection.records import read_records
from butterflies.collection.sources.portal import PortalSettings
from butterflies.collection.sources.query import Query
from tests.portal_server import Portal

Rows = dict[str, dict[str, Any]]
QUICK = DownloadSettings("tester@example.org", rate=2000, concurrency=8, timeout=2, backoff=0.01)


def settings(portal: Portal, **given: Any) -> NhmSettings:
    """Settings for the test portal; keys of the download and of the query go to their place."""
    download = {k: given.pop(k) for k in list(given) if k in QUICK.__dict__}
    query = {k: given.pop(k) for k in list(given) if k in Query().__dict__}
    return NhmSettings(
        collection=given.pop("collection", "c"),
        download=replace(QUICK, **download),
        source=PortalSettings(portal.url),
        query=Query(**(query or {"order": "Lepidoptera"})),
        **given,
    )


def collect(portal: Portal, **given: Any) -> Rows:
    """Collects from the test portal; the rows of the table by assetID."""
    return rows(collect_nhm(settings(portal, **given)))


def rows(place: Path) -> Rows:
    return {row["assetID"]: row for row in read_records(place).to_pylist()}


def specimens(portal: Portal) -> dict[str, dict[str, Any]]:
    """The media that are pictures of specimens, by assetID, by the portal's own words."""
    return {
        medium["assetID"]: medium
        for record in portal.records
        for medium in record.get("associatedMedia", [])
        if medium["category"].lower() == "specimen" and "_label_" not in medium["title"]
    }


def pictures_asked(portal: Portal, since: int = 0) -> list[str]:
    """The paths of the pictures that were asked for."""
    return [request.path for request in portal.log[since:] if request.path.startswith("/media")]


def check_whole(portal: Portal, found: Rows) -> None:
    """Every specimen's picture lies in its place, byte for byte, and nothing else does."""
    assert found.keys() == specimens(portal).keys()
    assert Counter(row["status"] for row in found.values()) == {"ok": len(found)}
    for key, row in found.items():
        data = Path("c", row["photo"]).read_bytes()
        assert data == portal.picture(key)
        assert row["photo_bytes"] == len(data)
    assert len(list(Path("c/photos").iterdir())) == len(found)
