import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import CHROMIUM, Visit, chromium, serving, visiting
from tests.tiny_site import PICTURE, WHOLE, ZOOM, Squares, colour_of, make_site

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

HOSTILE: dict[str, str | None] = {
    "scientificName": "<img src=x onerror='window.pwned=1'>",
    "genus": "<img src=x onerror='window.pwned=1'>",
    "specificEpithet": None,
    "locality": "</script><script>window.pwned=1</script>",
    "catalogNumber": "../../etc/passwd",
    "occurrenceID": "javascript:window.pwned=1",
    "associatedMedia": "javascript:window.pwned=1 | data:text/html,<script>1</script>",
    "license": "javascript:alert(1)//creativecommons.org/licenses/by/4.0",
    "__proto__": "<b>bold</b>",
}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
FOREIGN = {"associatedMedia": "https://pictures.example.org/a.jpg"}
SQUARES = Squares(facts={3: HOSTILE, 4: FOREIGN})
Visits = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site lies in a subfolder of the host, under a name with a space."""
    root = tmp_path_factory.mktemp("host")
    make_site(SQUARES, root / "a map")
    with serving(root) as served:
        yield f"{served}a%20map/"


@pytest.fixture
def visits(browser: Browser, address: str) -> Visits:
    return lambda **options: visiting(browser, address, **options)


def view(number: int, zoom: float) -> str:
    """The address that centres a specimen at a zoom of the tiles (on a plain screen)."""
    x, y = SQUARES.place(number)
    return f"#{x},{y},{ZOOM - zoom}"


def test_first_view_is_light_whole_and_asks_nobody_else(visits: Visits) -> None:
    with visits() as visit:
        visit.open()
        visit.page.wait_for_load_state("networkidle")
        assert visit.page.title() == "Squares & <b>more</b>"
        assert visit.page.inner_text("#count") == "40 specimens"
        assert visit.page.locator("img.leaflet-tile-loaded").count() > 0
        assert len(visit.answers) <= 60
        assert sum(size for _, _, size in visit.answers) <= 1_500_000


@pytest.mark.parametrize(("zoom", "density"), [(2, 1), (3, 1), (4, 1), (3, 2)])
def test_popup_and_tile_show_the_same_specimen(visits: Visits, zoom: int, density: int) -> None:
    with visits(device_scale_factor=density) as visit:
        for number in (0, 22, 39):
            visit.open(view(number, zoom))
            assert visit.pixel(600, 400) == colour_of(number)
            reach = PICTURE / 2 * 2 ** (zoom - ZOOM) - 3
            visit.page.mouse.click(600 + reach, 400 - reach)
            visit.wait_for_card(SQUARES.ids[number])
            assert visit.page.inner_text("#card h2").endswith(f"number{number}")
            portrait = visit.page.locator(".portrait img").bounding_box()
            assert portrait
            visit.page.wait_for_function("() => document.querySelector('.portrait img').complete")
            assert visit.pixel(portrait["x"] + 128, portrait["y"] + 128) == colour_of(number)


def test_a_click_beside_a_picture_opens_nothing_and_closes(visits: Visits) -> None:
    with visits() as visit:
        visit.open(view(7, ZOOM) + "&specimen=ID007")
        assert visit.shown() == "ID007"
        visit.page.mouse.click(600 + PICTURE, 400)
        visit.page.wait_for_function("() => !butterflies.popup.card")
        assert visit.page.locator("#card").is_hidden()


def test_representatives_open_their_specimen_where_they_are_drawn(visits: Visits) -> None:
    with visits() as visit:
        for one in (r for r in SQUARES.representatives() if r["zoom"] == 1):
            visit.open(f"#{one['place_x']},{one['place_y']},{ZOOM - 1}")
            number = SQUARES.ids.index(one["assetID"])
            assert visit.pixel(630, 370) == colour_of(number)
            visit.page.mouse.click(630, 370)
            visit.wait_for_card(one["assetID"])
            ring = visit.page.locator(".ring").bounding_box()
            assert ring
            assert abs(ring["x"] + ring["width"] / 2 - 600) < 2


def test_representatives_on_dense_screens_are_those_of_the_tiles_shown(visits: Visits) -> None:
    with visits(device_scale_factor=2) as visit:
        one = SQUARES.representatives()[2]
        visit.open(f"#{one['place_x']},{one['place_y']},{ZOOM}")
        assert visit.pixel(615, 385) == colour_of(SQUARES.ids.index(one["assetID"]))
        visit.page.mouse.click(615, 385)
        visit.wait_for_card(one["assetID"])


def test_address_brings_everything_back(visits: Visits) -> None:
    with visits() as visit:
        visit.open("#700,800,1&specimen=ID009&colour=genus&only=Troides")
        kept = visit.page.url
        assert kept.endswith("#700,800,1&specimen=ID009&colour=genus&only=Troides")
        visit.page.reload()
        visit.page.wait_for_selector("body[data-ready]")
        assert visit.page.url == kept
        assert visit.shown() == "ID009"
        assert visit.state("page.world.view()") == {"x": 700, "y": 800, "spread": 1}
        visit.page.evaluate("() => { location.hash = '#300,400,0&colour=sex'; }")
        visit.page.wait_for_function("() => butterflies.colour.column === 'sex'")
        assert visit.state("page.world.view()") == {"x": 300, "y": 400, "spread": 0}
        assert visit.shown() is None
        visit.settle()


def test_address_follows_the_map(visits: Visits) -> None:
    with visits() as visit:
        visit.open("#1000,1000,0")
        visit.page.keyboard.press("Tab")
        visit.page.focus("#map")
        visit.page.keyboard.press("ArrowRight")
        visit.page.wait_for_function("() => !location.hash.startsWith('#1000,')")
        assert visit.page.url.endswith(",1000,0")
        visit.settle()


def test_a_specimen_is_found_by_its_number(visits: Visits) -> None:
    with visits() as visit:
        for key in ("ID012", "id012", "NHMUK%2012", "nhmuk 12"):
            visit.open(f"#{key}")
            assert visit.shown() == "ID012"


def test_odd_addresses_show_the_whole_map(visits: Visits) -> None:
    with visits() as visit:
        for key in ("constructor", "__proto__", "%E0%A4%A", "1,2", "NaN,1,1"):
            visit.open(f"#{key}")
            assert visit.shown() is None
            assert "no specimen" in visit.page.inner_text("#notice")


def test_colours_and_legend(visits: Visits) -> None:
    with visits() as visit:
        visit.open(view(1, 1))
        visit.page.get_by_text("Sex", exact=True).click()
        visit.page.wait_for_selector(".legend li")
        assert visit.page.locator(".legend li").all_inner_texts() == [
            "male\n14",
            "female\n13",
            "not recorded\n13",
        ]
        assert visit.pixel(600, 400) == _rgb("#e07f10")
        visit.page.get_by_role("button", name="male 14", exact=True).click()
        assert visit.pixel(600, 400) == _rgb("#e1ded8")
        assert visit.page.url.endswith("colour=sex&only=male")
        visit.page.mouse.click(600, 400)
        visit.wait_for_card("ID001")
        visit.page.get_by_text("Pictures", exact=True).click()
        assert visit.page.locator("canvas").count() == 0


def test_keyboard_opens_closes_and_returns(visits: Visits) -> None:
    with visits() as visit:
        visit.open(view(9, ZOOM))
        visit.page.focus("#map")
        visit.page.keyboard.press("Enter")
        visit.wait_for_card("ID009")
        assert visit.page.evaluate("document.activeElement.closest('#card') !== null")
        visit.page.keyboard.press("Escape")
        assert visit.page.locator("#card").is_hidden()
        assert visit.page.evaluate("document.activeElement.id") == "map"
        visit.page.keyboard.press("-")
        visit.page.wait_for_function(f"() => butterflies.world.map.getZoom() === {ZOOM - 1}")
        visit.settle()


def test_similar_specimens_fly_there(visits: Visits) -> None:
    with visits() as visit:
        visit.open("#ID010")
        first = visit.page.locator(".similar button").first
        assert first.locator("img").get_attribute("alt") == "Troides number11"
        assert visit.page.locator(".similar button").count() == 12
        first.click()
        visit.wait_for_card("ID011")
        visit.settle()
        box = visit.page.locator(".ring").bounding_box()
        assert box
        centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert visit.pixel(*centre) == colour_of(11)


def test_hostile_records_stay_text(visits: Visits) -> None:
    with visits() as visit:
        visit.open("#ID003&colour=genus")
        assert visit.page.inner_text("#card h2") == HOSTILE["scientificName"]
        assert str(HOSTILE["locality"]) in visit.page.inner_text("#card")
        visit.page.click(".more summary")
        assert "<b>bold</b>" in visit.page.inner_text("#card .more")
        assert visit.page.evaluate("window.pwned") is None
        links = visit.page.eval_on_selector_all("a", "all => all.map((a) => a.href)")
        assert all(link.startswith("http") for link in links)
        assert visit.page.locator("#card b, #card script, #card h2 img").count() == 0
        assert visit.page.inner_text("h1") == "Squares & <b>more</b>"


def test_museums_photograph_comes_only_when_asked_for(browser: Browser, address: str) -> None:
    with visiting(browser, address) as visit:
        asked: list[str] = []

        def answer(route: Any) -> None:
            asked.append(route.request.url)
            route.fulfill(status=200, content_type="image/png", body=PNG)

        visit.page.route("https://pictures.example.org/**", answer)
        visit.open("#ID004")
        assert asked == []
        visit.page.get_by_role("button", name="Show the museum").click()
        visit.page.wait_for_selector(".photo img")
        visit.page.wait_for_timeout(200)
        assert asked == ["https://pictures.example.org/a.jpg"]
        visit.troubles = [t for t in visit.troubles if "pictures.example.org" not in t]


def test_phone(visits: Visits) -> None:
    phone = {"width": 390, "height": 844, "device_scale_factor": 3}
    with visits(**phone, has_touch=True, is_mobile=True) as visit:
        visit.open(view(8, ZOOM) + "&colour=genus")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        assert visit.page.locator(".legend ul").is_hidden()
        visit.page.touchscreen.tap(195, 422)
        visit.wait_for_card("ID008")
        sheet = visit.page.locator("#card").bounding_box()
        assert sheet
        assert (sheet["x"], sheet["width"], sheet["y"] + sheet["height"]) == (0, 390, 844)
        visit.settle()
        ring = visit.page.locator(".ring").bounding_box()
        assert ring
        assert ring["y"] + ring["height"] <= sheet["y"]


def test_page_reads_the_files_as_they_were_written(visits: Visits) -> None:
    with visits() as visit:
        visit.open()
        ids = visit.page.evaluate(
            """async () => {
              const { site, hits } = butterflies;
              const { x, y } = hits.points;
              const cards = await Promise.all([...x.keys()].map((row) => site.card(row)));
              return cards.map(({ assetID }, row) => [assetID, x[row], y[row]]);
            }"""
        )
        assert len(ids) == SQUARES.count
        for asset_id, x, y in ids:
            assert (x, y) == SQUARES.place(SQUARES.ids.index(asset_id))


def test_opened_as_a_file_it_says_so(browser: Browser, tmp_path: Path) -> None:
    site = make_site(Squares(2), tmp_path / "site")
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("#notice:visible")
    assert "served over http" in page.inner_text("#notice")
    page.close()


def test_whole_map_lies_within_the_window(visits: Visits) -> None:
    with visits(width=1200, height=800) as visit:
        visit.open()
        spread = visit.state("page.world.view()")["spread"]
        left, top, right, bottom = json.loads(
            visit.page.evaluate("JSON.stringify(butterflies.site.info.bounds)")
        )
        assert (right - left) / 2**spread <= 1200 * 1.12
        assert (bottom - top) / 2**spread <= 800 * 1.12
        assert right <= WHOLE


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
