"""One request for one picture, and whether what came is that picture.

A 200 is no proof of a picture: the type, the length, the first bytes and every pixel are checked
before a file counts. Nothing here tries twice; `download.py` decides what happens next.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

import httpx2

from butterflies.collection.fetching.answers import (
    AGAIN,
    PATIENCE,
    TooLarge,
    excerpt,
    is_json,
    judged,
    pieces,
    refusal,
    told,
    within,
)
from butterflies.collection.fetching.pace import End
from butterflies.collection.fetching.settings import host_of
from butterflies.collection.fetching.web import Web
from butterflies.collection.photos import Probe, probe, suffix_of

MAX_BYTES = 1 << 30
"""Of a picture; originals of a museum have up to some hundred MB."""

MAX_REDIRECTS = 5

Kind = Literal["here", "unchanged", "moved", "again", "gone", "refused", "failed"]


@dataclass(frozen=True)
class Wanted:
    """A picture to ask for.

    Attributes:
        asset_id: names its file.
        url: its address.
        target: the temporary file that receives it.
        etag: of the picture that is here already, so that it need not come twice.
        last_modified: likewise.
        plain: an address to turn to where the host cannot make the size in `url`.
        of_museum: whether the museum's picture server is asked.
        hops: redirects followed so far.
    """

    asset_id: str
    url: str
    target: Path
    etag: str | None = None
    last_modified: str | None = None
    plain: str | None = None
    of_museum: bool = False
    hops: int = 0


@dataclass(frozen=True)
class Answer:
    """What a request came to.

    Attributes:
        kind: here, a picture lies in `Wanted.target`; unchanged, the one we have is the latest;
            moved, it is to be asked for at `to`; again, it may work later; gone, the host has it
            no longer; refused, it came and cannot be used; failed, it will not work.
        reason: a sentence where something is wrong.
        end: what the request tells of the host.
        http: the status, None when there was none.
        retry_after: seconds for which the host asked us to stay away.
        to: the next address.
        probe: of the picture.
        suffix: of its file, as its format asks for.
        etag: the answer's.
        last_modified: the answer's.
    """

    kind: Kind
    reason: str | None = None
    end: End = "well"
    http: int | None = None
    retry_after: float | None = None
    to: str | None = None
    probe: Probe | None = None
    suffix: str = ""
    etag: str | None = None
    last_modified: str | None = None


def fetch(web: Web, wanted: Wanted) -> Answer:
    """Asks once for a picture.

    Raises:
        OSError: it cannot be written, as when the disk is full.
    """
    seconds = PATIENCE * web.settings.timeout
    try:
        return within(1.1 * seconds, lambda: _fetch(web, wanted, time.monotonic() + seconds))
    except TooLarge as error:
        return Answer("refused", str(error), http=200)
    except httpx2.RequestError as error:
        reason, end = told(error)
        return Answer("again", reason, end)
    except (httpx2.InvalidURL, ValueError) as error:
        return Answer("failed", f"Its address cannot be asked for: {error}.")


def _fetch(web: Web, wanted: Wanted, deadline: float) -> Answer:
    known = {"If-None-Match": wanted.etag, "If-Modified-Since": wanted.last_modified}
    headers = {name: value for name, value in known.items() if value}
    headers["Accept-Encoding"] = "identity"
    with web.client.stream("GET", wanted.url, headers=headers) as response:
        if response.status_code == 200:
            return _picture(wanted, response, deadline)
        if response.status_code == 304:
            return Answer("unchanged", http=304)
        if response.is_redirect:
            return _moved(web, wanted, response)
        return _refused(wanted, response, refusal(response, excerpt(response, deadline)))


def _refused(wanted: Wanted, response: httpx2.Response, reason: str) -> Answer:
    status = response.status_code
    end, wait = judged(response)
    if status == 400 and wanted.plain:
        return Answer("moved", to=wanted.plain, http=400)
    if status in (404, 410):
        # The museum's picture server says it in JSON (portal 1.9); a page says that it is away.
        away = wanted.of_museum and not is_json(response)
        return Answer("again" if away else "gone", reason, "down" if away else "well", status)
    kind: Kind = "again" if status in (*AGAIN, 403) else "failed"
    return Answer(kind, reason, end, status, wait)


def _moved(web: Web, wanted: Wanted, response: httpx2.Response) -> Answer:
    """Redirects are requests of their own, so that the pace counts them."""
    to = urljoin(wanted.url, response.headers.get("Location", ""))
    status = response.status_code
    if wanted.hops >= MAX_REDIRECTS:
        return Answer("failed", "It was redirected in a circle.", http=status)
    if host_of(to) not in web.hosts:
        where = host_of(to) or "an address that is none"
        reason = f"It was redirected to {where}, which is not among download.hosts."
        return Answer("refused", reason, http=status)
    if urlsplit(wanted.url).scheme == "https" != urlsplit(to).scheme:
        return Answer("refused", "It was redirected from https to http.", http=status)
    return Answer("moved", to=to, http=status)


def _picture(wanted: Wanted, response: httpx2.Response, deadline: float) -> Answer:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in ("", "application/octet-stream"):
        return Answer("again", f"It sent {kind} instead of a picture.", "unharmed", 200)
    body = pieces(response, MAX_BYTES, deadline)
    first = next(body, b"")
    with wanted.target.open("wb") as file:
        file.write(first)
        for piece in body:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    found = probe(wanted.target)
    if found.status == "unreadable":
        return Answer("again", f"What came is no whole picture. {found.reason}", "unharmed", 200)
    if found.status != "ok":
        return Answer("refused", found.reason, http=200)
    return Answer(
        "here",
        http=200,
        probe=found,
        suffix=suffix_of(wanted.target),
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
    )
