"""GBIF's side of the test server (portal 2.1 and 2.3): occurrences made from the same records."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from tests.portal_http import Answer, Asked, Record, as_json
from tests.portal_media import PREVIEW, draw, original_size, shrunk

DATASET = "7e380070-f762-11e1-a439-00145eb45e9a"  # 2.1 [S]
ORDER, CLASS = 797, 216  # 2.1 [R]: Lepidoptera, Insecta
FAMILIES = {  # 2.1: Nymphalidae [R], the others [I]
    "Nymphalidae": 7017,
    "Papilionidae": 9417,
    "Pieridae": 5481,
    "Lycaenidae": 5473,
    "Riodinidae": 1933999,
    "Hesperiidae": 6953,
    "Sphingidae": 8868,
}
RANKS = {"Lepidoptera": (ORDER, "ORDER"), "Insecta": (CLASS, "CLASS")}
RANKS |= {name: (key, "FAMILY") for name, key in FAMILIES.items()}
PLAIN = "occurrenceID catalogNumber institutionCode collectionCode scientificName class order"
PLAIN += " family genus specificEpithet infraspecificEpithet sex typeStatus country"


def occurrences(records: list[Record]) -> list[Record]:
    return [_occurrence(i, record) for i, record in enumerate(records)]


def _occurrence(i: int, record: Record) -> Record:
    plain = {name: record[name] for name in PLAIN.split() if name in record}
    numbers: Record = {
        name: int(record[name]) for name in ("year", "month", "day") if name in record
    }
    axes = ("decimalLatitude", "decimalLongitude")
    point: Record = {name: float(record[name]) for name in axes if name in record}
    key = str(record.get("gbifID", record["_id"]))
    family = FAMILIES.get(record.get("family", ""), 0)
    return {
        "key": int(key),
        "gbifID": key,
        "datasetKey": DATASET,  # 2.1: key int, gbifID str
        "basisOfRecord": "PRESERVED_SPECIMEN",
        **plain,
        **numbers,
        **point,
        "orderKey": ORDER,
        "classKey": CLASS,
        "familyKey": family,
        "taxonKey": family,
        "issues": record.get("gbifIssue", []),
        "extensions": {},
        "license": "http://creativecommons.org/publicdomain/zero/1.0/legalcode",
        "media": _media(i, record),
    }


def _media(i: int, record: Record) -> list[Record]:
    """2.1: `identifier` may be missing, the list may be empty."""
    names = [
        "type",
        "format",
        "identifier",
        "title",
        "created",
        "creator",
        "license",
        "rightsHolder",
    ]
    media = record.get("associatedMedia") or []
    found = [{name: m[name] for name in names if name in m} for m in media]
    if i % 4 == 1:
        page = f"https://data.nhm.ac.uk/object/{record.get('occurrenceID')}"
        found.append({"type": "StillImage", "references": page})
    return found


def _year(occurrence: Record, wanted: str) -> bool:
    low, _, high = wanted.partition(",")  # 2.1: ranges are `year=1880,1900`
    year = int(occurrence.get("year", -1))
    return int(low) <= year <= int(high or low)


def _taxon(occurrence: Record, wanted: str) -> bool:
    keys = [value for name, value in occurrence.items() if name.endswith("Key")]
    return wanted in map(str, keys)


def _has_media(occurrence: Record, wanted: str) -> bool:
    return any(media.get("type") == wanted for media in occurrence["media"])


FILTERS: dict[str, Callable[[Record, str], bool]] = {
    "year": _year,
    "taxonKey": _taxon,
    "mediaType": _has_media,
}
SAME = {"datasetKey", "basisOfRecord", "occurrenceID", "catalogNumber", "institutionCode"}
SAME |= {"familyKey", "orderKey"}


def _chosen(occurrence: Record, query: dict[str, list[str]]) -> bool:
    """2.1: a parameter that repeats is OR; names of ranks do not filter ("not guaranteed")."""
    for name, wanted in query.items():
        test = FILTERS.get(name)
        if test and not any(test(occurrence, value) for value in wanted):
            return False
        if name in SAME and str(occurrence.get(name)) not in wanted:
            return False
    return True


def gbif_answer(asked: Asked) -> Answer:
    """Answers a path below `/v1/`."""
    path = asked.path.removeprefix("/v1/")
    if path == "occurrence/search":
        return _search(asked)
    if path == "species/match":
        return _match(asked.query)
    image = re.fullmatch(r"image/cache/(?:([^/]+)/)?occurrence/(\d+)/media/([0-9a-f]{32})", path)
    if image:
        return _image(asked, image[2], image[3])
    return Answer(404, b"Not Found")


def _search(asked: Asked) -> Answer:
    query = asked.query
    try:
        limit, offset = (int(query.get(n, [d])[-1]) for n, d in (("limit", "20"), ("offset", "0")))
    except ValueError:
        return Answer(400, b"limit and offset must be numbers")
    limit = min(limit, 300)  # 2.1 [D]: silently lowered
    if offset + limit > 100_000:  # 2.1 [R]: plain text
        return Answer(400, b"Max offset of 100001 exceeded: offset + limit")
    found = [o for o in asked.portal.gbif if _chosen(o, query)]
    page: dict[str, Any] = {"offset": offset, "limit": limit, "count": len(found), "facets": []}
    page["endOfRecords"] = offset + limit >= len(found)
    page["results"] = found[offset : offset + limit]
    return as_json(page, Cache_Control="public, max-age=600")


def _match(query: dict[str, list[str]]) -> Answer:
    """2.1: a name's key; the shape of the answer is GBIF's published one [I]."""
    name = query.get("name", [""])[-1]
    if name not in RANKS:
        return as_json({"matchType": "NONE", "confidence": 100, "synonym": False})
    key, rank = RANKS[name]
    found = {"usageKey": key, "scientificName": name, "canonicalName": name, "rank": rank}
    return as_json({**found, "matchType": "EXACT", "confidence": 97, "status": "ACCEPTED"})


def _image(asked: Asked, gbif_id: str, digest: str) -> Answer:
    """2.3: known by the md5 of `media.identifier`."""
    for record in asked.portal.records:
        for media in record.get("associatedMedia") or []:
            known = hashlib.md5(media.get("identifier", "").encode()).hexdigest()
            if (str(record.get("gbifID")), known) == (gbif_id, digest):
                size = original_size(media)
                body = draw(media["assetID"], size, shrunk(size, PREVIEW))
                return Answer(200, body, "image/jpeg")
    return Answer(404, b"Not Found")
