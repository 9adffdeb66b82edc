"""meta.xml, which says what the tables of a Darwin Core Archive hold (portal 2.4).

Read here, as python-dwca-reader 0.17's ArchiveDescriptor does not serve: it wants `coreid` in lower
case, an encoding, and the namespace in double quotes without a prefix; it takes the first
`<location>` only, takes tabs without quotation marks for the default where the standard says commas
with them, and expands entities. The tests read ordinary archives with both.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from butterflies.collection.sources.csvfile import Shape
from butterflies.collection.sources.terms import column_name, last_part
from butterflies.errors import UserError

LARGEST = 1 << 20
"""Bytes of a meta.xml; they have some thousand."""
MEDIA = ("Multimedia", "Image")
"""Row types of pictures: Simple Multimedia, Audubon Core, and GBIF's older Image."""


@dataclass(frozen=True)
class Sheet:
    """A table of an archive.

    Attributes:
        kind: the last part of its row type.
        places: its files.
        shape: how they are written.
        header_lines: rows to skip at the top of each file.
        key: index of the id, None where meta.xml names none.
        columns: index and name of each further column.
        defaults: texts of columns that a row leaves empty or the files lack.
    """

    kind: str
    places: Sequence[str]
    shape: Shape
    header_lines: int
    key: int | None
    columns: Sequence[tuple[int, str]]
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        return {name for _, name in self.columns} | set(self.defaults)


@dataclass(frozen=True)
class Metafile:
    core: Sheet
    media: Sequence[Sheet]


def read_metafile(data: bytes, name: str) -> Metafile:
    """The core and the tables of media of a meta.xml.

    Raises:
        UserError: it is too large, no XML, has a DOCTYPE, or says something impossible.
    """
    if len(data) > LARGEST:
        raise UserError(f"{name} has more than {LARGEST} bytes, as none of an archive does.")
    root = _parsed(data, name)
    cores = [e for e in root if _tag(e) == "core"]
    if len(cores) != 1:
        raise UserError(f"{name} names {len(cores)} core tables: one is expected.")
    extensions = [_sheet(e, name) for e in root if _tag(e) == "extension" and _is_media(e)]
    for sheet in extensions:
        if sheet.key is None:
            raise UserError(f"{name}: the table {sheet.places[0]} has no coreid to join it by.")
    return Metafile(_sheet(cores[0], name), extensions)


class _NoDoctype(ET.TreeBuilder):
    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuses entities, which could grow without bound."""
        raise UserError(f"has a DOCTYPE ({name}), as no archive needs.")


def _parsed(data: bytes, name: str) -> ET.Element:
    try:
        return ET.fromstring(data, ET.XMLParser(target=_NoDoctype()))
    except UserError as error:
        raise UserError(f"{name} {error}") from None
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UserError(f"{name} is no XML ({error}): fetch the archive again.") from None


def _tag(element: ET.Element) -> str:
    """Without its namespace, which some write with and some without a slash (portal 2.4)."""
    return element.tag.split("}")[-1].lower() if isinstance(element.tag, str) else ""


def _is_media(element: ET.Element) -> bool:
    return last_part(element.get("rowType", "")) in MEDIA


def _sheet(element: ET.Element, name: str) -> Sheet:
    places = [(e.text or "").strip() for e in element.iter() if _tag(e) == "location"]
    if not places or not all(places):
        raise UserError(f"{name}: a {_tag(element)} has no location: a file's name is expected.")
    ids = [e for e in element if _tag(e) in ("id", "coreid")]
    columns, defaults = _columns(element, name)
    return Sheet(
        kind=last_part(element.get("rowType", "")),
        places=places,
        shape=_shape(element, name),
        header_lines=_whole(element.get("ignoreHeaderLines") or "0", name),
        key=_whole(ids[0].get("index") or "0", name) if ids else None,
        columns=columns,
        defaults=defaults,
    )


def _columns(element: ET.Element, name: str) -> tuple[list[tuple[int, str]], dict[str, str]]:
    columns: list[tuple[int, str]] = []
    defaults: dict[str, str] = {}
    terms: set[str] = set()
    for found in (e for e in element if _tag(e) == "field"):
        term = (found.get("term") or "").strip()
        if not term or term in terms:
            said = f"the term {term} twice" if term else "a field without a term"
            raise UserError(f"{name} has {said}: each column needs a name of its own.")
        terms.add(term)
        if default := (found.get("default") or "").strip():
            defaults[column_name(last_part(term))] = default
        if index := found.get("index"):
            columns.append((_whole(index, name), column_name(last_part(term))))
    return columns, defaults


def _shape(element: ET.Element, name: str) -> Shape:
    lines = _unescaped(element.get("linesTerminatedBy", "\n"))
    # An XML reader makes blanks of raw tabs and line ends in attributes.
    delimiter = _unescaped(element.get("fieldsTerminatedBy", ",")).replace(" ", "\t")
    quote = _unescaped(element.get("fieldsEnclosedBy", '"'))
    if len(delimiter) > 1 or len(quote) > 1 or lines.strip("\r\n ") or delimiter in ("\n", "\r"):
        raise UserError(
            f"{name}: lines ended by {lines!r}, fields by {delimiter!r} in {quote!r} are not "
            "understood: line breaks and single characters are expected."
        )
    return Shape(delimiter, quote.strip(), element.get("encoding", "").strip() or "utf-8")


def _unescaped(text: str) -> str:
    """Most write a line's end as the two characters of its escape (portal 2.4)."""
    for escape, character in (("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")):
        text = text.replace(escape, character)
    return text


def _whole(text: str, name: str) -> int:
    if not text.strip().isdecimal():
        raise UserError(f"{name}: {text!r} stands where a column or line is counted from 0.")
    return int(text)
