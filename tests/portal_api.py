"""The record API of the test portal: the actions of portal 1.3 to 1.6."""

import json
from collections.abc import Callable
from typing import Any

from tests.portal_bulk import queue_download
from tests.portal_http import Answer, Asked, Record, as_json
from tests.portal_paging import ID_DOWN, VERSION, page_of, parse_sort
from tests.portal_query import (
    Refused,
    Test,
    all_of,
    invalid,
    not_imitated,
    parse_filters,
    parse_query,
    parse_words,
)

SPECIMENS = "05ff2255-c38a-40c9-b657-4ccb55ab2feb"  # 1.1 [R]
PACKAGE = "56e711e6-c847-4f99-915a-6894bb5c5dea"  # 1.1 [R]
OTHERS = {"bb909597-dedf-427d-8c04-4c02b3a24db3", "ec61d82a-748d-4b53-8e99-3e708e76bc4d"}  # 1.1 [R]
WINDOW = 10_000

Params = dict[str, Any]


def act(asked: Asked, name: str) -> Answer:
    """Answers an action in CKAN's envelope, or in a bare JSON string (portal 1.6)."""
    link = f"{asked.portal.url}/api/3/action/help_show?name={name}"
    try:
        if name in ELSEWHERE:
            raise not_imitated(name)
        if name not in ACTIONS:  # 1.6 [S]
            raise Refused(400, f"Bad request - Action name not known: {name}")
        result = ACTIONS[name](asked, _params(asked, name))
    except Refused as refused:
        if isinstance(refused.error, str):
            return as_json(refused.error, refused.status)
        return as_json({"help": link, "success": False, "error": refused.error}, refused.status)
    return as_json({"help": link, "success": True, "result": result})


def _params(asked: Asked, name: str) -> Params:
    if asked.request.method == "GET":
        if name == "vds_download_queue":  # 1.2 [S]: POST only; its answer is CKAN's usual one [I]
            raise Refused(400, "Bad request - JSON Error: Invalid request. Please use POST method")
        return {key: texts[-1] for key, texts in asked.query.items()}
    try:
        params = json.loads(asked.request.body or b"{}")
    except ValueError as error:  # 1.6 [S]
        raise Refused(400, f"Bad request - JSON Error: {error}") from None
    if not isinstance(params, dict):  # 1.6 [S]
        raise Refused(400, "Bad request - JSON Error: the data is not an object")
    return params


def _json(params: Params, name: str, *kinds: type) -> Any:
    """1.2 [S]: dicts and lists may come as JSON in a string, and must with GET."""
    value = params.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:  # 1.6 [S]: bad JSON in `filters` is a 409
            raise invalid("Cannot parse JSON", name) from None
    if not isinstance(value, kinds):
        raise invalid("Unexpected type", name)
    return value


def _names(params: Params, name: str) -> list[str]:
    """1.2 [S]: a list, or comma separated."""
    value = params.get(name) or []
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else value.split(",")
    return [str(item).strip() for item in value]


def _number(params: Params, name: str, default: int | None) -> int | None:
    value = params.get(name)
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError):
        raise invalid("Invalid integer", name) from None


def _size(params: Params, name: str) -> int:
    """1.3, 1.4 [S]: 100 by default, clamped to 0..1000 without an error."""
    return min(max(_number(params, name, 100) or 0, 0), 1000)


def _no_resource(name: str) -> Refused:
    return invalid("No resource IDs are datastore resources", name)  # 1.6 [S]


def _edited(asked: Asked, record: Record) -> Record:
    for edit in asked.edits:
        record = edit(record)
    return record


def multi_query(asked: Asked, params: Params) -> dict[str, Any]:
    # 1.4 [S]: no offset, sort or fields; empty resource_ids is every public resource
    wanted = set(_names(params, "resource_ids")) or {SPECIMENS}
    if not wanted & {SPECIMENS, *OTHERS}:
        raise _no_resource("resource_ids")
    test = parse_query(_json(params, "query", dict) or {})
    version = _number(params, "version", None)
    states = asked.portal.collection.as_of(version) if SPECIMENS in wanted else []
    states = [state for state in states if test(state)]
    after, size = _json(params, "after", list), _size(params, "size")
    # 1.4 [S]: always version desc, _id desc, index desc
    index = f"data-{SPECIMENS}-latest"
    page, cursor = page_of(asked, states, [VERSION, ID_DOWN], after, size, index)
    records = [_wrapped(asked, state.data) for state in page]
    return {"total": len(states), "after": cursor, "records": records}


def _wrapped(asked: Asked, data: Record) -> dict[str, Any]:
    record = {"data": _edited(asked, data), "resource": SPECIMENS}
    if data.get("associatedMedia"):  # 1.4 [S]: records with images come with a manifest
        base = asked.portal.url
        manifest = {"@context": "http://iiif.io/api/presentation/3/context.json"}
        pages = [{"type": "Canvas", "id": m.get("identifier")} for m in data["associatedMedia"]]
        link = {"type": "Manifest", "id": f"{base}/iiif/{data.get('occurrenceID')}", "items": pages}
        record["iiif"] = {**manifest, **link}
    return record


def basic_query(asked: Asked, params: Params) -> dict[str, Any]:
    if params.get("resource_id") not in {SPECIMENS, *OTHERS}:
        raise _no_resource("resource_id")
    if "facets" in params or any("." in name for name in _names(params, "fields")):
        raise not_imitated("facets and dotted fields")
    filters = _json(params, "filters", dict) or {}
    tests: list[Test] = [parse_filters(filters), parse_words(_words(params))]
    version = _number(params, "version", _number(filters, "__version__", None))
    states = asked.portal.collection.as_of(version) if params["resource_id"] == SPECIMENS else []
    states = [state for state in states if all_of(tests)(state)]
    size, start = _size(params, "limit"), _start(params)
    order = [*parse_sort(_names(params, "sort")), ID_DOWN]
    page, cursor = page_of(asked, states, order, start, size, f"data-{SPECIMENS}-latest")
    records = [_shown(asked, state.data, params) for state in page]
    kinds = {k: _kind(k, v) for state in states for k, v in state.data.items()}
    # 1.3 [S]: run_query: false has another answer, which no client of ours needs
    found = {"total": len(states), "records": records, "facets": {}}
    return {**found, "fields": list(kinds.values()), "after": cursor}


def _words(params: Params) -> object:
    q = params.get("q")
    return json.loads(q) if isinstance(q, str) and q.startswith("{") else q


def _start(params: Params) -> object:
    """1.3 [S]: an offset counts unless it is 0, and then `after` does not."""
    offset, size = _number(params, "offset", 0) or 0, _size(params, "limit") + 1
    if offset and offset + size > WINDOW:
        message = f"Search window size out of bounds: {offset + size} (from: {offset}, size: {size}"
        raise invalid(message + ")")
    return offset or _json(params, "after", list)


def _shown(asked: Asked, record: Record, params: Params) -> Record:
    if names := _names(params, "fields"):  # 1.3 [S]: without `_id` in the list no `_id`
        record = {name: value for name, value in record.items() if name in names}
    if "include_urls" in params:  # 1.3 [S]
        record = {**record, "permanentUrl": f"/object/{record.get('occurrenceID')}"}
    return _edited(asked, record)


def _kind(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, list):
        return {"id": name, "type": "array", "sortable": False}
    return {"id": name, "type": "integer" if isinstance(value, int) else "string", "sortable": True}


def version_round(asked: Asked, params: Params) -> int:
    """1.2 [S]: the data's version at or before the given one; the latest without one."""
    if params.get("resource_id") != SPECIMENS:
        raise _no_resource("resource_id")
    known = asked.portal.collection.versions()
    wanted = _number(params, "version", None)
    return max([v for v in known if wanted is None or v <= wanted], default=known[0])


def data_get(asked: Asked, params: Params) -> dict[str, Any]:
    if params.get("resource_id") != SPECIMENS:
        raise _no_resource("resource_id")
    for state in asked.portal.collection.as_of(_number(params, "version", None)):
        if state.id == str(params.get("record_id")):
            return {"data": _edited(asked, state.data), "resource_id": SPECIMENS}
    raise Refused(404, {"__type": "Not Found Error", "message": "Not found"})  # 1.6 [S]


def resource_show(asked: Asked, params: Params) -> dict[str, Any]:
    if params.get("id") != SPECIMENS:
        raise Refused(404, {"__type": "Not Found Error", "message": "Not found"})  # 1.6 [S]
    return {"id": SPECIMENS, "package_id": PACKAGE, "format": "DwC", "state": "active"}


ACTIONS: dict[str, Callable[[Asked, Params], Any]] = {
    "datastore_search": basic_query,
    "vds_basic_query": basic_query,
    "vds_multi_query": multi_query,
    "vds_version_round": version_round,
    "vds_data_get": data_get,
    "record_show": data_get,
    "resource_show": resource_show,
    "vds_download_queue": lambda asked, params: queue_download(asked.portal, params),
}
# 1.2 [S]: the portal has these as well
ELSEWHERE = {"vds_multi_count", "vds_basic_count", "vds_multi_autocomplete_value"}
ELSEWHERE |= {"vds_slug_resolve", "get_permanent_url", "package_show"}
