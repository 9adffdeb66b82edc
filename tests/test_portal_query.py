"""The query schema of the test portal's `vds_multi_query`; assertions cite the published facts."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.portal_asking import multi
from tests.portal_http import Record
from tests.portal_records import make_records
from tests.portal_server import Portal, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Portal]:
    with serving(make_records(600)) as portal:
        yield portal


def term(kind: str, field: str, value: str) -> dict[str, Any]:
    return {kind: {"fields": [field], "value": value}}


def found(server: Portal, filters: object) -> list[Record]:
    return [hit["data"] for hit in multi(server, {"filters": filters}, size=1000).result["records"]]


def test_terms_compare_without_case_and_by_whole_words(server: Portal) -> None:
    every = server.records
    family = [r for r in every if r["family"] == "Nymphalidae"]
    # 1.4 [S]: case-insensitive
    nymphalidae = term("string_equals", "family", "nymphaLIDAE")
    assert len(found(server, nymphalidae)) == len(family) > 0
    assert not found(server, term("string_equals", "family", "Nymphal"))
    # 1.4 [S]: words, not substrings; all of them
    words = term("string_contains", "higherClassification", "morphinae papilionoidea")
    assert {r["genus"] for r in found(server, words)} == {"Morpho"}
    assert not found(server, term("string_contains", "higherClassification", "Morphin"))
    assert not found(server, term("string_contains", "higherClassification", "Morphinae Pieridae"))


def test_groups_combine_terms(server: Portal) -> None:
    a, b = (term("string_equals", "family", name) for name in ("Pieridae", "Sphingidae"))
    both = found(server, {"or": [a, b]})
    assert {r["family"] for r in both} == {"Pieridae", "Sphingidae"}
    assert not found(server, {"and": [a, b]})
    rest = multi(server, {"filters": {"not": [a, b]}}).result["total"]
    assert rest == 600 - len(both)
    # 1.4 [S]: empty groups are removed
    assert len(found(server, {"and": [a, {"or": []}]})) == len(found(server, a))
    searched = multi(server, {"search": "AÇORES azorensis"}).result
    assert 0 < searched["total"] < 600


def test_exists_asks_whether_a_field_is_there(server: Portal) -> None:
    sexed = [r for r in server.records if "sex" in r]
    assert multi(server, {"filters": {"exists": {"fields": ["sex"]}}}).result["total"] == len(sexed)
    assert 0 < len(sexed) < 600


@pytest.mark.parametrize(
    "query",
    [
        {"filters": {}, "colour": "red"},  # 1.4 [S]: additionalProperties: false
        {"filters": {"string_equals": {"fields": ["sex"], "value": "Male", "like": True}}},
        {"filters": {"string_equals": {"fields": ["year"], "value": 1886}}},  # 1.4 [S]: a string
        {"filters": {"and": [], "or": []}},  # 1.4 [S]: exactly one key
        {"filters": {"like": {"fields": ["sex"], "value": "Male"}}},
        {"filters": {"and": {"exists": {"fields": ["sex"]}}}},  # 1.4 [S]: groups are lists
    ],
)
def test_a_query_outside_the_schema_is_a_conflict(server: Portal, query: object) -> None:
    reply = multi(server, query)
    assert (reply.status, reply.json["success"]) == (409, False)
    assert reply.json["error"]["__type"] == "Validation Error"  # 1.6 [S]
