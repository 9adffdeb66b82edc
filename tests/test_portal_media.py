"""The test portal's pictures and GBIF; assertions cite the published facts."""

import hashlib
import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.portal_asking import ask
from tests.portal_faults import old_path
from tests.portal_http import Record
from tests.portal_records import make_records
from tests.portal_server import Portal, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Portal]:
    """Must not be edited."""
    with serving(make_records(400)) as portal:
        yield portal


@pytest.fixture
def small() -> Iterator[Portal]:
    with serving(make_records(9)) as portal:
        yield portal


def media_of(server: Portal) -> list[Record]:
    return [m for record in server.records for m in record["associatedMedia"]]


def opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def test_previews_and_thumbnails_are_real_jpegs_that_never_grow(server: Portal) -> None:
    for media in media_of(server)[:12]:
        wide = int(media["PixelXDimension"])
        for wish, width in (("/preview", 96), ("/thumbnail", 48), ("", 96)):
            reply = ask(media["identifier"] + wish)
            image = opened(reply.body)
            # 1.9 [S]: width = min(original, ...); the bare id is the preview
            assert (image.format, image.width) == ("JPEG", min(wide, width))
            assert (reply.status, reply.kind) == (200, "image/jpeg")
        assert reply.body == server.picture(media["assetID"])


def test_every_picture_is_its_own(server: Portal) -> None:
    media = media_of(server)
    pixels = {opened(server.picture(m["assetID"])).tobytes() for m in media}
    assert len(pixels) == len(media)


def test_originals_are_as_they_were_stored(server: Portal) -> None:
    for form, kind in (("TIFF", "image/tiff"), ("JPEG", "image/jpeg")):
        media = next(m for m in media_of(server) if m["format"] == kind)
        reply = ask(f"{media['identifier']}/original")
        image = opened(reply.body)
        # 1.9 [S]: the stored file, an attachment, with its guessed type
        assert (image.format, reply.kind) == (form, kind)
        assert image.size == tuple(int(media[f"Pixel{axis}Dimension"]) for axis in "XY")
        assert reply.headers["content-disposition"].startswith('attachment; filename="')


def test_iiif_fits_a_box_and_refuses_to_grow(server: Portal) -> None:
    media = next(m for m in media_of(server) if m["PixelXDimension"] == "144")
    url = media["identifier"]
    assert opened(ask(f"{url}/full/!60,60/0/default.jpg").body).size == (60, 40)
    assert opened(ask(f"{url}/full/72,/0/default.jpg").body).size == (72, 48)
    assert opened(ask(f"{url}/full/max/0/default.jpg").body).size == (144, 96)
    for wish in ("full/!512,512/0/default.jpg", "full/145,9/0/default.jpg", "full/x/0/default.jpg"):
        reply = ask(f"{url}/{wish}")
        assert reply.status == 400  # 1.9 [S]: upscaling or a bad parameter
        assert "error" in reply.json
    info = ask(f"{url}/info.json").json
    assert (info["width"], info["height"]) == (144, 96)  # 1.9


def test_missing_and_withheld_pictures_are_json_404s(small: Portal) -> None:
    asset = media_of(small)[0]["assetID"]
    assert ask(f"{small.url}/media/{asset}").status == 200
    small.withhold(asset)
    for unknown in (asset, "00000000-0000-4000-8000-000000000000"):
        reply = ask(f"{small.url}/media/{unknown}/preview")
        message = {"error": f"Image {unknown} not found in profile mss"}  # 1.9 [S]
        assert (reply.status, reply.kind, reply.json) == (404, "application/json", message)


def test_head_and_range_do_not_help(server: Portal) -> None:
    url = media_of(server)[0]["identifier"]
    head = ask(url, "HEAD")
    assert (head.status, head.kind) == (405, "application/json")  # 1.9 [E]
    part = ask(url, Range="bytes=10-")
    assert (part.status, part.body) == (200, ask(url).body)  # 1.9 [E]: Range is not honoured


def test_conditional_requests_count_only_on_demand(small: Portal) -> None:
    url = media_of(small)[0]["identifier"]
    first = ask(url)
    tag, when = first.headers["etag"], first.headers["last-modified"]
    assert '"' not in tag  # 1.9 [E]: unquoted
    assert first.headers["cache-control"].startswith("max-age=")  # 1.9
    assert ask(url, If_None_Match=tag).status == 200
    small.conditional = True
    for headers in ({"If_None_Match": tag}, {"If_Modified_Since": when}):
        reply = ask(url, "GET", None, **headers)
        assert (reply.status, reply.body) == (304, b"")
    assert ask(url, If_None_Match="other").status == 200


def test_old_addresses_redirect_twice(server: Portal) -> None:
    asset = media_of(server)[0]["assetID"]
    first = ask(server.url + old_path(asset))
    second = ask(first.headers["location"])
    # 1.9 [S comment]: the old host's URL -> /media/mam/<40 hex> -> /media/<uuid>
    assert (first.status, second.status) == (307, 307)
    assert second.headers["location"] == f"{server.url}/media/{asset}"
    assert ask(f"{server.url}/media/mam/{'0' * 40}").status == 404


def test_robots_are_told_to_stay_away_from_the_api(server: Portal) -> None:
    robots = ask(f"{server.url}/robots.txt").body.decode()
    assert "Disallow: /api/" in robots  # 1.10 [S]
    assert "Crawl-Delay: 10" in robots
    assert "/media" not in robots


def search(server: Portal, query: str) -> Record:
    page: Record = ask(f"{server.url}/v1/occurrence/search?{query}").json
    return page


def test_gbif_pages_by_offset_and_lowers_the_limit(server: Portal) -> None:
    first = search(server, "limit=1000&offset=0")
    assert (first["limit"], len(first["results"])) == (300, 300)  # 2.1 [D]
    assert (first["count"], first["endOfRecords"]) == (400, False)
    last = search(server, "limit=300&offset=300")
    assert (len(last["results"]), last["endOfRecords"]) == (100, True)
    assert first["results"] + last["results"] == server.gbif
    beyond = ask(f"{server.url}/v1/occurrence/search?limit=300&offset=99800")
    assert (beyond.status, beyond.kind) == (400, "text/plain")  # 2.1 [R]
    assert ask(f"{server.url}/v1/occurrence/search?limit=300&offset=99700").status == 200


def test_gbif_filters_and_repeats_are_or(server: Portal) -> None:
    counts = [search(server, f"taxonKey={key}")["count"] for key in (7017, 5481)]
    assert search(server, "taxonKey=7017&taxonKey=5481")["count"] == sum(counts) > 0  # 2.1
    assert search(server, "taxonKey=797&mediaType=StillImage")["count"] == 400
    years = search(server, "year=1880,1902&limit=300")["results"]
    assert {o["year"] for o in years} == {1886, 1902}  # 2.1: ranges
    one = search(server, f"occurrenceID={server.records[3]['occurrenceID']}")["results"]
    assert [o["gbifID"] for o in one] == [server.records[3]["gbifID"]]  # 2.1: the join key
    assert one[0]["key"] == int(one[0]["gbifID"])
    media = [m for o in search(server, "limit=300")["results"] for m in o["media"]]
    assert any("identifier" not in m and "references" in m for m in media)  # 2.1


def test_gbif_knows_families_by_name(server: Portal) -> None:
    match = ask(f"{server.url}/v1/species/match?name=Nymphalidae&rank=FAMILY").json
    assert (match["usageKey"], match["matchType"]) == (7017, "EXACT")  # 2.1 [R]
    assert ask(f"{server.url}/v1/species/match?name=Nobody").json["matchType"] == "NONE"


def test_gbif_keeps_pictures_by_the_digest_of_their_identifier(server: Portal) -> None:
    record = server.records[0]
    media = record["associatedMedia"][0]
    digest = hashlib.md5(media["identifier"].encode()).hexdigest()
    for size in ("", "200x/"):  # 2.3 [D]
        url = f"{server.url}/v1/image/cache/{size}occurrence/{record['gbifID']}/media/{digest}"
        assert ask(url).body == server.picture(media["assetID"])
    assert ask(f"{server.url}/v1/image/cache/occurrence/1/media/{digest}").status == 404
