"""Records out of files: Darwin Core Archives of the museum or of GBIF, and pairs of CSVs."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from butterflies.collection.sources.base import Page
from butterflies.collection.sources.csvfile import EXPECTED, Table, fitted, keyed, raw_rows
from butterflies.collection.sources.media import media_columns
from butterflies.collection.sources.metafile import LARGEST, Metafile, Sheet, read_metafile
from butterflies.collection.sources.notes import Notes
from butterflies.collection.sources.pairing import Part, Rows, pages_of
from butterflies.collection.sources.query import Query, wanted
from butterflies.collection.sources.zips import Zip, check_file, open_file
from butterflies.errors import UserError
from butterflies.files import sha256

IDS = ("_id", "id", "gbifid", "assetid", "occurrenceid", "catalognumber", "unitid")
"""Columns that name a record, in lower case; the first one that is there counts."""
Chosen = Callable[[list[tuple[int, str]]], list[tuple[int, str]]]
OWN_ADDRESSES = {"associatedMedia", "associatedMedia.identifier", "dynamicProperties"}
"""Columns in which a record may name its media, see `media.take_media`."""
NO_ADDRESSES = "has no column of addresses: associatedMedia or a table of media is expected."


class Archive:
    """A Darwin Core Archive: the portal's zip in a zip, older ones without meta.xml, or GBIF's.

    A `Source`; the records come in the archive's order.
    """

    newest_first = False

    def __init__(self, archive: Path, query: Query, work: Path) -> None:
        """Takes the zip, what is wanted of it, and a folder for temporary files."""
        self.archive, self.query, self.work = archive, query, work

    def identity(self) -> dict[str, Any]:
        return {"source": "dwca", "query": wanted(self.query)}

    def version(self) -> str:
        check_file(self.archive, "archive", "a zip")
        return sha256(self.archive)

    def pages(self, version: str, cursor: str | None = None) -> Iterator[Page]:
        check_file(self.archive, "archive", "a zip")
        notes, size = Notes(), self.archive.stat().st_size
        with _folder(self.work) as folder, Zip(self.archive, str(self.archive), size) as zipped:
            parts = _parts(zipped, folder, notes)
            yield from pages_of(parts, self.query, folder, notes, zipped.name)


class CsvPair:
    """A CSV of records, with or without a CSV of their media; each may be packed with gzip.

    A `Source`; the records come in the table's order.
    """

    newest_first = False

    def __init__(self, occurrence: Path, multimedia: Path | None, query: Query, work: Path) -> None:
        """Takes the tables, what is wanted of them, and a folder for temporary files."""
        self.occurrence, self.multimedia = occurrence, multimedia
        self.query, self.work = query, work

    def identity(self) -> dict[str, Any]:
        return {"source": "csv", "query": wanted(self.query)}

    def version(self) -> str:
        for path, setting in self._files():
            check_file(path, setting, EXPECTED)
        marks = "".join(sha256(path) for path, _ in self._files())
        return hashlib.sha256(marks.encode()).hexdigest()

    def _files(self) -> list[tuple[Path, str]]:
        media = [(self.multimedia, "media")] if self.multimedia else []
        return [(self.occurrence, "records"), *media]

    def pages(self, version: str, cursor: str | None = None) -> Iterator[Page]:
        notes = Notes()
        with _folder(self.work) as folder, ExitStack() as open_files:
            tables = [
                Table(open_files.enter_context(open_file(p, s, EXPECTED)), str(p), notes)
                for p, s in self._files()
            ]
            parts, name = [_pair(tables, notes)], tables[0].name
            yield from pages_of(parts, self.query, folder, notes, name)


@contextmanager
def _folder(work: Path) -> Iterator[Path]:
    made = not work.exists()
    work.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            yield Path(folder)
    finally:
        with suppress(OSError):  # somebody else put something there
            if made:
                work.rmdir()


def _parts(zipped: Zip, folder: Path, notes: Notes, depth: int = 1) -> Iterator[Part]:
    inner = [m for m in zipped.members if m.lower().endswith(".zip")]
    if meta := zipped.find("meta.xml"):
        yield _described(zipped, meta, notes)
    elif core := zipped.find("occurrence.csv", "occurrence.txt"):
        media = zipped.find("multimedia.csv", "multimedia.txt")
        yield from _plain(zipped, [core, media] if media else [core], notes)
    elif inner and depth == 2:
        raise UserError(f"{zipped.name} holds zips again: give the innermost one by itself.")
    elif inner:  # the portal packs an archive, or one for each resource, into a zip (portal 1.8)
        for member in inner:
            with zipped.inner(member, folder) as found:
                yield from _tolerant(_parts(found, folder, notes, depth + 1), notes)
    elif tables := [m for m in zipped.members if m.lower().endswith(".csv")]:
        for table in tables:  # the portal's `csv` (portal 1.8)
            yield from _tolerant(_plain(zipped, [table], notes), notes)
    else:
        raise UserError(f"{zipped.name} holds neither meta.xml nor occurrence.csv nor a zip.")


class _NoAddresses(UserError):
    """A table names no media."""


def _tolerant(parts: Iterator[Part], notes: Notes) -> Iterator[Part]:
    """Of several resources in one zip, those without media are passed over."""
    try:
        yield from parts
    except _NoAddresses as error:
        notes.add("tables without addresses", str(error))


def _plain(zipped: Zip, members: Sequence[str], notes: Notes) -> Iterator[Part]:
    with ExitStack() as streams:
        opened = [streams.enter_context(zipped.open(m)) for m in members]
        tables = [Table(s, zipped.said(m), notes) for s, m in zip(opened, members, strict=True)]
        yield _pair(tables, notes)


def _pair(tables: Sequence[Table], notes: Notes) -> Part:
    """Tables of records and of media, whose headers tell how they belong together."""
    core = tables[0]
    if len(tables) == 1:
        if not OWN_ADDRESSES & set(core.names):
            raise _NoAddresses(f"{core.name} {NO_ADDRESSES}")
        return Part(_named(core, _id_column(core.names, core.name), notes), None)
    media = tables[1]
    if not _has_addresses(media.names):
        raise UserError(f"{media.name} has no column identifier: it should hold the addresses.")
    left, right = _link(core, media)
    return Part(_named(core, left, notes), _named(media, right, notes, media_columns))


def _named(table: Table, key: int, notes: Notes, chosen: Chosen = list) -> Rows:
    named = [(i, name) for i, name in enumerate(table.names) if name]
    columns = [(i, name) for i, name in named if i != key or name not in ("_id", "id", "coreid")]
    return keyed(table.rows(), key, chosen(columns), table.name, notes)


def _id_column(names: Sequence[str], said: str) -> int:
    low = [name.lower() for name in names]
    for name in IDS:
        if name in low:
            return low.index(name)
    raise UserError(f"{said} has no column of ids: one named {', '.join(IDS)} is expected.")


def _link(core: Table, media: Table) -> tuple[int, int]:
    left, right = ([name.lower() for name in table.names] for table in (core, media))
    for name in IDS:
        if name in left and name in right:
            return left.index(name), right.index(name)
    if "coreid" in right:
        return _id_column(core.names, core.name), right.index("coreid")
    raise UserError(
        f"{core.name} and {media.name} share no column of ids: one named {', '.join(IDS)} is "
        "expected in both."
    )


def _described(zipped: Zip, member: str, notes: Notes) -> Part:
    name = zipped.said(member)
    with zipped.open(member) as stream:
        meta = read_metafile(stream.read(LARGEST + 1), name)
    _check_addresses(meta, name)
    if meta.core.kind != "Occurrence":
        said = f"{name}: the core holds rows of {meta.core.kind}, which are taken for specimens."
        notes.add("cores of another kind", said)
    top = member[: -len("meta.xml")]
    media = [replace(sheet, columns=media_columns(sheet.columns)) for sheet in meta.media]
    sheets = [_sheet_rows(zipped, top, sheet, notes) for sheet in media]
    core = _sheet_rows(zipped, top, meta.core, notes)
    return Part(core, chain.from_iterable(sheets) if sheets else None)


def _has_addresses(names: Iterable[str]) -> bool:
    return any(key == "identifier" for _, key in media_columns((name, name) for name in names))


def _check_addresses(meta: Metafile, name: str) -> None:
    for sheet in meta.media:
        if not _has_addresses(sheet.names):
            raise UserError(f"{name}: {sheet.places[0]} has no column identifier or accessURI.")
    if not meta.media and not OWN_ADDRESSES & meta.core.names:
        raise _NoAddresses(f"{name}: {meta.core.places[0]} {NO_ADDRESSES}")


def _sheet_rows(zipped: Zip, top: str, sheet: Sheet, notes: Notes) -> Rows:
    for place in sheet.places:
        member = zipped.at(top + place.removeprefix("./"))
        name = zipped.said(member)
        with zipped.open(member) as stream:
            rows = raw_rows(stream, name, notes, sheet.shape)
            header = [row for row in (next(rows, []) for _ in range(sheet.header_lines)) if row]
            needed = max([sheet.key or 0, *(i for i, _ in sheet.columns)]) + 1
            if header and len(header[-1]) < needed:
                raise UserError(
                    f"{name} has {len(header[-1])} columns, its meta.xml names {needed}: "
                    "fetch the archive again."
                )
            width = len(header[-1]) if header else needed
            key = sheet.key if sheet.key is not None else _core_id(sheet, name)
            fit = fitted(rows, width, name, notes)
            yield from keyed(fit, key, sheet.columns, name, notes, sheet.defaults)


def _core_id(sheet: Sheet, name: str) -> int:
    columns = list(sheet.columns)
    return columns[_id_column([column for _, column in columns], name)][0]
