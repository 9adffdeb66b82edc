"""The mask editor's page in a real browser, before a stub of its server."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.annotator_page import Edit
from tests.annotator_stub import Stub, serving_stub, small_stub
from tests.browser import Visit, chromium, visiting


@pytest.fixture(scope="module")
def editors_browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def stub_server() -> Iterator[tuple[Stub, str]]:
    """One server for all tests; each begins with a fresh state."""
    stub = small_stub()
    with serving_stub(stub) as address:
        yield stub, address


@pytest.fixture
def stub(stub_server: tuple[Stub, str]) -> Stub:
    vars(stub_server[0]).update(vars(small_stub()))
    return stub_server[0]


@pytest.fixture
def edit(editors_browser: Browser, stub: Stub, stub_server: tuple[Stub, str]) -> Edit:
    """Opens the page; answers above 399 are troubles unless they are expected."""
    address = stub_server[1]

    @contextmanager
    def opening(hash_: str = "", expected: tuple[int, ...] = (), **options: Any) -> Iterator[Page]:
        with visiting(editors_browser, address, **options) as visit:
            visit.page.goto(address + hash_)
            visit.page.wait_for_selector("body[data-ready]")
            yield visit.page
            forgive(visit, expected)

    return opening


def forgive(visit: Visit, expected: tuple[int, ...]) -> None:
    wanted = "|".join(map(str, expected))
    of_these = re.compile(rf"^({wanted}) http|status of ({wanted}) ") if expected else None
    visit.troubles[:] = [t for t in visit.troubles if not (of_these and of_these.search(t))]
