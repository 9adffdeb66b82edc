"""Pop-up and tile show the same specimen: seen in a browser, on a map rendered by the real way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from butterflies.files import read_json
from butterflies.tables import ok_rows, read_table
from tests.browser import CHROMIUM, Visit, chromium, serving, visiting
from tests.painted import COLOURS, IDS, painted_map

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return painted_map(tmp_path_factory.mktemp("painted"))


@pytest.fixture(scope="module", params=[1, 2], ids=["plain", "dense"])
def visit(painted: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    with (
        chromium() as browser,
        serving(painted / "site") as address,
        visiting(browser, address, 900, 700, device_scale_factor=request.param) as opened,
    ):
        opened.open()
        yield opened


def assert_same(visit: Visit, row: dict[str, Any], tile_zoom: int) -> None:
    """Centres a drawn picture, compares its colour with its id, clicks it and compares again."""
    x, y = row["place_x"], row["place_y"]
    visit.state(f"page.world.show({x}, {y}, {tile_zoom} - page.world.sharper)")
    visit.page.wait_for_function("() => butterflies.hits.prepare().then(() => true)")
    visit.settle()
    seen = visit.pixel(450, 350)
    nearest = int(np.abs(np.array(COLOURS) - seen).max(1).argmin())
    assert IDS[nearest] == row["assetID"]
    visit.page.mouse.click(450, 350)
    visit.wait_for_card(row["assetID"])
    portrait = visit.page.locator(".portrait img")
    portrait.evaluate("(picture) => picture.decode()")
    box = portrait.bounding_box()
    assert box
    inside = visit.pixel(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert int(np.abs(np.array(COLOURS) - inside).max(1).argmin()) == nearest
    visit.page.click(".close")


@pytest.mark.parametrize("further", [-1, 0, 1])
def test_specimens(painted: Path, visit: Visit, further: int) -> None:
    zoom = read_json(painted / "site" / "map.json")["zoom"]
    for row in ok_rows(read_table(painted / "places.parquet", "render"))[:: 9 - further]:
        assert_same(visit, row, zoom + further)


def test_representatives(painted: Path, visit: Visit) -> None:
    drawn = read_table(painted / "representatives.parquet", "render").to_pylist()
    deepest = max(row["zoom"] for row in drawn)
    own = {
        row["assetID"]: (row["place_x"], row["place_y"])
        for row in ok_rows(read_table(painted / "places.parquet", "render"))
    }
    above = [row for row in drawn if row["zoom"] == deepest]
    assert any(own[row["assetID"]] != (row["place_x"], row["place_y"]) for row in above)
    for row in above[:4]:
        assert_same(visit, row, deepest)
