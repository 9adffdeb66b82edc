import random

import pytest

from butterflies.rendering import cards
from butterflies.rendering.cards import (
    MAX_CARD,
    MAX_TEXT,
    address,
    card,
    licence,
    origin,
    text,
)

MEDIA = "https://data.nhm.ac.uk/media/0f9c1e52-0000-4000-8000-000000000001"
OCCURRENCE = "893e0b8c-9dab-40b5-872b-51f08a69e765"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((1886, 10, 18), "18 October 1886"),
        ((1886, 10, None), "October 1886"),
        ((1886, None, None), "1886"),
        ((1886, None, 18), "1886"),
        ((None, 10, 18), "18 October"),
        ((None, None, 18), None),
        ((1886, 13, 18), "1886"),
        ((1886, 2, 40), "February 1886"),
        ((None, None, None), None),
    ],
)
def test_partial_dates(parts: tuple[int | None, ...], said: str | None) -> None:
    assert cards.date(*parts) == said


@pytest.mark.parametrize(
    ("record", "italic", "upright"),
    [
        (
            ("Papilio", "machaon", None, "Papilio machaon Linnaeus, 1758"),
            "Papilio machaon",
            "Linnaeus, 1758",
        ),
        (
            ("Papilio", "machaon", "gorganus", "Papilio machaon gorganus"),
            "Papilio machaon gorganus",
            None,
        ),
        (("Papilio", "machaon", "gorganus", "Papilio machaon"), "Papilio machaon", None),
        (("Papilio", "machaon", None, None), "Papilio machaon", None),
        (("Papilio", None, None, "Papilio sp."), "Papilio", "sp."),
        ((None, None, None, "Papilionidae"), None, "Papilionidae"),
        (("Papilio", "x", None, "Achillides y"), "Achillides y", None),
        ((None, "machaon", None, None), "machaon", None),
        ((None, None, None, None), None, None),
    ],
)
def test_only_the_latin_part_of_a_name_is_set_in_italics(
    record: tuple[str | None, ...], italic: str | None, upright: str | None
) -> None:
    keys = ("genus", "specificEpithet", "infraspecificEpithet", "scientificName")
    assert cards.scientific_name(dict(zip(keys, record, strict=True))) == (italic, upright)


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org/",
        "//example.org/x",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/a b",
        "https://example.org/\n/",
        "https://example.org;script-src *",
        "https://exa'mple.org/",
        'https://example.org/"x',
        "https://example.org:999999/",
        "https://[::1",
        "http://example.org/" + "a" * MAX_TEXT,
        "/etc/passwd",
        "C:\\pictures\\a.jpg",
        7,
        None,
    ],
)
def test_other_addresses_than_plain_http_are_dropped(value: object) -> None:
    assert address(value) is None


@pytest.mark.parametrize(
    "value", ["http://a.org", "https://a.org/é?x=1&y=[2]#z", " HTTPS://a-b.org:80/\n"]
)
def test_plain_addresses_are_kept(value: str) -> None:
    assert address(value) == value.strip()


def test_links_to_the_portal_only_for_its_own_records() -> None:
    ours = card({"assetID": "a", "occurrenceID": OCCURRENCE, "associatedMedia": MEDIA})
    assert ours["link"] == f"https://data.nhm.ac.uk/object/{OCCURRENCE}"
    assert ours["photo"] == f"{MEDIA}/preview"
    foreign = {"assetID": "a", "occurrenceID": OCCURRENCE, "associatedMedia": "https://e.org/a.jpg"}
    assert card(foreign)["link"] == card(foreign)["photo"] == "https://e.org/a.jpg"
    assert "link" not in card({"assetID": "a", "occurrenceID": OCCURRENCE})
    assert card({"assetID": "a", "occurrenceID": "http://id.org/x"})["link"] == "http://id.org/x"
    theirs = {"assetID": "a", "occurrenceID": OCCURRENCE, "institutionCode": "NHMUK"}
    assert card(theirs)["link"] == ours["link"]
    assert cards.media({"associatedMedia": "a.txt | https://a.org/1 | https://b.org/2"}) == (
        "https://a.org/1"
    )
    assert origin("https://A.org:8080/1.jpg") == "https://a.org:8080"


def test_a_card_tells_nothing_of_this_machine_and_nothing_empty() -> None:
    record = {
        "assetID": "a1",
        "status": "ok",
        "reason": "Good; turned upright.",
        "photo": "/home/somebody/a.jpg",
        "sha256": "ab",
        "width": 100,
        "genus": "Papilio",
        "locality": " ",
        "decimalLatitude": -4.25,
        "decimalLongitude": 118.0,
        "creator": "A",
        "rightsHolder": "B",
        "license": "http://creativecommons.org/licenses/by/4.0/",
        "drawer": "12",
    }
    assert card(record) == {
        "assetID": "a1",
        "name": "Papilio",
        "coordinates": "4.25° S, 118° E",
        "credit": "A, B",
        "licence": "CC BY 4.0",
        "licence_link": "http://creativecommons.org/licenses/by/4.0/",
        "more": {"drawer": "12"},
    }


@pytest.mark.parametrize(
    ("given", "name", "link"),
    [
        ("http://creativecommons.org/licenses/by/4.0/", "CC BY 4.0", True),
        (
            "https://www.creativecommons.org/licenses/by-nc-sa/3.0/us/deed.en",
            "CC BY-NC-SA 3.0",
            True,
        ),
        ("http://creativecommons.org/publicdomain/zero/1.0/legalcode", "CC0 1.0", True),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "Public Domain Mark 1.0", True),
        ("https://e.org/?https://creativecommons.org/licenses/by/4.0/", None, True),
        ("https://creativecommons.org.e.org/licenses/by/4.0/", None, True),
        ("javascript:alert(1)//creativecommons.org/licenses/by/4.0", None, False),
        ("CC BY 4.0", None, False),
    ],
)
def test_only_the_addresses_of_creative_commons_are_called_by_its_names(
    given: str, name: str | None, link: bool
) -> None:
    assert licence(given) == (name or given, given if link else None)


def test_a_record_without_a_licence_has_none() -> None:
    assert licence(None) == licence(" ") == (None, None)


@pytest.mark.parametrize(
    ("said", "links"),
    [
        (
            "A (2014). B. (https://a.org/by/4.0). https://b.org/1/2",
            ["https://a.org/by/4.0", "https://b.org/1/2"],
        ),
        ("https://user:secret@a.org/x, http://a'b.org/ javascript:alert(1) ftp://a.org/", []),
        ('<https://a.org/?x=1>; "http://B.org"', ["https://a.org/?x=1", "http://B.org"]),
        (f"https://a.org/{'long/' * MAX_TEXT}", []),
        ("No address, https:// or http", []),
    ],
)
def test_a_citation_stays_whole_and_links_only_plain_addresses(said: str, links: list[str]) -> None:
    pieces = card({"assetID": "a", "bibliographicCitation": said})["citation"]
    assert "".join(pieces) == text(said)
    assert pieces[1::2] == links
    assert all(address(piece) for piece in pieces[1::2])


def test_what_the_card_tells_in_its_own_place_is_no_further_field() -> None:
    told = card({"assetID": "a", "bibliographicCitation": "A", "recordLicense": "CC0", "x": "y"})
    assert (told["citation"], told["record_licence"], told["more"]) == (["A"], "CC0", {"x": "y"})


@pytest.mark.parametrize("pair", [(None, 3.0), (91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0)])
def test_impossible_coordinates_are_not_told(pair: tuple[float | None, float]) -> None:
    assert cards.coordinates(*pair) is None


def test_texts_are_one_clean_line_of_bounded_length() -> None:
    assert text("a\x00b\u202ec\n\td") == "a b c d"
    assert text(" \u200b ") is None
    assert len(text("x" * 5000) or "") == MAX_TEXT + 1
    rng = random.Random(0)
    wide = {f"c{i}": "".join(map(chr, rng.choices(range(33, 1000), k=900))) for i in range(99)}
    assert sum(map(len, card({"assetID": "a", **wide})["more"].values())) <= MAX_CARD
