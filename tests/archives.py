"""Small archives in the ways of the museum's portal and of GBIF, for tests."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from butterflies.collection.sources.archive import Archive, CsvPair
from butterflies.collection.sources.base import Page, Record
from butterflies.collection.sources.query import Query

DWC = "http://rs.tdwg.org/dwc/terms/"
DC = "http://purl.org/dc/terms/"
MEDIA = "http://rs.gbif.org/terms/1.0/Multimedia"
AUDUBON = "http://rs.tdwg.org/ac/terms/Multimedia"
ADDRESS = "https://data.nhm.ac.uk/media/"
Table = Sequence[Sequence[str]]

CORE: Table = [
    ["_id", "catalogNumber", "family", "license", "dynamicProperties"],
    ["7", "BMNH(E)7", "Pieridae", "CC0", json.dumps({"project": ["A", "B"], "barcode": 17})],
    ["8", "BMNH(E)8", "Papilionidae", "", "{}"],
    ["9", "BMNH(E)9", "Papilionidae", "", ""],
]
PICTURES: Table = [
    ["license", "_id", "title", "identifier", "type"],
    ["CC BY", "8", "eight, ventral\nview", ADDRESS + "8b", "StillImage"],
    ["CC BY", "7", "seven", ADDRESS + "7", "StillImage"],
    ["CC BY", "8", "", ADDRESS + "8a", ""],
]
"""In no order, as the portal's columns (portal 1.8)."""


def quoted(rows: Table) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue()


def tabbed(rows: Table) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def sheet(
    tag: str, kind: str, place: str, terms: Sequence[str], key: str = "", how: str = ""
) -> str:
    """A table of meta.xml; the first column is its id, `terms` are those of the others."""
    how = how or (
        'encoding="UTF-8" linesTerminatedBy="&#10;" fieldsTerminatedBy="," '
        'fieldsEnclosedBy="&quot;" ignoreHeaderLines="1"'
    )
    key = key or ("id" if tag == "core" else "coreid")
    fields = "".join(f'<field index="{i}" term="{t}"/>' for i, t in enumerate(terms) if t)
    location = f"<files><location>{place}</location></files>"
    return f'<{tag} rowType="{kind}" {how}>{location}<{key} index="0"/>{fields}</{tag}>'


def meta(*sheets: str, namespace: str = "http://rs.tdwg.org/dwc/text") -> str:
    return f'<archive xmlns="{namespace}" metadata="eml.xml">{"".join(sheets)}</archive>'


def portal_members() -> dict[str, str | bytes]:
    """An archive in the portal's v6 style."""
    core = ["", *(DWC + name for name in CORE[0][1:3]), DC + "license", DWC + CORE[0][4]]
    fields = "".join(
        f'<field index="{i}" term="{DC}{name}"/>'
        for i, name in enumerate(PICTURES[0])
        if name != "_id"
    )
    media = sheet("extension", MEDIA, "multimedia.csv", []).replace(
        '<coreid index="0"/>', f'<coreid index="1"/>{fields}'
    )
    return {
        "occurrence.csv": quoted(CORE),
        "multimedia.csv": quoted(PICTURES),
        "meta.xml": meta(sheet("core", DWC + "Occurrence", "occurrence.csv", core), media),
        "eml.xml": "<eml/>",
    }


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def read(members: Mapping[str, str | bytes] | bytes, **query: Any) -> list[Page]:
    """All pages of an archive with these members."""
    Path("a.zip").write_bytes(members if isinstance(members, bytes) else zipped(members))
    source = Archive(Path("a.zip"), Query(**query), Path("work"))
    return list(source.pages(source.version()))


def read_pair(core: str | bytes, media: str | bytes | None = None, **query: Any) -> list[Page]:
    """All pages of a pair of CSVs."""
    for name, content in (("core.csv", core), ("media.csv", media)):
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            Path(name).write_bytes(data)
    second = None if media is None else Path("media.csv")
    source = CsvPair(Path("core.csv"), second, Query(**query), Path("work"))
    return list(source.pages(source.version()))


def records(pages: list[Page]) -> dict[str, Record]:
    return {record.key: record for page in pages for record in page.records}


def notes(pages: list[Page]) -> list[str]:
    return [note for page in pages for note in page.notes]


def addresses(pages: list[Page]) -> dict[str, list[str]]:
    """Each record's pictures, without what all addresses begin with."""
    return {
        key: [m["identifier"].removeprefix(ADDRESS) for m in record.media]
        for key, record in records(pages).items()
    }
