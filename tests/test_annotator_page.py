import pytest
from playwright.sync_api import expect

from tests.annotator_page import (
    NEEDS_CHROMIUM,
    Edit,
    brush,
    draft,
    drag,
    held,
    kept,
    opened,
    pixels,
)
from tests.annotator_stub import Stub

pytest_plugins = ("tests.annotator_fixtures",)
pytestmark = NEEDS_CHROMIUM


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
