"""What a site says of each specimen: its card, in chunks, and where its photograph is seen."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from butterflies.files import write_bytes
from butterflies.rendering.cards import card, media, origin, photograph, scientific_name
from butterflies.rendering.chunks import Specimens, chunks
from butterflies.rendering.copies import copy_photographs
from butterflies.rendering.rows import Rows
from butterflies.tables import stream_rows

PHOTOGRAPHS = ("link", "copy", "none")
MAX_HOSTS = 20
MAX_NAME = 200


@dataclass(frozen=True)
class Photographs:
    """The photographs that cards show.

    Attributes:
        hosts: those of other hosts are shown if they come from one of these.
        copied: rows whose photograph lies in the site.
    """

    hosts: list[str]
    copied: Collection[int] = ()


def photographs(
    choice: str, rows: Rows, collection: Path, folder: Path, workers: int
) -> Photographs:
    """The photographs by one of PHOTOGRAPHS; copies are made.

    Args:
        choice: one of PHOTOGRAPHS.
        rows: of the map.
        collection: the folder that the records' photographs are relative to.
        folder: of the site's version, receives copies.
        workers: processes, 0 for all cores.
    """
    if choice == "copy":
        files = stream_rows(rows.records, ["photo"])
        return Photographs([], copy_photographs(collection, files, folder / "photographs", workers))
    if choice == "none":
        return Photographs([])
    pictures = map(media, stream_rows(rows.records, ["associatedMedia"]))
    return Photographs(_most(origin(photograph(link) or "") for link in pictures if link))


def _most(values: Iterable[str]) -> list[str]:
    """The MAX_HOSTS most frequent values."""
    ranked = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [value for value, _ in ranked[:MAX_HOSTS]]


def write_chunks(rows: Rows, bits: int, shown: Photographs, folder: Path) -> dict[str, int]:
    """Writes the chunks, whose cards are made a chunk at a time.

    Args:
        rows: of the map.
        bits: the map is 2**bits world units wide.
        shown: the photographs.
        folder: receives `q<quadkey>.json`.

    Returns:
        The chunks' names and how many rows each has, in order.
    """

    def cards(start: int, end: int) -> list[dict[str, Any]]:
        records = rows.records.slice(start, end - start).to_pylist()
        return [_card(record, row, shown) for row, record in enumerate(records, start)]

    named = ("genus", "specificEpithet", "infraspecificEpithet", "scientificName")
    called = map(scientific_name, stream_rows(rows.records, named))
    names = [(name or author or "Unnamed")[:MAX_NAME] for name, author in called]
    written: dict[str, int] = {}
    for cell, data in chunks(Specimens(rows.keys, bits, cards, names, rows.near)):
        write_bytes(folder / f"q{cell.quadkey}.json", data)
        written[f"q{cell.quadkey}"] = cell.end - cell.start
    return written


def _card(record: dict[str, Any], row: int, shown: Photographs) -> dict[str, Any]:
    """`photo` becomes an address, true for a copy in the site, or is not there."""
    said = card(record)
    photo = said.pop("photo", None)
    if row in shown.copied:
        said["photo"] = True
    elif photo and origin(photo) in shown.hosts:
        said["photo"] = photo
    return said
