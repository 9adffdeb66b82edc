"""Shows a site in the browser of this machine, and to nobody else.

Tiles that lie in one archive are served as if each were a file; the archive itself is served, too,
by HTTP ranges where they are asked for.
"""

import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from butterflies.errors import UserError
from butterflies.listening import HOST, NAMES, listen
from butterflies.rendering.archive import NAME, open_archive
from butterflies.tracking.console import say

TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".bin": "application/octet-stream",
    ".pmtiles": "application/vnd.pmtiles",
}
TILE = re.compile(r"(v-[0-9a-f]+)/tiles/(\d{1,2})/(\d{1,9})/(\d{1,9})(\.\w+)")


@dataclass
class ServeSettings:
    """What to show, and where.

    Attributes:
        site: the site folder of a render.
        port: 0 takes any that is free.
    """

    site: str
    port: int = 8000


class SiteFiles(StaticFiles):
    """Files of one folder: no path and no link leads out of it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = TILE.fullmatch(path) if scope["method"] in ("GET", "HEAD") else None
        response = self._archived(*found.groups()) if found else None
        response = response or await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        # What a fingerprint names never changes; all else may be another render's tomorrow.
        lasting = path.startswith("v-") and response.status_code in (200, 304)
        response.headers["Cache-Control"] = "max-age=86400" if lasting else "no-cache"
        return response

    def _archived(self, version: str, z: str, x: str, y: str, suffix: str) -> Response | None:
        """A tile of the version's archive, None where there is none."""
        path, _ = self.lookup_path(f"{version}/{NAME}")
        if not path:
            return None
        data = open_archive(Path(path)).tile((int(z), int(x), int(y)))
        return Response(data, media_type=TYPES.get(suffix)) if data is not None else None


def app(site: Path) -> Starlette:
    """The server's application, for 127.0.0.1 and localhost only; any other Host is status 400."""
    for suffix, kind in TYPES.items():
        mimetypes.add_type(kind, suffix)
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(NAMES))
    return Starlette(routes=[Mount("/", SiteFiles(directory=site, html=True))], middleware=[hosts])


def run(settings: ServeSettings) -> Path:
    """Serves until Ctrl-C.

    Raises:
        UserError: there is no site, or the port cannot be had.
    """
    site = Path(settings.site)
    if not (site / "map.json").is_file():
        raise UserError(f"{site} is no site (it has no map.json): `python render.py` makes one.")
    for archive in site.glob(f"v-*/{NAME}"):
        open_archive(archive)  # what cannot be read is said now
    with listen(settings.port) as listening:
        port = listening.getsockname()[1]
        say(f"The map is at http://{HOST}:{port}/ (Ctrl-C ends).")
        server = uvicorn.Server(uvicorn.Config(app(site), log_level="warning", lifespan="off"))
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:
            say("")
    return site
