import json

import pytest

from tests.browser import CHROMIUM
from tests.page import MUSEUM, SQUARES, Visits, view
from tests.tiny_site import PICTURE, WHOLE, ZOOM, colour_of

pytest_plugins = ("tests.page_fixtures",)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


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
        visit.page.wait_for_function(
            "() => location.hash.endsWith('sex') && !butterflies.popup.card"
        )
        assert visit.state("page.world.view()") == {"x": 300, "y": 400, "spread": 0}
        assert visit.state("page.colour.column") == "sex"
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
        visit.open(view(6, ZOOM) + "&colour=genus")
        visit.page.mouse.click(600 + PICTURE / 2 - 3, 400 - PICTURE / 2 + 3)
        visit.wait_for_card("ID006")
        visit.page.get_by_text("Pictures", exact=True).click()
        assert visit.page.locator("canvas").count() == 0


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


def test_about_counts_licences_and_hands_out_the_credits(visits: Visits) -> None:
    with visits() as visit:
        visit.open()
        visit.page.click("#about-button")
        visit.page.wait_for_selector("#about a")
        said = visit.page.inner_text("#about")
        assert "CC BY 4.0 (38)" in said
        assert "not stated (39)\nCC0 1.0 (1)" in said
        assert "makes no warranty as to the quality or accuracy" in said
        links = visit.page.eval_on_selector_all("#about a", "all => all.map((a) => a.href)")
        assert links[:2] == [MUSEUM["license"], MUSEUM["recordLicense"]]
        with visit.page.expect_download() as downloaded:
            visit.page.get_by_role("link", name="Credits of all pictures").click()
        assert downloaded.value.suggested_filename == "credits.csv"
        rows = downloaded.value.path().read_text(encoding="utf-8").splitlines()
        assert len(rows) == 1 + SQUARES.count


def test_whole_map_lies_within_the_window(visits: Visits) -> None:
    with visits(width=1200, height=800) as visit:
        visit.open()
        spread = visit.state("page.world.view()")["spread"]
        left, top, right, bottom = json.loads(
            visit.page.evaluate("JSON.stringify(butterflies.site.info.bounds)")
        )
        assert (right - left) / 2**spread <= 1200 * 1.25
        assert (bottom - top) / 2**spread <= 800 * 1.25
        assert right <= WHOLE


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
