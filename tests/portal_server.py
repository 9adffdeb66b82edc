"""A test server that behaves as the museum's portal, its image server and GBIF are known to.

Comments name the fact that a behaviour rests on: "portal" and a number are a section of what the
services' source, documentation and recorded answers say; the letters tell how sure that is: [S]
source, [D] documentation, [R] real data, [E] an experiment, [L] legacy, [I] inferred.
"""

import re
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from tests.gbif_server import gbif_answer, occurrences
from tests.portal_api import act
from tests.portal_bulk import Bulk
from tests.portal_collection import Collection
from tests.portal_http import Answer, Asked, Listener, Record, Request, Traffic, redirect
from tests.portal_media import media_answer, picture
from tests.portal_records import make_records
from tests.portal_rules import Faults

ROBOTS = """User-agent: *
Disallow: /api/
Disallow: /revision/
Disallow: /dataset?*
Crawl-Delay: 10
"""  # 1.10 [S]


class Portal:
    """A running server; see `serving`.

    Attributes:
        url: "http://127.0.0.1:<port>".
        faults: Which requests go wrong.
        conditional: Whether pictures honour If-None-Match and If-Modified-Since with a 304.
        bulk: The queued downloads.
        broken: Tracebacks of the server's own mistakes.
    """

    def __init__(self, records: list[Record], faults: Faults) -> None:
        self.listener = Listener(self)
        self.url = f"http://127.0.0.1:{self.listener.server_address[1]}"
        self.faults, self.bulk, self.traffic = faults, Bulk(), Traffic()
        self.conditional = False
        self.closing = threading.Event()
        self.broken: list[str] = []
        self.collection = Collection([self._homed(record) for record in records])
        self._withheld: set[str] = set()
        self._media: tuple[int, dict[str, Record]] = (-1, {})

    @property
    def records(self) -> list[Record]:
        """The records of the present; to edit them, use the methods."""
        return [state.data for state in self.collection.as_of()]

    @property
    def version(self) -> int:
        """The version of the present, epoch ms."""
        return self.collection.version

    @property
    def log(self) -> list[Request]:
        return self.traffic.log

    @property
    def gbif(self) -> list[Record]:
        """The occurrences that GBIF makes of the records."""
        return occurrences(self.records)

    def change(self, record_id: str, **fields: object) -> None:
        """Sets fields of a record and its `modified`; None takes a field away."""
        self.collection.change(record_id, self._homed(fields))

    def add(self, record: Record) -> None:
        self.collection.put(record["_id"], self._homed(record))

    def remove(self, record_id: str) -> None:
        self.collection.put(record_id, {})

    def withhold(self, asset_id: str) -> None:
        """From now on its picture is a 404."""
        self._withheld.add(asset_id)

    def picture(self, asset_id: str) -> bytes:
        """The bytes of `/media/<asset>/preview`."""
        return picture(asset_id, self.assets()[asset_id])

    def assets(self) -> dict[str, Record]:
        """Media entries by asset, withheld ones included."""
        version, media = self._media
        if version != self.version:
            version = self.version
            entries = (m for record in self.records for m in record.get("associatedMedia") or [])
            media = {m["assetID"]: m for m in entries if "assetID" in m}
            self._media = version, media
        return media

    def media(self, asset: str) -> Record | None:
        return None if asset in self._withheld else self.assets().get(asset)

    def answer(self, asked: Asked) -> Answer:
        fault = self.faults.take(asked)
        return fault(asked, lambda: self._route(asked)) if fault else self._route(asked)

    def _route(self, asked: Asked) -> Answer:
        try:
            return _routed(self, asked)
        except Exception:
            self.broken.append(traceback.format_exc())
            return Answer(500, b"The test server itself broke")

    def _homed(self, record: Record) -> Record:
        """Identifiers without a host get this server's."""
        record = deepcopy(record)
        for media in record.get("associatedMedia") or []:
            if str(media.get("identifier")).startswith("/media/"):
                media["identifier"] = self.url + media["identifier"]
        return record


def _routed(portal: Portal, asked: Asked) -> Answer:
    path = asked.path
    if path.startswith("/api/3/action/"):
        return act(asked, path.removeprefix("/api/3/action/"))
    if path.startswith("/media/"):
        return media_answer(asked, path.removeprefix("/media/"))
    if path.startswith("/v1/"):
        return gbif_answer(asked)
    if old := re.fullmatch(r"/services/media-store/asset/([0-9a-f]{40})/contents/preview", path):
        return redirect(f"{portal.url}/media/mam/{old[1]}")  # 1.9 [S comment]
    if status := re.fullmatch(r"/status/download/([^/]+)/json", path):
        return portal.bulk.status(asked, status[1])
    if file := re.fullmatch(r"/downloads/direct/([0-9a-f]{40})\.zip", path):
        return portal.bulk.file(file[1])
    fixed = {"/robots.txt": Answer(200, ROBOTS.encode()), "/loop": redirect(f"{portal.url}/loop")}
    missing = Answer(404, b"<html><body>404 Not Found</body></html>", "text/html")
    return fixed.get(path, missing)


@contextmanager
def serving(records: list[Record] | None = None, faults: Faults | None = None) -> Iterator[Portal]:
    """Serves records on a free port of 127.0.0.1 until the block ends.

    Args:
        records: Specimens in the v6 shape (portal 1.3); `make_records(40)` by default.
        faults: What goes wrong from the beginning.

    Raises:
        AssertionError: At the end, if the server itself made a mistake.
    """
    portal = Portal(make_records(40) if records is None else records, faults or Faults())
    thread = threading.Thread(target=portal.listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        portal.closing.set()
        portal.listener.close()
        thread.join()
    assert not portal.broken, portal.broken[0]
