import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.annotator_stub import Stub, serving_stub, small_stub
from tests.browser import CHROMIUM, Visit, chromium, visiting

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PIXELS = "[...annotator.session.mask.pixels]"
Edit = Callable[..., AbstractContextManager[Page]]
Mask = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Stub, str]]:
    """One server for all tests; each begins with a fresh state."""
    stub = small_stub()
    with serving_stub(stub) as address:
        yield stub, address


@pytest.fixture
def stub(served: tuple[Stub, str]) -> Stub:
    vars(served[0]).update(vars(small_stub()))
    return served[0]


@pytest.fixture
def edit(browser: Browser, stub: Stub, served: tuple[Stub, str]) -> Edit:
    """Opens the page; answers above 399 are troubles unless they are expected."""
    address = served[1]

    @contextmanager
    def opening(hash_: str = "", expected: tuple[int, ...] = (), **options: Any) -> Iterator[Page]:
        with visiting(browser, address, **options) as visit:
            visit.page.goto(address + hash_)
            visit.page.wait_for_selector("body[data-ready]")
            yield visit.page
            forgive(visit, expected)

    return opening


def forgive(visit: Visit, expected: tuple[int, ...]) -> None:
    wanted = "|".join(map(str, expected))
    of_these = re.compile(rf"^({wanted}) http|status of ({wanted}) ") if expected else None
    visit.troubles[:] = [t for t in visit.troubles if not (of_these and of_these.search(t))]


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """The window's place of a place of the photograph."""
    box = page.locator("#canvas").bounding_box()
    assert box
    at = page.evaluate("([x, y]) => annotator.stage.view.over({x, y})", [x, y])
    return box["x"] + at["x"], box["y"] + at["y"]


def below(page: Page, x: float, y: float) -> tuple[float, float]:
    """The photograph's place under a place of the window."""
    box = page.locator("#canvas").bounding_box()
    assert box
    at = page.evaluate(
        "([x, y]) => annotator.stage.view.under({x, y})", [x - box["x"], y - box["y"]]
    )
    return at["x"], at["y"]


def drag(page: Page, *points: tuple[float, float], button: Any = "left", steps: int = 6) -> None:
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down(button=button)
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=steps)
    page.mouse.up(button=button)


def brush(page: Page, size: int) -> None:
    page.evaluate("(size) => annotator.tools.set('size', size)", size)


def kept(page: Page) -> None:
    """Waits until the server has everything."""
    page.wait_for_function(
        "() => annotator.session?.sender.settled && !annotator.saving.unsent.size"
    )


def begun(page: Page, method: str) -> None:
    """Waits until a mask that was made in this way is with the server."""
    page.wait_for_function("(how) => annotator.session.history.method === how", arg=method)
    kept(page)


def opened(page: Page, asset_id: str) -> None:
    page.wait_for_function("(id) => annotator.session?.item.assetID === id", arg=asset_id)


def pixels(page: Page) -> Mask:
    height, width, found = page.evaluate(
        f"() => [annotator.session.mask.height, annotator.session.mask.width, {PIXELS}]"
    )
    return np.array(found, dtype=np.uint8).reshape(height, width) > 127


def held(stub: Stub, asset_id: str, kind: str) -> Mask:
    found = stub.pixels(asset_id, kind)
    assert found is not None
    assert set(np.unique(found)) <= {0, 255}
    return found > 127


def draft(stub: Stub, asset_id: str = "a0") -> Mask:
    return held(stub, asset_id, "draft")


def stroke(
    points: list[tuple[float, float]], size: float, height: int = 180, width: int = 240
) -> Mask:
    """Pixels whose centres are at most half a size from a line of points."""
    y, x = np.mgrid[:height, :width] + 0.5
    found = np.zeros((height, width), bool)
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clip(0, 1)
        found |= np.hypot(x - ax - t * dx, y - ay - t * dy) <= size / 2
    return found


def same(found: Mask, wanted: Mask, loose: float = 0.05) -> bool:
    """Masks that differ by no more than a rim: the mouse stands on whole CSS pixels."""
    return bool((found != wanted).sum() <= loose * wanted.sum())


def test_a_stroke_reaches_the_server_where_it_was_drawn_at_any_zoom(edit: Edit, stub: Stub) -> None:
    line = [(40.5, 50.5), (90.5, 60.5), (90.5, 100.5)]
    with edit() as page:
        brush(page, 11)
        drag(page, *line)
        kept(page)
        assert same(draft(stub), stroke(line, 11))
        page.keyboard.press("z")
        x, y = map(float, map(round, place(page, 90, 60)))
        page.mouse.move(x, y)
        under = below(page, x, y)
        for _ in range(6):
            page.mouse.wheel(0, -240)
        page.wait_for_function("() => annotator.stage.view.scale > 20")
        assert below(page, x, y) == pytest.approx(under)
        x, y = place(page, 90, 60)
        page.mouse.move(x, y)
        page.keyboard.down(" ")
        page.mouse.down()
        page.mouse.move(x - 60, y - 80, steps=3)
        page.mouse.up()
        page.keyboard.up(" ")
        assert place(page, 90, 60) == pytest.approx((x - 60, y - 80))
        close = [(88.2, 62.4), (94.6, 64.3)]
        brush(page, 3)
        drag(page, *close)
        kept(page)
        assert (draft(stub) != stroke(close, 3)).sum() <= 2
        drag(page, (93, 63), (90, 62), button="middle")
        assert (pixels(page) == draft(stub)).all()


def test_pixels_are_squares_with_the_overlay_on_them_at_high_zoom(edit: Edit, stub: Stub) -> None:
    with edit() as page:
        brush(page, 1)
        page.evaluate(
            """() => { annotator.look({colour: 'magenta'});
              const {view} = annotator.stage; view.zoom(100, view.over({x: 120, y: 90})); }"""
        )
        drag(page, (120.5, 90.5), (120.5, 90.5))
        kept(page)
        assert np.argwhere(draft(stub)).tolist() == [[90, 120]]
        page.wait_for_function("() => !annotator.stage.frame")
        colours = page.evaluate(
            """() => {
              const {view, density, context} = annotator.stage;
              const at = view.over({x: 120.5, y: 90.5});
              const row = context.getImageData(at.x * density, at.y * density, 80, 1).data;
              return [0, 0.35, 1, 1.35].map((x) => {
                const i = 4 * Math.floor(x * view.scale * density);
                return [...row.slice(i, i + 3)];
              });
            }"""
        )
        assert colours[0] == colours[1] != colours[2] == colours[3]


def test_eraser_right_button_and_pen_end_take_away(edit: Edit, stub: Stub) -> None:
    with edit() as page:
        brush(page, 21)
        drag(page, (40.5, 90.5), (200.5, 90.5))
        page.keyboard.press("e")
        brush(page, 9)
        drag(page, (60.5, 60.5), (60.5, 120.5))
        page.keyboard.press("b")
        drag(page, (120.5, 60.5), (120.5, 120.5), button="right")
        kept(page)
        wanted = stroke([(40.5, 90.5), (200.5, 90.5)], 21)
        for x in (60.5, 120.5):
            wanted &= ~stroke([(x, 60.5), (x, 120.5)], 9)
        assert same(draft(stub), wanted)


def test_undo_and_redo_give_the_same_bytes_many_steps_back(edit: Edit, stub: Stub) -> None:
    with edit() as page:
        states = [page.evaluate(f"() => {PIXELS}.join()")]
        page.evaluate(
            """() => { for (let i = 0; i < 60; i++) {
              const {tools} = annotator; const x = (i * 37) % 240; const y = (i * 53) % 180;
              tools.tool = i % 5 === 4 ? 'eraser' : 'brush'; tools.size = 8 + (i % 30);
              tools.down({x, y}, {other: false}); tools.move([{x: x + 30, y: y + 9}]); tools.up();
              (globalThis.states ??= []).push([...annotator.session.mask.pixels].join());
            } }"""
        )
        for state in page.evaluate("() => globalThis.states"):
            states += [] if state == states[-1] else [state]
        assert len(states) > 50
        for wanted in states[-2::-1]:
            page.keyboard.press("z")
            assert page.evaluate(f"() => {PIXELS}.join()") == wanted
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()
        for _ in states[1:]:
            page.keyboard.press("y")
        assert page.evaluate(f"() => {PIXELS}.join()") == states[-1]
        kept(page)
        assert (draft(stub) == pixels(page)).all()
        size = page.evaluate(
            "() => annotator.session.history.done.reduce((sum, one) => sum + one.runs.length, 0)"
        )
        assert size < 60 * 500


def test_polygon_and_lasso_fill_what_they_go_round(edit: Edit, stub: Stub) -> None:
    with edit() as page:
        page.keyboard.press("l")
        for corner in ((40, 40), (120, 40), (120, 100), (40, 100)):
            page.mouse.click(*place(page, *corner))
        page.keyboard.press("Backspace")
        page.mouse.click(*place(page, 40, 100))
        page.keyboard.press("Enter")
        kept(page)
        wanted = np.zeros((180, 240), bool)
        wanted[40:100, 40:120] = True
        assert same(draft(stub), wanted)
        page.get_by_role("button", name="Remove").click()
        drag(page, (60, 50), (100, 50), (100, 80), (60, 80))
        kept(page)
        wanted[50:80, 60:100] = False
        assert same(draft(stub), wanted)
        page.mouse.click(*place(page, 10, 10))
        page.keyboard.press("Escape")
        assert page.evaluate("annotator.stage.sketch") is None


def test_fill_takes_joined_pixels_of_like_colour(edit: Edit, stub: Stub) -> None:
    stub.held["a0"].photo = np.full((180, 240, 3), 200, np.uint8)
    stub.held["a0"].photo[20:90, 30:80] = 40
    stub.held["a0"].photo[20:90, 120:180] = 40
    with edit() as page:
        page.keyboard.press("f")
        page.mouse.click(*place(page, 50, 50))
        kept(page)
        wanted = np.zeros((180, 240), bool)
        wanted[20:90, 30:80] = True
        assert same(draft(stub), wanted)
        page.evaluate("annotator.tools.set('tolerance', 128)")
        page.mouse.click(*place(page, 150, 50))
        assert not pixels(page)[150, 200]


def test_starts_from_contrast_or_prediction_and_says_how_the_mask_came(
    edit: Edit, stub: Stub
) -> None:
    with edit("#a4") as page:
        expect(page.locator("#notice")).to_contain_text("Begun from the prediction.")
        assert (pixels(page) == held(stub, "a4", "prediction")).all()
        drag(page, (5, 5), (20, 20))
        kept(page)
        assert stub.writes[-1][2] == "corrected"
        page.get_by_role("button", name="Contrast").click()
        begun(page, "contrast")
        assert stub.writes[-1][2] == "contrast"
        page.get_by_role("button", name="Grow to edges").click()
        begun(page, "corrected")
        assert stub.writes[-1][2] == "corrected"
        assert (draft(stub, "a4") == np.roll(held(stub, "a4", "contrast"), 2, axis=1)).all()
        page.keyboard.press("Delete")
        kept(page)
        assert stub.writes[-1][2] == "hand"
        assert not draft(stub, "a4").any()
        page.keyboard.press("z")
        kept(page)
        assert stub.writes[-1][2] == "corrected"


def test_refused_contrast_is_told_as_text(edit: Edit) -> None:
    with edit("#a5") as page:
        assert page.get_by_role("button", name="Contrast").is_disabled()
        expect(page.locator("#start")).to_contain_text("The background is <b>not</b> even enough.")
        assert page.locator("main b, main i:not(.swatches i)").count() == 0


def test_keys_alone_save_skip_go_back_and_judge(edit: Edit, stub: Stub) -> None:
    with edit() as page:
        opened(page, "a0")
        page.keyboard.press("s")
        expect(page.locator("#notice")).to_contain_text("The mask is empty.")
        page.keyboard.press("c")
        page.wait_for_function("() => !annotator.session.mask.empty")
        page.keyboard.press("Enter")
        opened(page, "a1")
        assert stub.held["a0"].method == "contrast"
        assert "draft" not in stub.held["a0"].kinds
        page.keyboard.press("n")
        opened(page, "a2")
        page.keyboard.press("p")
        opened(page, "a1")
        page.keyboard.press("x")
        opened(page, "a2")
        assert stub.held["a1"].judgement == "no_specimen"
        page.keyboard.press("d")
        opened(page, "a3")
        assert stub.held["a2"].judgement == "bad"
        page.keyboard.press("p")
        opened(page, "a2")
        page.keyboard.press("d")
        page.wait_for_function("() => annotator.session.item.judgement === null")
        assert stub.held["a2"].judgement is None


def test_question_mark_shows_the_keys_and_every_control_has_a_name(edit: Edit) -> None:
    with edit() as page:
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        expect(dialog).to_contain_text("Save and next")
        page.keyboard.press("n")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        opened(page, "a0")
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll('button, input, select')].filter((node) =>
              !(node.hidden || node.textContent.trim() || node.ariaLabel || node.closest('label')
                || node.getAttribute('aria-label'))).length"""
        )
        assert unnamed == 0


def test_reload_restores_the_draft_and_says_so(edit: Edit, stub: Stub) -> None:
    with edit() as page:
        drag(page, (60, 60), (120, 90))
        kept(page)
        before = pixels(page)
        page.reload()
        page.wait_for_selector("body[data-ready]")
        assert (pixels(page) == before).all()
        expect(page.locator("#notice")).to_contain_text("Restored your draft")
        page.get_by_role("button", name="Discard it").click()
        page.wait_for_function("() => annotator.session.mask.empty")
        assert stub.draft("a0") is None


def test_strokes_wait_for_a_dead_server_and_outlive_the_page(edit: Edit, stub: Stub) -> None:
    with edit(expected=(503,)) as page:
        stub.down = True
        drag(page, (60, 60), (120, 90))
        expect(page.locator("#saving")).to_contain_text("Not saved, trying again")
        expect(page.locator("#live")).to_contain_text("Not saved")
        drag(page, (120, 90), (60, 120))
        page.wait_for_function("() => annotator.session.sender.state === 'failed'")
        stub.down = False
        page.get_by_role("button", name="Try again").click()
        kept(page)
        expect(page.locator("#saving")).to_contain_text("All kept")
        assert (draft(stub) == pixels(page)).all()
        stub.down = True
        drag(page, (20, 20), (40, 20))
        expect(page.locator("#saving")).to_contain_text("Not saved, trying again")
        before = pixels(page)
        assert (draft(stub) != before).any()
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto("about:blank")
        stub.down = False
        page.go_back()
        page.wait_for_selector("body[data-ready]")
        kept(page)
        assert (pixels(page) == before).all()
        assert (draft(stub) == before).all()


@pytest.mark.parametrize("answer", ["Take theirs", "Keep mine as a new version"])
def test_a_stale_version_asks_whose_mask_to_take(edit: Edit, stub: Stub, answer: str) -> None:
    with edit(expected=(409,)) as page:
        theirs = stub.held["a0"]
        theirs.kinds["mask"] = theirs.kinds["contrast"]
        theirs.version = 7
        brush(page, 9)
        drag(page, (10, 10), (60, 10))
        mine = pixels(page)
        dialog = page.get_by_role("dialog", name="Changed elsewhere")
        expect(dialog).to_contain_text("Somebody else changed this mask <b>meanwhile</b>.")
        assert stub.draft("a0") is None
        dialog.get_by_role("button", name=answer).click()
        if answer == "Take theirs":
            page.wait_for_function("() => annotator.session.sender.version === 7")
            assert (pixels(page) == held(stub, "a0", "mask")).all()
            assert stub.draft("a0") is None
        else:
            kept(page)
            assert (draft(stub) == mine).all()
            assert theirs.version == 8


def test_fingers_draw_and_pinch_but_only_move_while_a_pen_is_used(edit: Edit) -> None:
    with edit(width=390, height=844, has_touch=True) as page:
        touches = page.context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            where = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
            touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

        touch("touchStart", (150, 300))
        touch("touchMove", (220, 330))
        touch("touchEnd")
        drawn = pixels(page).sum()
        assert drawn > 0
        scale = page.evaluate("annotator.stage.view.scale")
        touch("touchStart", (150, 300))
        touch("touchStart", (150, 300), (250, 300))
        touch("touchMove", (100, 300), (300, 300))
        touch("touchEnd")
        assert page.evaluate("annotator.stage.view.scale") == pytest.approx(2 * scale)
        assert pixels(page).sum() == drawn
        page.evaluate(
            """() => { for (const [type, x] of [['down', 60], ['move', 90], ['up', 90]])
              document.getElementById('canvas').dispatchEvent(new PointerEvent(`pointer${type}`, {
                pointerId: 77, pointerType: 'pen', clientX: x, clientY: 400, button: 0,
                buttons: 1, pressure: 0.5, bubbles: true, cancelable: true })); }"""
        )
        penned = pixels(page).sum()
        assert penned > drawn
        before = page.evaluate("annotator.stage.view.x")
        touch("touchStart", (150, 300))
        touch("touchMove", (190, 300))
        touch("touchEnd")
        assert pixels(page).sum() == penned
        assert page.evaluate("annotator.stage.view.x") == pytest.approx(before + 40)


def test_gallery_opens_a_mask_again_and_progress_counts(edit: Edit, stub: Stub) -> None:
    stub.held["a3"].kinds["mask"] = stub.held["a3"].kinds["contrast"]
    stub.held["a3"].method = "hand"
    with edit() as page:
        page.get_by_role("button", name="Progress").click()
        expect(page.locator("#progress")).to_contain_text("0.961")
        expect(page.locator("#progress")).to_contain_text("1 of 3 (33 %)")
        page.get_by_role("button", name="Gallery").click()
        expect(page.locator("#gallery li")).to_have_count(1)
        page.locator("#gallery li button").click()
        opened(page, "a3")
        assert (pixels(page) == held(stub, "a3", "mask")).all()
        page.get_by_role("button", name="Delete mask").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete mask").click()
        page.wait_for_function("() => annotator.session.mask.empty")
        assert stub.pixels("a3", "mask") is None


def test_filters_ask_for_order_genus_and_those_without_mask(edit: Edit, stub: Stub) -> None:
    stub.held["a2"].kinds["mask"] = stub.held["a2"].kinds["contrast"]
    items = "() => annotator.queue.items.map((item) => item.assetID).join()"
    with edit() as page:
        assert page.evaluate(items) == "a0,a1,a3,a4,a5"
        page.get_by_label("Without mask only").uncheck()
        page.wait_for_function(f"() => ({items})() === 'a0,a1,a2,a3,a4,a5'")
        page.get_by_label("Genus").select_option("Bia")
        page.wait_for_function(f"() => ({items})() === 'a1,a3,a5'")
        page.locator("#strip li button").nth(1).click()
        opened(page, "a3")


def test_nothing_overflows_and_the_actions_are_in_sight_at_any_size(edit: Edit) -> None:
    with edit() as page:
        for width, height in ((390, 844), (820, 1180), (1280, 800), (1920, 1080)):
            page.set_viewport_size({"width": width, "height": height})
            for view in ("Gallery", "Progress", "Edit"):
                page.get_by_role("button", name=view, exact=True).click()
                assert page.evaluate("document.documentElement.scrollWidth") <= width
            for node in ("#actions .primary", "#tools .brush", "#canvas"):
                box = page.locator(node).bounding_box()
                assert box
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
                assert box["y"] + box["height"] <= height
                assert box["height"] > 30
