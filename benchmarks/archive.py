"""Reads an archive in the portal's style and prints rows a second and peak memory.

    python benchmarks/archive.py 1000000
    python benchmarks/archive.py 100000 200000     # the peer reads 200,000 rows at most

The archive is drawn, written as a stream into a temporary folder: 30 core columns besides
`dynamicProperties`, 1.2 media a record, all quoted, a zip in a zip. Beside `Archive.pages` stands
python-dwca-reader where it is installed, which gives each row with its media; it reads the inner
zip, and a smaller share where it is told so. It does less: texts stay as they are, also those of
`dynamicProperties`, doubled ids stay, and where a record's media lie is kept in memory.
"ours, to records.parquet" is all that `collect source=dwca` does but for fetching pictures.
Each reader is a process of its own; memory is its largest resident set. Seconds are wall time.
"""

import csv
import importlib
import importlib.util
import io
import json
import os
import random
import resource
import sys
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from butterflies.collection.ledger import Ledger
from butterflies.collection.listing import list_photographs
from butterflies.collection.records import stream_records
from butterflies.collection.sources.archive import Archive
from butterflies.collection.sources.query import Query

DWC, DC = "http://rs.tdwg.org/dwc/terms/", "http://purl.org/dc/terms/"
TERMS = """catalogNumber class collectionCode continent coordinateUncertaintyInMeters country
    dateIdentified day decimalLatitude decimalLongitude family genus geodeticDatum habitat
    higherClassification identifiedBy individualCount institutionCode kingdom lifeStage locality
    month occurrenceID order recordedBy scientificName sex specificEpithet stateProvince year
    basisOfRecord dynamicProperties"""
CORE = TERMS.split()
MEDIA = ("license", "title", "identifier", "rightsHolder", "type", "format", "creator")
EPITHETS = [
    a + b for a in ("mach", "pod", "nap", "car", "io") for b in ("aon", "alirius", "i", "dui")
]


def main(words: list[str]) -> None:
    if words[0] == "read":
        _read(words[1], Path(words[2]), int(words[3]))
        return
    count = int(words[0])
    peers = int(words[1]) if len(words) > 1 else count
    with tempfile.TemporaryDirectory() as folder:
        inner, outer = Path(folder, "resource.zip"), Path(folder, "portal.zip")
        _write(inner, count)
        with zipfile.ZipFile(outer, "w") as zipped:
            zipped.write(inner, inner.name)
        print(f"{count:,} records, {outer.stat().st_size / 1e6:.0f} MB zipped")
        print("\n| reader | records | s | records/s | peak MB |\n|---|---|---|---|---|", flush=True)
        _child("ours", outer, count)
        _child("ours, to records.parquet", outer, count)
        if importlib.util.find_spec("dwca"):
            _child("python-dwca-reader", inner, min(peers, count))


def _write(path: Path, count: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("meta.xml", _meta())
        header = {"occurrence.csv": ("_id", *CORE), "multimedia.csv": ("_id", *MEDIA)}
        for name, rows in (("occurrence.csv", _core), ("multimedia.csv", _media)):
            with zipped.open(name, "w", force_zip64=True) as member:
                text = io.TextIOWrapper(member, "utf-8", newline="")
                writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
                writer.writerow(header[name])
                writer.writerows(rows(count))
                text.flush()


def _meta() -> str:
    how = 'encoding="UTF-8" fieldsTerminatedBy="," linesTerminatedBy="&#10;" '
    how += 'fieldsEnclosedBy="&quot;" ignoreHeaderLines="1"'

    def sheet(tag: str, kind: str, place: str, key: str, terms: list[str]) -> str:
        fields = "".join(f'<field index="{i}" term="{t}"/>' for i, t in enumerate(terms, 1))
        files = f"<files><location>{place}</location></files>"
        return f'<{tag} rowType="{kind}" {how}>{files}<{key} index="0"/>{fields}</{tag}>'

    core = [DWC + name for name in CORE]
    media = [DC + name for name in MEDIA]
    kind = "http://rs.gbif.org/terms/1.0/Multimedia"
    return (
        '<archive xmlns="http://rs.tdwg.org/dwc/text">'
        + sheet("core", DWC + "Occurrence", "occurrence.csv", "id", core)
        + sheet("extension", kind, "multimedia.csv", "coreid", media)
        + "</archive>"
    )


def _core(count: int) -> Iterator[list[str]]:
    chance = random.Random(0)
    constant = {
        "class": "Insecta",
        "collectionCode": "BMNH(E)",
        "family": "Papilionidae",
        "higherClassification": "Insecta; Lepidoptera; Papilionoidea; Papilionidae; Papilioninae",
        "institutionCode": "NHMUK",
        "kingdom": "Animalia",
        "order": "Lepidoptera",
        "genus": "Papilio",
        "basisOfRecord": "PreservedSpecimen",
        "locality": "Río Piñas, hills above the road, 1,200 m",
        "country": "Ecuador",
        "recordedBy": "Unknown; from the collection of a collector",
    }
    for number in range(count):
        epithet = chance.choice(EPITHETS)
        further = {"project": ["drawn set"], "barcode": f"{number:09}", "preservative": "Dry"}
        given = {
            **constant,
            "catalogNumber": f"NHMUK{number:09}",
            "occurrenceID": str(uuid.UUID(int=chance.getrandbits(128))),
            "specificEpithet": epithet,
            "scientificName": f"Papilio {epithet} Linnaeus, 1758",
            "sex": chance.choice(("", "Male", "Female")),
            "year": str(chance.randint(1850, 2000)),
            "decimalLatitude": f"{chance.uniform(-5, 5):.6f}",
            "decimalLongitude": f"{chance.uniform(-80, -70):.6f}",
            "dynamicProperties": json.dumps({**further, "associatedMediaCount": 1}),
        }
        yield [str(5_000_000 + number), *(given.get(name, "") for name in CORE)]


def _media(count: int) -> Iterator[list[str]]:
    chance = random.Random(1)
    licence = "http://creativecommons.org/licenses/by/4.0/"
    holder = "The Trustees of the Natural History Museum, London"
    for number in range(count):
        for view in range(1 if chance.random() < 0.8 else 2):
            address = f"https://data.nhm.ac.uk/media/{uuid.UUID(int=chance.getrandbits(128))}"
            title = f"{number:09}_{view}"
            row = [licence, title, address, holder, "StillImage", "image/jpeg", ""]
            yield [str(5_000_000 + number), *row]


def _child(reader: str, path: Path, count: int) -> None:
    line = [sys.executable, __file__, "read", reader, str(path), str(count)]
    _, status = os.waitpid(os.posix_spawn(sys.executable, line, os.environ), 0)
    if status:
        sys.exit(f"{reader} failed.")


def _read(reader: str, path: Path, count: int) -> None:
    start = time.perf_counter()
    ways = {"ours": _ours, "ours, to records.parquet": _listed}
    found = sum(ways[reader](path) if reader in ways else islice(_peer(path), count))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {reader} | {found:,} | {seconds:.1f} | {found / seconds:,.0f} | {peak:.0f} |")


def _ours(path: Path) -> Iterator[int]:
    for page in Archive(path, Query(), path.parent / "work").pages(""):
        yield len(page.records)


def _listed(path: Path) -> Iterator[int]:
    place = path.parent / "collection"
    ledger, source = Ledger(place), Archive(path, Query(), place / "work")
    list_photographs(ledger, source, None)
    stream_records(place, ledger.table(), ledger.further())
    yield int(ledger.value("SELECT COUNT(*) FROM record"))
    ledger.close()


def _peer(path: Path) -> Iterator[int]:
    with importlib.import_module("dwca.read").DwCAReader(str(path)) as archive:
        for row in archive:
            yield bool(row.data and row.extensions)


if __name__ == "__main__":
    main(sys.argv[1:])
