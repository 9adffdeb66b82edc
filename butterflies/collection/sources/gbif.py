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
        keys = [self._key(name) for name in self.taxa]
        counts = [self._count(*taxon) for taxon in zip(self.taxa, keys, strict=True)]
        first, offset = json.loads(cursor) if cursor else (0, 0)
        for number in range(first, len(keys)):
            start = offset if number == first else 0
            for offset in range(start, min(counts[number], WINDOW), PAGE):
                results = self._results(keys[number], offset, counts[number])
                following = json.dumps([number, offset + PAGE])
                yield Page([_record(result) for result in results], following, sum(counts))

    def _key(self, name: str) -> Any:
        found = self._ask("species/match", name=name)
        if not found.get("usageKey") or found.get("matchType") not in ("EXACT", None):
            raise UserError(f"query.taxon={name}: GBIF knows no taxon of exactly that name.")
        return found["usageKey"]

    def _count(self, name: str, key: Any) -> int:
        count = self._search(key, 0, 0).get("count")
        if type(count) is not int:
            raise UserError(f"{self.url} did not say how many records of {name} it has.")
        if count > WINDOW and (self.limit is None or self.limit > WINDOW):
            raise UserError(
                f"GBIF has {count:,} records of {name}, and its search reaches {WINDOW:,}: ask for "
                "smaller taxa, set limit=, or order a download there and read it with "
                "source=dwca archive=FILE.zip."
            )
        return count

    def _results(self, key: Any, offset: int, count: int) -> list[dict[str, Any]]:
        """The records of a page, which has some as long as `offset` is below `count`."""
        found = self._search(key, offset, PAGE).get("results")
        results = [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []
        if not results:
            raise UserError(
                f"{self.url} gave an empty page at {offset:,} of {count:,} records: the same "
                "command goes on from here."
            )
        return results

    def _search(self, key: Any, offset: int, limit: int) -> dict[str, Any]:
        asked = {
            "taxonKey": key,
            "mediaType": "StillImage",
            "basisOfRecord": "PRESERVED_SPECIMEN",
            "limit": limit,
            "offset": offset,
        }
        return self._ask("occurrence/search", **asked, **self._dataset())

    def _dataset(self) -> dict[str, str]:
        return {"datasetKey": self.dataset} if self.dataset else {}

    def _ask(self, what: str, **parameters: Any) -> dict[str, Any]:
        found = self.web.ask(f"{self.url}/v1/{what}", **parameters)
        if not isinstance(found, dict):
            raise UserError(f"{self.url} answered {what} with something else than an object.")
        return found


def _record(result: Mapping[str, Any]) -> Record:
    plain = {name: value for name, value in result.items() if not _structured(value)}
    media = [filled(m) for m in result.get("media") or [] if isinstance(m, dict)]
    return Record(str(result.get("key") or result.get("gbifID")), filled(plain), media)


def _structured(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, dict) for v in value)
    )
