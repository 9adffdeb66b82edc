"""`butterflies collect` from the portal, GBIF, an archive or a table: list, fetch, write down."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from butterflies.collection.fetching.download import download
from butterflies.collection.fetching.settings import DownloadSettings, check, host_of
from butterflies.collection.fetching.web import Web
from butterflies.collection.keeping import Listing
from butterflies.collection.ledger import Ledger
from butterflies.collection.listing import list_photographs
from butterflies.collection.masks import set_aside
from butterflies.collection.origin import check_origin
from butterflies.collection.records import stream_records
from butterflies.collection.reporting import say_listed, summarise, write_changes
from butterflies.collection.sources.archive import Archive, CsvPair
from butterflies.collection.sources.base import Source
from butterflies.collection.sources.gbif import Gbif, GbifQuery, GbifSettings
from butterflies.collection.sources.portal import Portal, PortalSettings
from butterflies.collection.sources.query import Query
from butterflies.errors import UserError
from butterflies.files import lock, write_json
from butterflies.tracking import provenance as prov


@dataclass
class NetworkSettings:
    """What every source over the network shares."""

    collection: str
    """The folder to make."""
    download: DownloadSettings = field(default_factory=DownloadSettings)
    limit: int | None = None
    """Photographs that the collection may hold."""
    retry: str | None = None
    """`failed` asks again for pictures that failed or were gone."""


@dataclass
class NhmSettings(NetworkSettings):
    """Settings of `collect source=nhm`."""

    source: PortalSettings = field(default_factory=PortalSettings)
    query: Query = field(default_factory=Query)


@dataclass
class GbifCollectSettings(NetworkSettings):
    """Settings of `collect source=gbif`."""

    source: GbifSettings = field(default_factory=GbifSettings)
    query: GbifQuery = field(default_factory=GbifQuery)


@dataclass
class ArchiveSettings(NetworkSettings):
    """Settings of `collect source=dwca`."""

    archive: str | None = None
    """A Darwin Core Archive, as the portal and GBIF give it."""
    query: Query = field(default_factory=Query)


@dataclass
class CsvSettings(NetworkSettings):
    """Settings of `collect source=csv`."""

    records: str | None = None
    """The table of occurrences."""
    media: str | None = None
    """The table of their media; without one `associatedMedia` of the records counts."""
    query: Query = field(default_factory=Query)


def collect_nhm(settings: NhmSettings) -> Path:
    """Collects from the museum's portal; see `collect`."""
    url = settings.source.url
    web = _web(settings, museum=[_host(url)])
    return collect(settings, Portal(web, settings.source, settings.query), web, url)


def collect_gbif(settings: GbifCollectSettings) -> Path:
    """Collects from GBIF; see `collect`."""
    url = settings.source.url
    web = _web(settings, others=[_host(url)])
    source = Gbif(web, settings.source, settings.query, settings.limit)
    return collect(settings, source, web, url)


def collect_archive(settings: ArchiveSettings) -> Path:
    """Collects from a Darwin Core Archive; see `collect`."""
    if not settings.archive:
        raise UserError("archive= is missing: give a Darwin Core Archive, a zip file.")
    source = Archive(Path(settings.archive), settings.query, _work(settings))
    return collect(settings, source, _web(settings), "an archive")


def collect_csv(settings: CsvSettings) -> Path:
    """Collects from a table of records and one of media; see `collect`."""
    if not settings.records:
        raise UserError("records= is missing: give a CSV with a header.")
    media = Path(settings.media) if settings.media else None
    source = CsvPair(Path(settings.records), media, settings.query, _work(settings))
    return collect(settings, source, _web(settings), "a table")


def _work(settings: NetworkSettings) -> Path:
    """A folder for what is read on the way, without what a killed run left there."""
    work = Path(settings.collection) / ".reading"
    shutil.rmtree(work, ignore_errors=True)
    return work


def _web(settings: NetworkSettings, museum: Sequence[str] = (), others: Sequence[str] = ()) -> Web:
    check(settings.download)
    return Web(settings.download, museum, others)


def _host(url: str) -> str:
    host = host_of(url)
    if not host:
        raise UserError(f"source.url={url} is no web address, such as https://host.")
    return host


def collect(settings: NetworkSettings, source: Source, web: Web, origin: str) -> Path:
    """Lists what a source has, fetches the pictures, writes the records table.

    Args:
        settings: what is shared by all sources.
        source: what to collect.
        web: that fetches the pictures.
        origin: where the source is, in words.

    Returns:
        The collection's folder.

    Raises:
        UserError: the source cannot be read, the disk is full, or a host is lost. What is here
            is in the table; the same command goes on.
    """
    if settings.retry not in (None, "failed"):
        raise UserError(f"retry={settings.retry}: only failed can be tried again.")
    if settings.limit is not None and settings.limit < 1:
        raise UserError(f"limit={settings.limit}: at least one photograph is expected.")
    place = Path(settings.collection)
    whole_origin = f"{origin} with download.size={settings.download.size}"
    with lock(place / "records.parquet"):
        check_origin(place, whole_origin)
        provenance = prov.begin("collect", settings, {}, prov.hash_of(source.identity()))
        provenance["origin"] = whole_origin
        ledger = Ledger(place)
        try:
            with ledger.told():
                _collect(settings, source, web, ledger, provenance)
        finally:
            web.close()
            ledger.close()
    return place


def _collect(
    settings: NetworkSettings, source: Source, web: Web, ledger: Ledger, provenance: dict[str, Any]
) -> None:
    place = Path(settings.collection)
    found = list_photographs(ledger, source, settings.limit)
    say_listed(found)
    if settings.retry:
        ledger.retry_failed()
    ledger.forget_lost()
    write_json(place / "provenance.json", provenance)  # a killed run's origin counts, too
    try:
        download(ledger, place, web)
    except BaseException:
        provenance["status"] = "stopped"
        with suppress(OSError):  # a full disk is said by whoever met it first
            _write_down(settings, ledger, provenance, found)
        raise
    _write_down(settings, ledger, provenance, found)
    prov.finish(provenance, place)


def _write_down(
    settings: NetworkSettings, ledger: Ledger, provenance: dict[str, Any], found: Listing
) -> None:
    """Writes the tables of what is here by now, and says it."""
    place = Path(settings.collection)
    notes = [*found.notes, *_set_masks_aside(ledger, place)]
    stream_records(place, ledger.table(), [*ledger.further(), "duplicateOf"])
    write_changes(ledger, place)
    provenance["notes"] = notes
    write_json(place / "provenance.json", provenance)
    summarise(ledger, place, notes, settings.download, found.fresh)


def _set_masks_aside(ledger: Ledger, place: Path) -> list[str]:
    query = """SELECT DISTINCT assetID, width, height FROM photograph JOIN change USING (assetID)
        WHERE what = 'replaced' ORDER BY assetID"""
    return [
        f"{row['assetID']}: its new picture has another size, so its mask was put aside (.png.1)."
        for row in ledger.rows(query)
        if set_aside(place, row)
    ]
