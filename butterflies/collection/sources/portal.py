"""The museum's data portal as a source (its version 6 API).

Facts are marked with the section of the portal's published behaviour that they come from.
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from butterflies.collection.fetching.answers import Refused
from butterflies.collection.fetching.web import Web
from butterflies.collection.museum import CC0, PORTAL
from butterflies.collection.sources.base import Page, Record
from butterflies.collection.sources.query import WORDS, Query, wanted
from butterflies.errors import UserError

PAGE = 1000
"""Records of a page, the most that the portal gives (1.3)."""

MEDIA = "associatedMedia"


@dataclass
class PortalSettings:
    """Where the portal is."""

    url: str = PORTAL
    """Its address, or that of another server with the same API."""
    resource: str = "05ff2255-c38a-40c9-b657-4ccb55ab2feb"
    """The id of the specimens' table."""


class Portal:
    """The portal's specimens with pictures.

    Args:
        web: that knows the portal's host.
        settings: where it is.
        query: what is wanted.
    """

    newest_first = True  # vds_multi_query sorts by version, the latest first (1.4)

    def __init__(self, web: Web, settings: PortalSettings, query: Query) -> None:
        self.web, self.wanted = web, wanted(query)
        self.url, self.resource = settings.url.rstrip("/"), settings.resource

    def identity(self) -> dict[str, Any]:
        return {"source": "nhm", "resource": self.resource, "query": self.wanted}

    def version(self) -> str:
        """The latest version of the table in milliseconds, after checking the query's fields."""
        self._check_fields()
        found = self._act("vds_version_round", {"resource_id": self.resource})
        if type(found) is not int:
            raise UserError(f"{self.url} told no version of its table, but {str(found)[:60]!r}.")
        return str(found)

    def pages(self, version: str, cursor: str | None = None) -> Iterator[Page]:
        """All records as of `version`; a cursor that the portal knows no more starts afresh."""
        afresh = False
        while True:
            try:
                found = self._page(version, cursor)
            except Refused:
                if cursor is None or afresh:
                    raise
                cursor, afresh = None, True
                continue
            after, hits = found.get("after"), _objects(found.get("records"))
            following = json.dumps(after) if after and hits else None
            if following and following == cursor:
                raise UserError(f"{self.url} gives the same page again and again.")
            data = [hit["data"] for hit in hits if isinstance(hit.get("data"), dict)]
            total = found.get("total") if type(found.get("total")) is int else None
            yield Page([self._record(one) for one in data], following, total)
            if following is None:
                return
            cursor = following

    def _record(self, data: Mapping[str, Any]) -> Record:
        media = _entries(data.get(MEDIA))
        for medium in media:  # pictures come from the server that was named
            medium["identifier"] = medium.get("identifier", "").replace(PORTAL, self.url, 1)
        fields = filled({name: value for name, value in data.items() if name != MEDIA})
        return Record(str(data.get("_id")), {"license": CC0, **fields}, media)  # CC0: 1.10

    def _page(self, version: str, cursor: str | None) -> Any:
        body = {
            "resource_ids": [self.resource],
            "query": search(self.wanted),
            "version": int(version),
            "size": PAGE,
        }
        if cursor is not None:
            body["after"] = json.loads(cursor)  # sent back as it came (1.5)
        return self._object("vds_multi_query", body)

    def _check_fields(self) -> None:
        """An unknown field would match nothing and say nothing."""
        body = {"resource_id": self.resource, "limit": 0}
        found = self._object("datastore_search", body)
        fields = {str(field.get("id")) for field in _objects(found.get("fields"))}
        for name in self.wanted:
            if fields and name != "text" and name not in fields:
                near = difflib.get_close_matches(name, fields, 3)
                hint = f" (perhaps {' or '.join(near)})" if near else ""
                raise UserError(f"query.{name}: {self.url} has no field of that name{hint}.")

    def _act(self, action: str, body: Mapping[str, Any]) -> Any:
        answer = self.web.ask(f"{self.url}/api/3/action/{action}", body)
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise UserError(f"{self.url} did not carry out {action}, and did not say why.")
        return answer.get("result")

    def _object(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        found = self._act(action, body)
        if not isinstance(found, dict):
            raise UserError(f"{self.url} answered {action} with something else than a page.")
        return found


def search(wanted: Mapping[str, list[str]]) -> dict[str, Any]:
    """A query of vds_multi_query (1.4): several values of a field are alternatives."""
    terms = [_any([_term(name, v) for v in wanted[name]]) for name in wanted if name != "text"]
    images = {"exists": {"fields": [MEDIA]}}  # what `_has_image` means (1.3)
    text = {"search": wanted["text"][0]} if "text" in wanted else {}
    return {**text, "filters": {"and": [*terms, images]}}


def _any(terms: list[dict[str, Any]]) -> dict[str, Any]:
    return terms[0] if len(terms) == 1 else {"or": terms}


def _term(name: str, value: str) -> dict[str, Any]:
    kind = "string_contains" if name in WORDS else "string_equals"
    return {kind: {"fields": [name], "value": value}}


def _entries(media: Any) -> list[dict[str, str]]:
    """The media of a record; the list may come as a JSON text (1.7)."""
    found = _parsed(media) if isinstance(media, str) else media
    return [filled(medium) for medium in _objects(found)]


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, nothing where it is none."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def filled(values: Mapping[str, Any]) -> dict[str, str]:
    """An object's values as texts, without those that are empty or objects themselves."""
    return {name: text for name, value in values.items() if (text := texts(value))}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def texts(value: Any) -> str:
    """A JSON value as text; a list's values joined by ` | `, an object as none.

    >>> texts(["Smith", "", 7])
    'Smith | 7'
    """
    if isinstance(value, list):
        return " | ".join(filter(None, map(texts, value)))
    if value is None or isinstance(value, dict):
        return ""
    return str(value).strip()
