"""What a pop-up says of a specimen: plain texts and checked addresses, made once per record.

Records come from anywhere. Nothing in them is ever HTML or a path: texts are stripped of control
characters and cut, addresses are kept only when they are plain http(s).
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from butterflies.collection.museum import PORTAL, record_page

MAX_TEXT = 1000
"""Longest text of one field, in characters."""

MAX_CARD = 8000
"""Most characters that the further fields of one record may take together."""

SHOWN = ("family", "sex", "typeStatus", "country", "locality", "catalogNumber", "project")
"""Fields that the card shows under their own heading, as they are."""

TOLD = (
    *("scientificName", "bibliographicCitation"),
    *("genus", "specificEpithet", "infraspecificEpithet"),
    *("year", "month", "day", "decimalLatitude", "decimalLongitude"),
    *("license", "recordLicense", "rightsHolder", "creator", "associatedMedia"),
)
"""Fields that the card tells in another form."""

INTERNAL = (
    *("assetID", "status", "reason", "specimen", "photo", "photo_bytes", "photo_mtime_ns"),
    *("sha256", "width", "height"),
)
"""Columns of this program, of no interest to a visitor; `photo` may even be a path."""

SAID = frozenset((*SHOWN, *TOLD, *INTERNAL))
"""All other columns are the record's further fields."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
ADDRESS = re.compile(
    r"(?P<origin>https?://(?P<host>[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)"
    r"(:[0-9]{1,5})?)([/?#][^\x00-\x20\x7f-\xa0\"'<>\\^`{|}]*)?",
    re.IGNORECASE,
)
"""A plain http(s) address: no user, no blank, nothing that ends an attribute or a policy."""

COMMONS = r"https?://(?:www\.)?creativecommons\.org"
LICENCES = {
    rf"{COMMONS}/licenses/([a-z]+(?:-[a-z]+)*)/([0-9.]+)(?:/.*)?": "CC {} {}",
    rf"{COMMONS}/publicdomain/zero/([0-9.]+)(?:/.*)?": "CC0 {}",
    rf"{COMMONS}/publicdomain/mark/([0-9.]+)(?:/.*)?": "Public Domain Mark {}",
}
"""Addresses of licences, and what to call them."""

LINKED = re.compile(r"(https?://\S*[^\s.,;:!?)\]>\"'])", re.IGNORECASE)
"""An address in a sentence, without the stop or bracket that follows it."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def card(record: Mapping[str, Any]) -> dict[str, Any]:
    """A specimen's card; a key is left out where there is nothing to say.

    Args:
        record: a row of the records table; any further column is a further field.

    Returns:
        assetID; name (to be set in italics) and author (upright); the SHOWN fields; date,
        coordinates, credit; licence and licence_link, of the picture, record_licence and
        record_licence_link, see `licence`; citation, see `linked`; link (the record's page); photo
        (address of the museum's photograph); more: {column: text} of all other columns.
    """
    name, author = scientific_name(record)
    pictures, pictures_link = licence(record.get("license"))
    records, records_link = licence(record.get("recordLicense"))
    picture = media(record)
    facts = {
        "assetID": record["assetID"],
        "name": name,
        "author": author,
        **{field: text(record.get(field)) for field in SHOWN},
        "date": date(record.get("year"), record.get("month"), record.get("day")),
        "coordinates": coordinates(record.get("decimalLatitude"), record.get("decimalLongitude")),
        "credit": credit(record),
        "licence": pictures,
        "licence_link": pictures_link,
        "record_licence": records,
        "record_licence_link": records_link,
        "citation": linked(text(record.get("bibliographicCitation"))),
        "link": record_link(record, picture),
        "photo": photograph(picture),
        "more": further(record),
    }
    return {key: value for key, value in facts.items() if value}


def text(value: Any) -> str | None:
    r"""`value` on one line, without control characters, at most MAX_TEXT long; None when empty.

    >>> text("  Sumatra\n(Deli) ")
    'Sumatra (Deli)'
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return _line(str(value))


@lru_cache(maxsize=100_000)
def _line(value: str) -> str | None:
    clean = " ".join(CONTROL.sub(" ", value).split())
    return (clean if len(clean) <= MAX_TEXT else f"{clean[:MAX_TEXT]}…") or None


def scientific_name(record: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The name to be set in italics and what follows upright, usually the author.

    >>> scientific_name({"genus": "Elophila", "specificEpithet": "nymphaeata",
    ...                  "scientificName": "Elophila nymphaeata (Linnaeus, 1758)"})
    ('Elophila nymphaeata', '(Linnaeus, 1758)')
    """
    parts = [text(record.get(k)) for k in ("genus", "specificEpithet", "infraspecificEpithet")]
    whole = text(record.get("scientificName"))
    known = [part for part in parts if part] if parts[0] else []
    while whole and known:
        latin = " ".join(known)
        if whole == latin or whole.startswith(f"{latin} "):
            return latin, whole[len(latin) :].strip() or None
        known.pop()
    if whole:
        return (whole, None) if parts[0] else (None, whole)
    return " ".join(part for part in parts if part) or None, None


def date(year: Any, month: Any, day: Any) -> str | None:
    """As much of a date as is known.

    >>> date(1886, 10, 18), date(1886, 10, None), date(1886, None, 18), date(None, 10, 18)
    ('18 October 1886', 'October 1886', '1886', '18 October')
    """
    named = MONTHS[month - 1] if month and 1 <= month <= 12 else None
    parts = [str(day) if named and day and 1 <= day <= 31 else None, named, year and str(year)]
    return " ".join(part for part in parts if part) or None


def coordinates(latitude: float | None, longitude: float | None) -> str | None:
    """Degrees with the side of the equator and of Greenwich.

    >>> coordinates(-4.25, 118.0)
    '4.25° S, 118° E'
    """
    if latitude is None or longitude is None:
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    north, east = "S" if latitude < 0 else "N", "W" if longitude < 0 else "E"
    return f"{_degrees(latitude)} {north}, {_degrees(longitude)} {east}"


def _degrees(value: float) -> str:
    return f"{abs(value):.5f}".rstrip("0").rstrip(".") + "°"


def credit(record: Mapping[str, Any]) -> str | None:
    """Who is to be named with the picture: its maker, then who holds the rights."""
    names = [text(record.get("creator")), text(record.get("rightsHolder"))]
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def licence(value: Any) -> tuple[str | None, str | None]:
    """What to call a licence, and its address if that is what it is given by.

    >>> licence("http://creativecommons.org/licenses/by/4.0/")
    ('CC BY 4.0', 'http://creativecommons.org/licenses/by/4.0/')
    """
    said, link = text(value), address(text(value))
    for pattern, label in LICENCES.items() if link else ():
        if found := re.fullmatch(pattern, str(link), re.IGNORECASE):
            return label.format(*map(str.upper, found.groups())), link
    return said, link


def linked(said: str | None) -> list[str]:
    """A text in pieces, every second of which is an address that may become a link.

    >>> linked("See https://a.org/1.")
    ['See ', 'https://a.org/1', '.']
    """
    pieces = [""]
    for number, piece in enumerate(LINKED.split(said or "")):
        # An address that ends with the ellipsis of `text` was cut: it leads nowhere.
        if number % 2 and address(piece) and not piece.endswith("…"):
            pieces += [piece, ""]
        else:
            pieces[-1] += piece
    return pieces if said else []


def further(record: Mapping[str, Any]) -> dict[str, str]:
    """All other fields, in the table's order, until MAX_CARD characters are reached."""
    found: dict[str, str] = {}
    room = MAX_CARD
    for column, value in record.items():
        said = None if column in SAID else text(value)
        if said and len(said) + len(column) <= room:
            found[column] = said
            room -= len(said) + len(column)
    return found


def address(value: Any) -> str | None:
    """`value` when it is a plain http(s) address, else None."""
    found = str(value).strip() if value else ""
    return found if len(found) <= MAX_TEXT and ADDRESS.fullmatch(found) else None


def origin(link: str) -> str:
    """Scheme and host of an address, as a Content-Security-Policy names it."""
    found = ADDRESS.fullmatch(link)
    return found["origin"].lower() if found else ""


def media(record: Mapping[str, Any]) -> str | None:
    """The first http(s) address of associatedMedia, several of which are parted by ` | `."""
    listed = re.split(r"\s*\|\s*|\s+", str(record.get("associatedMedia") or "").strip())
    return next(filter(None, map(address, listed)), None)


def record_link(record: Mapping[str, Any], picture: str | None) -> str | None:
    """The record's own page: the portal's for its specimens, else whatever address it brings."""
    identity = str(record.get("occurrenceID") or "").strip()
    return record_page(record) or address(identity) or picture


def photograph(picture: str | None) -> str | None:
    """The museum's photograph; from the portal its preview, not an original of tens of MB."""
    if picture and re.fullmatch(rf"{re.escape(PORTAL)}/media/[0-9a-f-]{{36}}", picture):
        return f"{picture}/preview"
    return picture
