r"""The page of a map in Chromium: what its first view takes, and how fast it answers.

    python benchmarks/page.py site=/tmp/scale/150000/map-webp/site runs=5

`butterflies serve` serves it on this machine, uncompressed; a web host that compresses sends less.
Each run has a fresh profile: first view = until all tiles in view are there. Then a specimen is
clicked, and another one in the same chunk of records (warm); then all are coloured by a column,
and by another one that is loaded already (from the change to the painted frame). Medians of runs.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

SCREENS: dict[str, dict[str, Any]] = {
    "desktop, 1440 x 900": {"viewport": {"width": 1440, "height": 900}},
    "phone, 390 x 844, dense": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 3,
        "has_touch": True,
        "is_mobile": True,
    },
}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOADED = """() => {
  const tiles = [...document.querySelectorAll('.leaflet-tile-pane .leaflet-tile')];
  return document.body.dataset.ready && tiles.length
    && tiles.every((tile) => tile.classList.contains('leaflet-tile-loaded'));
}"""
OPENED = """async ([row]) => {
  const { popup } = butterflies, start = performance.now();
  await popup.open(row, 'stay');
  await new Promise(requestAnimationFrame);
  return performance.now() - start;
}"""
RECOLOURED = """async ([column]) => {
  const { colour } = butterflies, start = performance.now();
  await colour.set(column, null);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""


def main(words: list[str]) -> None:
    given = dict(word.split("=", 1) for word in words)
    with _served(given["site"]) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=ARGUMENTS)
        for screen, options in SCREENS.items():
            runs = [_visit(browser, address, options) for _ in range(int(given.get("runs", 5)))]
            print(f"\n{screen}\n")
            for name in runs[0]:
                print(f"- {name}: {median(run[name] for run in runs):,.0f}", flush=True)
        browser.close()


@contextmanager
def _served(site: str) -> Iterator[str]:
    line = [sys.executable, "-m", "butterflies", "serve", f"site={site}", "port=0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        said = server.stdout.readline() if server.stdout else ""
        yield next(word for word in said.split() if word.startswith("http"))
        server.terminate()


def _visit(browser: Browser, address: str, options: dict[str, Any]) -> dict[str, float]:
    context = browser.new_context(**options)
    page, answers = context.new_page(), []
    page.on("response", lambda answer: answers.append(answer))
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_function(LOADED)
    found: dict[str, float] = {"first view, ms": 1000 * (time.perf_counter() - start)}
    bytes_of = [int(answer.headers.get("content-length", 0)) for answer in answers]
    found |= {"requests": len(answers), "kB": sum(bytes_of) / 1000}
    found["missing files"] = sum(answer.status >= 400 for answer in answers)
    found["click, ms"] = page.evaluate(OPENED, [0])
    found["click, warm, ms"] = page.evaluate(OPENED, [1])
    page.evaluate("() => butterflies.popup.close()")
    for column, name in (("genus", "colour, ms"), ("sex", ""), ("genus", "colour, warm, ms")):
        took = page.evaluate(RECOLOURED, [column])
        found |= {name: took} if name else {}
    context.close()
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
