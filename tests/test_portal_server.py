"""The test portal's records: each assertion cites the published fact that it checks."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.portal_api import SPECIMENS
from tests.portal_asking import act, ask, basic, multi
from tests.portal_http import Record
from tests.portal_records import TYPES, make_records
from tests.portal_server import Portal, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Portal]:
    """Must not be edited."""
    with serving(make_records(1100)) as portal:
        yield portal


@pytest.fixture
def small() -> Iterator[Portal]:
    with serving(make_records(9)) as portal:
        yield portal


def ids(records: list[Record]) -> list[str]:
    return [record["_id"] for record in records]


def pages(ask_page: Callable[..., Any], **params: object) -> list[list[Record]]:
    """All pages, by the cursor until it is null."""
    listed, after = [], None
    while True:
        page = ask_page(**params, after=after).result
        listed.append([hit.get("data", hit) for hit in page["records"]])
        after = page["after"]
        if after is None:
            return listed


def test_sizes_are_clamped_without_an_error(server: Portal) -> None:
    # 1.3 [S]: limit is clamped to 0..1000, 100 by default
    for limit, count in ((5000, 1000), (-3, 0), (7, 7)):
        assert len(basic(server, limit=limit).result["records"]) == count
        assert len(multi(server, size=limit).result["records"]) == count  # 1.4 [S]
    assert len(basic(server).result["records"]) == 100
    assert len(multi(server).result["records"]) == 100
    assert basic(server, limit=0).result["total"] == 1100  # 1.5 [S]: total is exact


def test_a_cursor_walks_all_records_once_and_ends_with_null(server: Portal) -> None:
    for ask_page, size in ((multi, {"size": 300}), (basic, {"limit": 300})):
        walked = pages(lambda ask_page=ask_page, **p: ask_page(server, **p), **size)
        assert [len(page) for page in walked] == [300, 300, 300, 200]
        assert len({record["_id"] for page in walked for record in page}) == 1100
    # 1.5 [S]: null when no further hit exists, even if the last page is full
    assert len(pages(lambda **p: multi(server, **p), size=550)) == 2


def test_a_multi_query_has_its_fixed_order_and_wraps_its_records(server: Portal) -> None:
    page = multi(server, size=1000, sort=["_id asc"], offset=5).result  # 1.4 [S]: no sort, offset
    cursor = page["after"]
    assert cursor[1:] == [page["records"][-1]["data"]["_id"], f"data-{SPECIMENS}-latest"]  # 1.5 [I]
    assert isinstance(cursor[0], int)
    keys = [(hit["data"]["modified"], hit["data"]["_id"]) for hit in page["records"]]
    # 1.4 [S]: version desc, then _id desc (as text); versions are days after `modified`
    assert keys == sorted(keys, reverse=True)
    assert len({day for day, _ in keys}) > 5
    hit = page["records"][0]
    assert set(hit) == {"data", "resource", "iiif"}  # 1.4 [S]
    assert hit["resource"] == SPECIMENS


def test_filters_are_and_even_within_a_list(server: Portal) -> None:
    # 1.3 [S]: case-insensitive
    one = basic(server, filters={"family": "pieridae", "_has_image": False}).result
    assert one["total"] == sum(r["family"] == "Pieridae" for r in server.records) > 0
    # 1.3 [S]: a list of values is AND
    assert basic(server, filters={"family": ["Pieridae", "Nymphalidae"]}).result["total"] == 0
    project = basic(server, filters={"project": TYPES.upper()}).result["records"]
    assert any(isinstance(r["project"], list) for r in project)  # 1.7 [S]: a list when several
    assert any(r["project"] == TYPES for r in project)
    assert basic(server, q="vanessa NYMPHALIDAE").result["total"] > 0  # 1.3 [S]: all words
    assert basic(server, q="vanessa Pieridae").result["total"] == 0
    assert basic(server, q={"genus": "Vanessa", "": "Peru"}).result["total"] > 0


def test_has_image_counts_by_its_presence(small: Portal) -> None:
    small.change(small.records[0]["_id"], associatedMedia=None)
    for value in ("true", False):  # 1.3 [S]: the value is ignored
        assert basic(small, filters={"_has_image": value}).result["total"] == 8
    assert basic(small).result["total"] == 9
    hit = multi(small).result["records"][0]["data"]
    assert ("associatedMedia" in hit, hit["associatedMediaCount"]) == (False, 0)
    assert "iiif" not in multi(small).result["records"][0]  # 1.4 [S]: only with images


def test_other_special_filters_count_by_their_presence(server: Portal) -> None:
    placed = sum("decimalLatitude" in r for r in server.records)
    # 1.3 [S]: the value is ignored
    assert basic(server, filters={"_has_lat_long": False}).result["total"] == placed
    assert 0 < placed < 1100
    assert basic(server, filters={"_exclude_mineralogy": ""}).result["total"] == 1100


@pytest.mark.parametrize("sort", ["sex", "sex desc"])
def test_a_cursor_passes_records_without_the_sorted_field(server: Portal, sort: str) -> None:
    walked = pages(lambda **p: basic(server, **p), sort=sort, limit=300)
    shown = [record for page in walked for record in page]
    assert len({r["_id"] for r in shown}) == len(shown) == 1100
    missing = sum("sex" not in r for r in shown)
    assert missing > 300
    assert not any("sex" in r for r in shown[-missing:])  # 1.3 [S]: missing last, either way


def test_the_default_order_is_by_modification(server: Portal) -> None:
    shown = basic(server, limit=1000).result["records"]
    keys = [(r["modified"], r["_id"]) for r in shown]
    assert keys == sorted(keys, reverse=True)  # 1.3 [S]: modified desc, tie-breaker _id desc
    by_id = ids(basic(server, limit=1000, sort=["_id asc"]).result["records"])
    assert by_id == sorted(by_id)  # 1.5: lexicographic
    sexes = [r.get("sex") for r in basic(server, sort="sex", offset=1000).result["records"]]
    assert sexes[-1] is None  # 1.3 [S]: missing last
    assert basic(server, sort="sex desc").result["records"][0]["sex"] == "male; female"


def test_fields_limit_what_is_shown(server: Portal) -> None:
    result = basic(server, fields="family,associatedMedia", limit=1, run_query=False).result
    # 1.3 [S]: without _id in the list no _id
    assert [set(r) for r in result["records"]] == [{"family", "associatedMedia"}]
    assert {"id": "associatedMedia", "type": "array", "sortable": False} in result["fields"]
    assert result["facets"] == {}
    shown = basic(server, limit=1, include_urls=True).result["records"][0]
    assert shown["permanentUrl"] == f"/object/{shown['occurrenceID']}"  # 1.3: include_urls


def test_an_offset_has_a_window(server: Portal) -> None:
    whole = ids(basic(server, limit=20).result["records"])
    cursor = basic(server, limit=1).result["after"]
    # 1.3 [S]: with an offset, `after` is ignored
    assert ids(basic(server, limit=10, offset=10, after=cursor).result["records"]) == whole[10:]
    assert ids(basic(server, limit=9, offset=0, after=cursor).result["records"]) == whole[1:10]
    # 1.3 [S]: offset + limit + 1 > 10000 -> 409
    assert basic(server, limit=999, offset=9000).status == 200
    reply = basic(server, limit=100, offset=10_000)
    message = "Search window size out of bounds: 10101 (from: 10000, size: 101)"  # 1.6 [S]
    assert (reply.status, reply.json["error"]["message"]) == (409, message)


def test_get_takes_json_in_strings(server: Portal) -> None:
    url = f"{server.url}/api/3/action/vds_basic_query?resource_id={SPECIMENS}&limit=2"
    filters = quote(json.dumps({"family": "Pieridae"}))
    page = ask(f"{url}&filters={filters}&sort=_id%20asc").result  # 1.2 [S]
    after = quote(json.dumps(page["after"]))
    following = ask(f"{url}&filters={filters}&sort=_id%20asc&after={after}").result
    assert ids(page["records"])[-1] < ids(following["records"])[0]
    # 1.6 [S]: bad JSON in filters -> 409
    assert ask(f"{url}&filters=%7Bfamily").status == 409


def test_errors_come_in_their_envelopes(server: Portal) -> None:
    for action in ("datastore_multisearch", "nonsense"):  # 1.2, 1.6 [S]: a JSON string
        reply = act(server, action)
        assert (reply.status, reply.json) == (
            400,
            f"Bad request - Action name not known: {action}",
        )
    reply = ask(f"{server.url}/api/3/action/vds_multi_query", "POST", b"{not json")
    assert reply.status == 400
    assert reply.json.startswith("Bad request - JSON Error")  # 1.6 [S]
    unknown = act(server, "datastore_search", resource_id="nothing")
    assert unknown.status == 409  # 1.6 [S]
    assert unknown.json["error"]["resource_id"] == ["No resource IDs are datastore resources"]
    assert act(server, "vds_multi_query", resource_ids=["nothing"]).status == 409
    for after in ([1], ["x", "y", "z"], [1, 2, 3, 4]):  # 1.6 [S]: malformed `after` -> 500
        reply = multi(server, after=after)
        assert (reply.status, reply.json["error"]["__type"]) == (500, "Internal Server Error")
    assert act(server, "package_show").status == 501  # known to the portal, not imitated


def test_versions_keep_the_past_answerable(small: Portal) -> None:
    before, first = small.version, small.records[0]["_id"]
    old = multi(small).result
    small.change(first, sex="Female")
    small.remove(small.records[1]["_id"])
    small.add({**make_records(1, seed=5)[0], "_id": "77"})
    assert small.version > before
    rounded = act(small, "vds_version_round", resource_id=SPECIMENS)
    assert rounded.result == small.version  # 1.2: int ms
    late = act(small, "vds_version_round", resource_id=SPECIMENS, version=before + 5)
    assert late.result == before
    # 1.3, 1.5 [S]: `version` searches the data as of then
    assert multi(small, version=before).result == old
    assert basic(small, version=before).result["total"] == 9
    now = [hit["data"] for hit in multi(small).result["records"]]
    # 1.4 [S]: version desc: what was edited last comes first
    assert ids(now)[:2] == ["77", first]
    assert (len(now), now[1]["sex"]) == (9, "Female")
    assert ids(basic(small).result["records"])[:2] == ["77", first]  # 1.3 [S]: modified desc


def test_single_records_and_the_resource_are_shown(small: Portal) -> None:
    first, before = small.records[0], small.version
    small.remove(first["_id"])
    wanted = {"resource_id": SPECIMENS, "record_id": first["_id"]}
    shown = act(small, "vds_data_get", **wanted, version=before).result
    assert shown == {"data": first, "resource_id": SPECIMENS}  # section 4
    gone = act(small, "vds_data_get", **wanted)
    assert (gone.status, gone.json["error"]["__type"]) == (404, "Not Found Error")  # 1.6 [S]
    resource = act(small, "resource_show", id=SPECIMENS).result
    assert (resource["id"], resource["format"]) == (SPECIMENS, "DwC")  # section 4
    assert act(small, "resource_show", id="nothing").status == 404


def test_records_have_the_shape_of_the_museum() -> None:
    records = make_records(40)
    assert records == make_records(40) != make_records(40, seed=1)
    media = [m for r in records for m in r["associatedMedia"]]
    assert {len(r["associatedMedia"]) for r in records} == {1, 2, 3}
    # 1.7: categories and formats of the original, label pictures by their title
    assert {m["category"] for m in media} == {"Specimen", "specimen", "Register"}
    assert {m["format"] for m in media} == {"image/jpeg", "image/tiff"}
    assert any("_label_" in m["title"] for m in media)
    for record in records:
        lists = {k for k, v in record.items() if isinstance(v, list)}
        known = {"associatedMedia", "determinationNames", "gbifIssue", "recordedBy", "project"}
        assert lists <= known  # 1.7 [S]
        numbers = {k for k, v in record.items() if isinstance(v, int)}
        assert numbers == {"associatedMediaCount"}  # 1.7 [S]: all other scalars are strings
        assert "" not in record.values()  # 1.7 [S]: missing fields are absent
        order = ids(record["associatedMedia"])
        assert order == sorted(order)  # 1.7: sorted by _id
    assert len({r["family"] for r in records}) == 5
    assert not all("(" in r["scientificName"] for r in records)
