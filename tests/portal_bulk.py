"""Bulk downloads of the test portal (portal 1.8): a queue, its status over polls, and the zip."""

import csv
import hashlib
import io
import json
import threading
import zipfile
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from tests.portal_http import Answer, Asked, Record, as_json
from tests.portal_query import Refused, Test, equals, invalid, not_imitated, parse_query

STATES = ("initiated", "gen_core", "gen_derivative", "zipping", "complete")  # section 4
GATEWAY = "<html><head><title>504 Gateway Time-out</title></head><body>nginx</body></html>"
# 1.8 [S]: the core's columns are _id, then these sorted, then the last three
CORE = (
    "catalogNumber class collectionCode country decimalLatitude decimalLongitude day family genus"
)
CORE += " higherClassification individualCount infraspecificEpithet institutionCode locality"
CORE += " modified month occurrenceID occurrenceStatus order otherCatalogNumbers recordedBy"
CORE += " scientificName scientificNameAuthorship sex specificEpithet year"
LAST = ["basisOfRecord", "datasetID", "dynamicProperties"]
TERMS = [*sorted(CORE.split()), *LAST]
# 1.8 [S]: in no fixed order, because it was built from a set
MEDIA = ["rightsHolder", "created", "identifier", "license", "type", "creator", "format", "title"]
DWC, DC = "http://rs.tdwg.org/dwc/terms/", "http://purl.org/dc/terms/"


class Bulk:
    """What was queued.

    Attributes:
        states: What a download's status says at its polls, the last for ever.
        expired: Files are gone (portal 1.8: they can expire).
    """

    def __init__(self) -> None:
        self.states: tuple[str, ...] = STATES
        self.expired = False
        self.files: dict[str, bytes] = {}
        self._names: dict[str, str] = {}
        self._polls: dict[str, int] = {}
        self._lock = threading.Lock()

    def queue(self, name: str, content: bytes) -> str:
        with self._lock:
            # 1.8 [S]: identical queries reuse the zip
            self.files.setdefault(name, content)
            download = str(uuid5(NAMESPACE_URL, f"{name} {len(self._names)}"))
            self._names[download] = name
        return download

    def status(self, asked: Asked, download: str) -> Answer:
        with self._lock:
            polls = self._polls[download] = self._polls.get(download, -1) + 1
        if download not in self._names:  # 1.8 [S]: 500, not 404
            return as_json("Internal Server Error", 500)
        if polls == 1:  # section 4: a 504 in HTML once; 1.8: status pages time out
            return Answer(504, GATEWAY.encode(), "text/html")
        at = self.states[min(polls - (polls > 1), len(self.states) - 1)]
        there = at == "complete" and not self.expired
        link = f"{asked.portal.url}/downloads/direct/{self._names[download]}.zip"
        times = {"created": "2026-11-02T10:00:00", "modified": "2026-11-02T10:00:00"}
        ready = {"file_exists": there, "urls": {"direct": link} if there else {}}
        return as_json({"status": at, "message": None, "total_time": polls, **times, **ready})

    def file(self, name: str) -> Answer:
        if self.expired or name not in self.files:
            return Answer(404, b"<html><body>404 Not Found</body></html>", "text/html")
        return Answer(200, self.files[name], "application/zip")


def queue_download(portal: Any, params: dict[str, Any]) -> dict[str, str]:
    """The action `vds_download_queue`; the download holds the data of this moment."""
    test, arguments = _selected(params.get("query")), _arguments(params.get("file"))
    # 1.8 [S]: the notifier defaults to none
    if params.get("notifier", {"type": "none"}).get("type") not in {"none", "email", "webhook"}:
        raise invalid("Unknown notifier", "notifier")
    records = [state.data for state in portal.collection.as_of() if test(state)]
    key = json.dumps([params["query"], params["file"], portal.version], sort_keys=True)
    name = hashlib.sha1(key.encode()).hexdigest()
    download = portal.bulk.queue(name, archive(records, **arguments))
    status = f"{portal.url}/status/download/{download}"
    ids = {"job_id": str(uuid5(NAMESPACE_URL, download)), "download_id": download}
    when = {"queued_at": "2026-11-02T10:00:00"}
    return {**when, **ids, "status_json": f"{status}/json", "status_html": status}


def _selected(query: Any) -> Test:
    if not isinstance(query, dict):
        raise invalid("Missing value", "query")
    if query.get("slug_or_doi") == "butterfly-types":  # 1.1 [S]: the reserved slug
        return equals("project", "papilionoidea new types digitisation project")
    if "slug_or_doi" in query:
        raise Refused(404, {"__type": "Not Found Error", "message": "Not found"})
    return parse_query(query.get("query", {}))


def _arguments(file: Any) -> dict[str, Any]:
    if not isinstance(file, dict) or file.get("format") not in {"csv", "json", "dwc", "raw"}:
        raise invalid("Unknown format", "file")
    if file["format"] != "dwc":
        raise not_imitated(f"downloads as {file['format']}")
    media = (file.get("format_args") or {}).get("extension_map", {}).get("gbif_multimedia", [])
    return {"media": media == ["associatedMedia"], "separate": bool(file.get("separate_files"))}


def archive(records: list[Record], media: bool, separate: bool) -> bytes:
    """The outer zip: a manifest and a Darwin Core archive that is a zip itself (portal 1.8)."""
    inner = {"occurrence.csv": _table(["_id", *TERMS], [_core(record) for record in records])}
    columns = [name for name in MEDIA if any(name in m for r in records for m in _media(r))]
    if media:
        rows = [{**m, "_id": record["_id"]} for record in records for m in _media(record)]
        # 1.8 [S]: shuffled; _id is found by the header, too
        inner["multimedia.csv"] = _table([*columns[:3], "_id", *columns[3:]], rows)
    inner["meta.xml"] = _meta(columns if media else []).encode()
    inner["eml.xml"] = b"<eml/>"
    name = "05ff2255-c38a-40c9-b657-4ccb55ab2feb.zip" if separate else "resource.zip"
    manifest = {"file_format": "dwc", "total_records": len(records), "files": [name]}
    return _zip({"manifest.json": json.dumps(manifest).encode(), name: _zip(inner)})


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def _media(record: Record) -> list[Record]:
    return record.get("associatedMedia") or []


def _core(record: Record) -> Record:
    own = {name: value for name, value in record.items() if name in {"_id", *TERMS}}
    # 1.8 [S]: what is no Darwin Core term is in dynamicProperties
    rest = {k: v for k, v in record.items() if k not in own and k != "associatedMedia"}
    return {**own, "dynamicProperties": json.dumps(rest, ensure_ascii=False)}


def _table(columns: list[str], rows: list[Record]) -> bytes:
    """1.8 [S]: UTF-8, commas, every field quoted, "\\n", lists joined by " | "."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = [row.get(name, "") for name in columns]
        writer.writerow([" | ".join(v) if isinstance(v, list) else v for v in values])
    return buffer.getvalue().encode()


def _meta(media: list[str]) -> str:
    # 2.4 [S]: no slash at the namespace's end, a real newline, no field for _id
    look = 'encoding="UTF-8" linesTerminatedBy="&#10;" fieldsTerminatedBy=","'
    look += ' fieldsEnclosedBy="&quot;" ignoreHeaderLines="1"'
    core = [(DC if name == "modified" else DWC) + name for name in TERMS]
    parts = [_part("core", DWC + "Occurrence", look, "occurrence.csv", ["", *core])]
    if media:
        terms = [DC + name for name in media]
        kind = "http://rs.gbif.org/terms/1.0/Multimedia"
        columns = [*terms[:3], "", *terms[3:]]
        parts.append(_part("extension", kind, look, "multimedia.csv", columns))
    start = '<archive xmlns="http://rs.tdwg.org/dwc/text" metadata="eml.xml">'
    return f"{start}{''.join(parts)}</archive>"


def _part(tag: str, kind: str, look: str, file: str, columns: list[str]) -> str:
    key = f'<{"id" if tag == "core" else "coreid"} index="{columns.index("")}"/>'
    fields = [f'<field index="{i}" term="{escape(c)}"/>' for i, c in enumerate(columns) if c]
    files = f"<files><location>{file}</location></files>"
    return f'<{tag} rowType="{kind}" {look}>{files}{key}{"".join(fields)}</{tag}>'
