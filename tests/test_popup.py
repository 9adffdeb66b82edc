import base64
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import CHROMIUM, visiting
from tests.page import HOSTILE, LONG, MUSEUM, SQUARES, Visits, view
from tests.tiny_site import PICTURE, ZOOM, Squares, colour_of, make_site

pytest_plugins = ("tests.page_fixtures",)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def test_a_click_beside_a_picture_opens_nothing_and_closes(visits: Visits) -> None:
    with visits() as visit:
        visit.open(view(7, ZOOM) + "&specimen=ID007")
        assert visit.shown() == "ID007"
        visit.page.mouse.click(600 + PICTURE, 400)
        visit.page.wait_for_function("() => !butterflies.popup.card")
        assert visit.page.locator("#card").is_hidden()


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


def test_scores_are_told_as_far_as_they_are_known(visits: Visits) -> None:
    with visits() as visit:
        for number, told in ((33, ["33 %", "0.125"]), (34, ["34 %"])):
            visit.open(f"#{SQUARES.ids[number]}")
            visit.page.locator(".scores summary").click()
            shown = visit.page.locator(".scores dd").all_inner_texts()
            assert [text.split("\n")[0] for text in shown] == told


def test_hostile_records_stay_text(visits: Visits) -> None:
    with visits() as visit:
        visit.open("#ID003&colour=genus")
        assert visit.page.inner_text("#card h2") == HOSTILE["scientificName"]
        assert str(HOSTILE["locality"]) in visit.page.inner_text("#card")
        visit.page.click(".further summary")
        assert "<b>bold</b>" in visit.page.inner_text("#card .further")
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


def test_credit_tells_both_licences(visits: Visits) -> None:
    with visits() as visit:
        visit.open("#ID005")
        assert visit.page.inner_text(".credit p >> nth=0") == (
            "© Natural History Museum, The Trustees of the Natural History Museum, London · "
            "Photograph: CC BY 4.0 · Record: CC0 1.0"
        )
        links = visit.page.eval_on_selector_all(".credit a", "all => all.map((a) => a.href)")
        assert links[:2] == [MUSEUM["license"], MUSEUM["recordLicense"]]
        visit.open("#ID000")
        assert visit.page.inner_text(".credit p >> nth=0") == "© A museum · CC BY 4.0"
        assert visit.page.locator(".cite").count() == 0


@pytest.mark.parametrize("secure", [True, False])
def test_a_citation_is_copied_without_asking_anybody(visits: Visits, secure: bool) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visits(permissions=allowed) as visit:
        visit.open("#ID005")
        if not secure:
            visit.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
        visit.page.click(".cite summary")
        assert visit.page.inner_text(".cite p") == MUSEUM["bibliographicCitation"]
        visit.page.wait_for_load_state("networkidle")
        before = len(visit.answers)
        visit.page.click(".cite button")
        visit.page.wait_for_function(
            "() => document.querySelector('.cite button').textContent === 'Copied'"
        )
        assert len(visit.answers) == before
        visit.page.evaluate("document.body.append(document.createElement('textarea'))")
        visit.page.focus("body > textarea")
        visit.page.keyboard.press("Control+V")
        assert visit.page.input_value("body > textarea") == MUSEUM["bibliographicCitation"]


def test_a_long_and_hostile_citation_is_text_and_fits_a_phone(visits: Visits) -> None:
    with visits(width=390, height=844, has_touch=True, is_mobile=True) as visit:
        visit.open("#ID006")
        visit.page.click(".cite summary")
        assert visit.page.inner_text(".cite p") == LONG["bibliographicCitation"]
        links = visit.page.eval_on_selector_all(".cite a", "all => all.map((a) => a.href)")
        assert links == [LONG["bibliographicCitation"].split()[-1]]
        assert visit.page.locator(".credit a").count() == 0
        widths = "(e) => [e.scrollWidth, e.clientWidth]"
        assert visit.page.eval_on_selector("#card .body", widths) == [390, 390]


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


def test_opened_as_a_file_it_says_so(browser: Browser, tmp_path: Path) -> None:
    site = make_site(Squares(2), tmp_path / "site")
    page = browser.new_page()
    page.goto((site / "index.html").as_uri())
    page.wait_for_selector("#notice:visible")
    assert "served over http" in page.inner_text("#notice")
    page.close()
