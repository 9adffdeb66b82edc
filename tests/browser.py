"""A site served on this machine and a headless Chromium that notes whatever goes wrong."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from butterflies.rendering.serve import app

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """The address of a site, served by `butterflies serve`'s own application."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app(site), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Visit:
    """A page of the site in a fresh profile.

    Attributes:
        page: Playwright's page.
        address: the site's address.
        troubles: console errors and warnings, failed and foreign requests.
        answers: status, address and bytes of every answer.
    """

    page: Page
    address: str
    troubles: list[str] = field(default_factory=list)
    answers: list[tuple[int, str, int]] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda m: self._console(m.type, m.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("requestfailed", lambda r: self._failed(r.url, r.failure))
        self.page.on("response", self._answer)

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.troubles.append(text)

    def _failed(self, url: str, failure: str | None) -> None:
        """A picture that is no longer wanted when its page is left is no trouble."""
        if failure != "net::ERR_ABORTED":
            self.troubles.append(f"{url}: {failure}")

    def _answer(self, response: Any) -> None:
        self.answers.append(
            (response.status, response.url, int(response.headers.get("content-length", 0)))
        )
        if response.status >= 400 or not response.url.startswith((self.address, "data:")):
            self.troubles.append(f"{response.status} {response.url}")

    def open(self, hash_: str = "") -> None:
        """Loads the page at an address such as `#100,100,0` and waits until it is all there."""
        self.page.goto("about:blank")
        self.page.goto(self.address + hash_)
        self.page.wait_for_selector("body[data-ready]")
        self.settle()

    def settle(self) -> None:
        """Waits until the tiles are loaded and faded in, and no older ones are left."""
        self.page.wait_for_function(
            """() => {
              const tiles = [...document.querySelectorAll('.leaflet-tile-pane .leaflet-tile')];
              return tiles.length && !document.querySelector('.leaflet-zoom-anim') && tiles.every(
                (tile) => tile.classList.contains('leaflet-tile-loaded')
                  && ['', '1'].includes(tile.style.opacity));
            }"""
        )

    def state(self, expression: str) -> Any:
        """The value of a JavaScript expression over `page`, the page's parts."""
        return self.page.evaluate(f"() => {{ const page = butterflies; return {expression}; }}")

    def shown(self) -> str | None:
        """The assetID in the open pop-up."""
        found: str | None = self.state("page.popup.card?.assetID ?? null")
        return found

    def wait_for_card(self, asset_id: str) -> None:
        self.page.wait_for_function("(id) => butterflies.popup.card?.assetID === id", arg=asset_id)

    def pixel(self, x: float, y: float) -> tuple[int, ...]:
        """The colour at a place of the window, in CSS pixels."""
        clip = {"x": x, "y": y, "width": 1, "height": 1}
        png = self.page.screenshot(clip=clip, animations="disabled")  # type: ignore[arg-type]
        found = Image.open(BytesIO(png)).convert("RGB").getpixel((0, 0))
        assert isinstance(found, tuple)
        return found


@contextmanager
def visiting(
    browser: Browser, address: str, width: int = 1200, height: int = 800, **context: Any
) -> Iterator[Visit]:
    """A visit in a new profile; at its end nothing may have gone wrong."""
    profile = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", **context
    )
    visit = Visit(profile.new_page(), address)
    visit.page.set_default_timeout(20_000)
    visit.listen()
    yield visit
    profile.close()
    assert visit.troubles == []
