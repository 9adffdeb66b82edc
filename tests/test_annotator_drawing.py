import numpy as np
import pytest
from playwright.sync_api import expect

from tests.annotator_page import (
    NEEDS_CHROMIUM,
    PIXELS,
    Edit,
    begun,
    below,
    brush,
    draft,
    drag,
    held,
    kept,
    pixels,
    place,
    same,
    stroke,
)
from tests.annotator_stub import Stub

pytest_plugins = ("tests.annotator_fixtures",)
pytestmark = NEEDS_CHROMIUM


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
