"""The page's own files: copied into each site, with the title and the allowed hosts filled in."""

import html
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from butterflies.files import write_bytes, write_text

LEAFLET_FILES = ("leaflet.js", "leaflet.css")
SUFFIXES = (".js", ".css", ".svg")


def write_page(site: Path, title: str, hosts: Sequence[str]) -> None:
    """Writes `index.html` and `page/`.

    Args:
        site: the site's folder.
        title: plain text.
        hosts: origins (`https://example.org`) that pictures may come from besides the site.
    """
    viewer = files("butterflies") / "viewer"
    leaflet = files("js_lib_leaflet") / "static" / "js_lib_leaflet"
    for name in LEAFLET_FILES:
        write_bytes(site / "page" / name, (leaflet / name).read_bytes())
    for file in viewer.iterdir():
        if file.name.endswith(SUFFIXES):
            write_bytes(site / "page" / file.name, file.read_bytes())
    page = Template((viewer / "index.html").read_text(encoding="utf-8"))
    filled = page.substitute(title=html.escape(title), policy=html.escape(policy(hosts)))
    write_text(site / "index.html", filled)


def policy(hosts: Sequence[str]) -> str:
    """The page's Content-Security-Policy: nothing foreign but pictures of `hosts`.

    `data:` is for the one-pixel picture that Leaflet puts into tiles it drops.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            " ".join(("img-src 'self' data:", *hosts)),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
