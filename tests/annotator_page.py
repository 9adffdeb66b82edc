"""The mask editor's page in a real browser: hands that draw, eyes that look."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page

from tests.annotator_stub import Stub
from tests.browser import CHROMIUM

NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PIXELS = "[...annotator.session.mask.pixels]"
Edit = Callable[..., AbstractContextManager[Page]]
Mask = npt.NDArray[np.bool_]


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
