"""Fixtures: the site of `page` in a browser; a test module names this one in `pytest_plugins`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import chromium, serving, visiting
from tests.page import SQUARES, Visits
from tests.tiny_site import make_site


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
