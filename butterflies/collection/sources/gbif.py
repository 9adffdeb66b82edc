"""GBIF's occurrence search as a source; its limits are marked with their section.

GBIF gives the records; the pictures come from the museums' own servers.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from butterflies.collection.fetching.web import Web
from butterflies.collection.sources.base import Page, Record
from butterflies.collection.sources.portal import filled
from butterflies.errors import UserError

PAGE = 300
"""Records of a page, the most that GBIF gives (2.1)."""

WINDOW = 100_000
"""Records that a search reaches (2.1)."""


@dataclass
class GbifSettings:
    """Where GBIF is."""

    url: str = "https://api.gbif.org"


@dataclass
class GbifQuery:
    """Which occurrences are wanted."""

    taxon: Any = None
    """The name of a taxon, or a list of them."""
    dataset: str | None = "7e380070-f762-11e1-a439-00145eb45e9a"
    """The key of a dataset; the London museum's by default, null for all of GBIF."""


class Gbif:
    """Preserved specimens with pictures.

    Args:
        web: that knows GBIF's host.
        settings: where it is.
        query: what is wanted.
        limit: records that are enough, None for all.

    Raises:
        UserError: no taxon was given.
    """

    newest_first = False

    def __init__(
        self, web: Web, settings: GbifSettings, query: GbifQuery, limit: int | None
    ) -> None:
        self.web, self.url, self.dataset = web, settings.url.rstrip("/"), query.dataset
        given = query.taxon if isinstance(query.taxon, list) else [query.taxon]
        self.taxa = [str(name).strip() for name in given if name is not None]
        self.limit = limit
        if not self.taxa or not all(self.taxa):
            raise UserError("query.taxon= is missing: give a name, such as Papilionidae.")

    def identity(self) -> dict[str, Any]:
        return {"source": "gbif", "dataset": self.dataset, "taxon": self.taxa}

    def version(self) -> str:
        """GBIF names no version: it may have changed from one day to the next."""
        return datetime.now(UTC).date().isoformat()

    def pages(self, version: str, cursor: str | None = None) -> Iterator[Page]:
        """All records, a taxon after the other.

        Raises:
            UserError: GBIF does not know a taxon, or has more of it than a search reaches.
        """
        first, offset = json.loads(cursor) if cursor else (0, 0)
        for number in range(first, len(self.taxa)):
            yield from self._of_taxon(number, offset if number == first else 0)

    def _of_taxon(self, number: int, offset: int) -> Iterator[Page]:
        key = self._key(self.taxa[number])
        while True:
            found = self._search(key, offset)
            self._check_reach(self.taxa[number], int(found["count"]))
            results = found.get("results") or []
            offset += PAGE
            ended = bool(found.get("endOfRecords")) or not results or offset >= WINDOW
            following = [number + 1, 0] if ended else [number, offset]
            yield Page([_record(result) for result in results], json.dumps(following))
            if ended:
                return

    def _key(self, name: str) -> Any:
        found = self.web.ask(f"{self.url}/v1/species/match", name=name)
        if not found.get("usageKey") or found.get("matchType") not in ("EXACT", None):
            raise UserError(f"query.taxon={name}: GBIF knows no taxon of exactly that name.")
        return found["usageKey"]

    def _search(self, key: Any, offset: int) -> Any:
        asked = {
            "taxonKey": key,
            "mediaType": "StillImage",
            "basisOfRecord": "PRESERVED_SPECIMEN",
            "limit": PAGE,
            "offset": offset,
        }
        if self.dataset:
            asked["datasetKey"] = self.dataset
        return self.web.ask(f"{self.url}/v1/occurrence/search", **asked)

    def _check_reach(self, name: str, count: int) -> None:
        if count > WINDOW and (self.limit is None or self.limit > WINDOW):
            raise UserError(
                f"GBIF has {count:,} records of {name}, and its search reaches {WINDOW:,}: ask for "
                "smaller taxa, set limit=, or order a download there and read it with "
                "source=dwca archive=FILE.zip."
            )


def _record(result: Mapping[str, Any]) -> Record:
    plain = {name: value for name, value in result.items() if not _structured(value)}
    media = [filled(m) for m in result.get("media") or [] if isinstance(m, dict)]
    return Record(str(result.get("key") or result.get("gbifID")), filled(plain), media)


def _structured(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, dict) for v in value)
    )
