"""The annotator as a whole: its own page in a browser, its own server, a collection on disk."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from butterflies.collection.masks import read_mask_log
from butterflies.collection.photos import read_mask
from butterflies.scores.masks import iou
from butterflies.segmentation.annotator.app import app
from butterflies.segmentation.annotator.desk import Desk
from butterflies.segmentation.annotator.store import Store
from tests.annotator_page import brush, drag, kept, opened, pixels
from tests.annotators import darkness, unlabelled
from tests.browser import CHROMIUM, chromium, visiting
from tests.specimens import wings

__all__ = ["darkness"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@contextmanager
def serving(collection: Path, segmenter: Path | None = None) -> Iterator[tuple[Desk, str]]:
    """The annotator of a collection and its address, without the token."""
    desk = Desk(Store(collection, "tester"), segmenter, 0, "worst")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        ours = app(desk, [f"127.0.0.1:{port}"], "key")
        server = uvicorn.Server(uvicorn.Config(ours, log_level="warning", lifespan="off"))
        running = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        running.start()
        desk.start()
        yield desk, f"http://127.0.0.1:{port}/"
        desk.stop()
        server.should_exit = True
        running.join(10)


def test_a_mask_is_drawn_saved_and_found_again(tmp_path: Path, darkness: Path) -> None:
    place = unlabelled(tmp_path / "c", count=4)
    with (
        serving(place, darkness) as (desk, address),
        chromium() as browser,
        visiting(browser, address) as visit,
    ):
        page = visit.page
        page.goto(f"{address}?token=key")
        page.wait_for_selector("body[data-ready]")
        assert page.url.startswith(f"{address}#")
        page.wait_for_function("() => annotator.session?.item")
        first = page.evaluate("() => annotator.session.item.assetID")
        width, height = desk.store.size(first)
        page.wait_for_function("() => annotator.session.history.method === 'prediction'")
        begun = pixels(page)
        assert iou(begun, wings(seed=int(first[1:]))) > 0.8
        brush(page, 9)
        drag(page, (4, 4), (width - 5, 4))
        kept(page)
        drawn = desk.store.draft(first)
        assert drawn is not None
        assert drawn[4, 4 : width - 4].all()
        assert not begun[4, 4 : width - 4].any()
        page.reload()
        opened(page, first)
        page.get_by_role("button", name="Save and next").click()
        page.wait_for_function("(id) => annotator.session?.item.assetID !== id", arg=first)
        saved = read_mask(place, first, (width, height))
        assert saved is not None
        assert np.array_equal(saved, drawn)
        row = read_mask_log(place)[first]
        assert (row["method"], row["who"]) == ("corrected", "tester")
        assert desk.store.draft(first) is None


def test_a_page_without_the_key_sees_and_changes_nothing(tmp_path: Path, darkness: Path) -> None:
    place = unlabelled(tmp_path / "c", count=2)
    with serving(place, darkness) as (_, address), chromium() as browser:
        context = browser.new_context()
        page = context.new_page()
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 403
        page.goto("about:blank")
        sent = page.evaluate(
            """async (address) => {
              const send = { method: "PUT", body: "{}", mode: "no-cors" };
              try { return (await fetch(address + "api/judgement/a00", send)).type; }
              catch { return "failed"; }
            }""",
            address,
        )
        assert sent in ("failed", "opaque")
        context.close()
    assert not (place / "judgements.csv").exists()


def test_without_a_segmenter_it_opens_on_an_empty_mask(tmp_path: Path) -> None:
    place = unlabelled(tmp_path / "c", count=3)
    with (
        serving(place) as (desk, address),
        chromium() as browser,
        visiting(browser, address) as visit,
    ):
        page = visit.page
        page.goto(f"{address}?token=key")
        page.wait_for_selector("body[data-ready]")
        page.wait_for_function("() => annotator.session?.item")
        assert not pixels(page).any()
        page.get_by_role("button", name="Bad photograph").click()
        page.wait_for_function("() => annotator.state.counts.bad === 1 || annotator.visited.length")
        judged = desk.store.overview().judgements
        assert list(judged.values()) == ["bad"]
