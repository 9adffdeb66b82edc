"""What a site says of each specimen: its card, in chunks, and where its photograph is seen."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butterflies.files import take_or_write
from butterflies.rendering.cards import card, media, origin, photograph, scientific_name
from butterflies.rendering.chunks import Specimens, chunks
from butterflies.rendering.copies import copy_photographs
from butterflies.rendering.rows import Rows
from butterflies.rendering.versions import EarlierVersion
from butterflies.tables import stream_rows

PHOTOGRAPHS = ("link", "copy", "none")
MAX_HOSTS = 20
MAX_NAME = 200
DIGITS = 3
"""Of scores, behind the point."""


@dataclass(frozen=True)
class Photographs:
    """The photographs that cards show.

    Attributes:
        hosts: those of other hosts are shown if they come from one of these.
        copied: assetIDs whose photograph lies in the site.
    """

    hosts: list[str]
    copied: Collection[str] = ()


def photographs(
    choice: str,
    rows: Rows,
    collection: Path,
    version: Path,
    workers: int,
    earlier: EarlierVersion | None,
) -> Photographs:
    """The photographs by one of PHOTOGRAPHS; copies are made.

    Args:
        choice: one of PHOTOGRAPHS.
        rows: of the map.
        collection: the folder that the records' photographs are relative to.
        version: folder of the site's version, receives copies.
        workers: processes, 0 for all cores.
        earlier: whose copies are taken over.
    """
    if choice == "copy":
        files = stream_rows(rows.records, ["assetID", "photo"])
        return Photographs([], copy_photographs(collection, files, version, workers, earlier))
    if choice == "none":
        return Photographs([])
    pictures = map(media, stream_rows(rows.records, ["associatedMedia"]))
    return Photographs(_most(origin(photograph(link) or "") for link in pictures if link))


def _most(values: Iterable[str]) -> list[str]:
    """The MAX_HOSTS most frequent values."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [value for value, _ in ranked[:MAX_HOSTS]]


def write_chunks(
    rows: Rows, bits: int, shown: Photographs, version: Path, earlier: EarlierVersion | None
) -> tuple[dict[str, int], int]:
    """Writes the chunks, whose cards are made a chunk at a time.

    Args:
        rows: of the map.
        bits: the map is 2**bits world units wide.
        shown: the photographs.
        version: folder of the site's version, receives `chunks/q<quadkey>.json`.
        earlier: whose chunks are taken over.

    Returns:
        The chunks' names and how many rows each has, in order; and how many were taken over.
    """

    def cards(start: int, end: int) -> list[dict[str, Any]]:
        tables = rows.records, rows.scores
        told = (table.slice(start, end - start).to_pylist() for table in tables)
        return [_card(record, scores, shown) for record, scores in zip(*told, strict=True)]

    named = ("genus", "specificEpithet", "infraspecificEpithet", "scientificName")
    called = map(scientific_name, stream_rows(rows.records, named))
    names = [(name or author or "Unnamed")[:MAX_NAME] for name, author in called]
    listed: dict[str, int] = {}
    taken = 0
    for cell, data in chunks(Specimens(rows.keys, bits, cards, rows.ids, names, rows.near)):
        name = f"q{cell.quadkey}"
        file = f"chunks/{name}.json"
        like = earlier.folder / file if earlier else None
        taken += take_or_write(version / file, data, like)
        listed[name] = cell.end - cell.start
    return listed, taken


def _card(
    record: dict[str, Any], scores: Mapping[str, float | None], shown: Photographs
) -> dict[str, Any]:
    """`photo` becomes an address, true for a copy in the site, or is not there."""
    said = card(record)
    said["scores"] = {k: round(v, DIGITS) for k, v in scores.items() if v is not None}
    photo = said.pop("photo", None)
    if record["assetID"] in shown.copied:
        said["photo"] = True
    elif photo and origin(photo) in shown.hosts:
        said["photo"] = photo
    return said
