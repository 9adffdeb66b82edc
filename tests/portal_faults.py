"""What can go wrong with the test portal."""

from __future__ import annotations

import json
import math
import re
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from typing import Literal

from tests.portal_http import Answer, Asked, Record, as_json, redirect
from tests.portal_media import hex_of
from tests.portal_rules import Fault

LOGIN = b"<!DOCTYPE html><html><head><title>Down for maintenance</title></head></html>"


def fine(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """No fault: lets one request of a row of them through."""
    return answer()


def fixed(status: int, body: bytes, kind: str) -> Fault:
    """The same answer whatever is asked."""
    return lambda asked, answer: Answer(status, body, kind)


def _error(status: int, message: str) -> Fault:
    return lambda asked, answer: as_json({"error": message}, status)


bad_gateway_html = fixed(502, b"<html><body>502 Bad Gateway</body></html>", "text/html")  # 1.6
forbidden = fixed(403, b"<html><body>403 Forbidden</body></html>", "text/html")  # 1.6 [I]
html_200 = fixed(200, LOGIN, "text/html; charset=utf-8")  # section 4
html_as_jpeg = fixed(200, LOGIN, "image/jpeg")  # section 4: wrong Content-Type
json_error_200 = _error(200, "An error occurred")  # section 4
timeout_500 = _error(500, "A timeout occurred, please try again")  # 1.9 [S]


def too_many(retry_after: int | str | None = None) -> Fault:
    """429; `retry_after` in seconds, "http-date" (one to two seconds ahead), or sent as it is."""
    return lambda asked, answer: _busy(asked, 429, retry_after)


def unavailable(retry_after: int | str | None = None) -> Fault:
    """503 (portal 1.9 [S]); `retry_after` as for `too_many`."""
    return lambda asked, answer: _busy(asked, 503, retry_after)


def _busy(asked: Asked, status: int, retry_after: int | str | None) -> Answer:
    answer = Answer(status, b"<html><body>Slow down</body></html>", "text/html")
    if status == 503 and asked.path.startswith("/media"):  # 1.9 [S]
        answer = as_json({"error": "Failed to retrieve the requested image data"}, status)
    if status == 429 and asked.path.startswith("/v1"):  # 2.1: a list of advice
        answer = as_json(["Too many requests", "Consider a download"], status)
    if retry_after == "http-date":
        retry_after = formatdate(math.ceil(time.time()) + 1, usegmt=True)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def zero_bytes_200(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    return Answer(200, b"", answer().kind)


def truncated_jpeg(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """Half the picture, and the Content-Length of that half."""
    whole = answer()
    return Answer(200, whole.body[: len(whole.body) // 2], whole.kind, whole.headers)


def wrong_type(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """The right bytes, called text/html."""
    whole = answer()
    return Answer(whole.status, whole.body, "text/html", whole.headers)


def drop_mid_body(framing: Literal["length", "chunked", "close"] = "length") -> Fault:
    """The connection ends in the middle of the body; "close" is one without a length."""

    def fault(asked: Asked, answer: Callable[[], Answer]) -> Answer:
        whole = answer()
        whole.cut = framing
        return whole

    return fault


def stall(seconds: float) -> Fault:
    """Silence, then the answer."""

    def fault(asked: Asked, answer: Callable[[], Answer]) -> Answer:
        asked.wait(seconds)
        return answer()

    return fault


stall_forever = stall(math.inf)
"""Silence until the client hangs up or the server closes."""


def redirect_to(url: str) -> Fault:
    return lambda asked, answer: redirect(url)


def redirect_loop(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """Sends the client round `/loop` for ever."""
    return redirect(f"{asked.portal.url}/loop")


@dataclass
class _OnCursor:
    """Strikes only requests that carry a cursor."""

    def wants(self, asked: Asked) -> bool:
        return bool(re.search(rb'"after":\s*"?\[', asked.request.body) or asked.query.get("after"))

    def __call__(self, asked: Asked, answer: Callable[[], Answer]) -> Answer:
        error = {"__type": "Internal Server Error", "message": "Internal Server Error"}  # 1.6 [S]
        return as_json({"help": asked.portal.url, "success": False, "error": error}, 500)


cursor_500 = _OnCursor()
"""500 to a request with a cursor; requests without one neither meet it nor use it up."""


def huge_picture(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """A PNG of a few bytes that claims 50000 x 50000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"\x89PNG\r\n\x1a\n"
    for name, data in parts:
        body += struct.pack(">I", len(data)) + name + data
        body += struct.pack(">I", zlib.crc32(name + data))
    return Answer(200, body, "image/png")


def duplicate_record(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """The next page begins with this page's last record (portal 1.5: de-duplicate)."""
    asked.overlap = True
    return answer()


def remove_record(record_id: str) -> Fault:
    """A record disappears after this answer was made, so before the next page."""

    def fault(asked: Asked, answer: Callable[[], Answer]) -> Answer:
        made = answer()
        asked.portal.remove(record_id)
        return made

    return fault


def v5(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """Answers in the shape of 2025 and before: 1.5 (cursor on the last page), 1.7 (records)."""
    asked.after_always = True
    asked.edits.append(_old_record)
    return answer()


def _old_record(record: Record) -> Record:
    old = {**record}
    if "_id" in old:
        old["_id"] = int(old["_id"])  # 1.7: an int in v5-era answers
    for name in {"created", "modified"} & set(old):  # 1.7: epoch ms
        old[name] = int(datetime.fromisoformat(old[name]).timestamp() * 1000)
    if "associatedMedia" in old:  # 1.7 [L]: the whole list as a JSON string
        old["associatedMedia"] = json.dumps([_old_media(m) for m in old["associatedMedia"]])
    return old


def _old_media(media: Record) -> Record:
    # 1.7 [L]: `mime` with "jpeg"/"tiff" or "image/tiff"
    kinds = {"image/jpeg": "jpeg"}
    rest = {name: value for name, value in media.items() if name != "format"}
    return {**rest, "mime": kinds.get(media.get("format", ""), media.get("format", ""))}


def old_host(asked: Asked, answer: Callable[[], Answer]) -> Answer:
    """Identifiers as the old host had them (portal 1.8 [R]); they redirect (1.9 [S])."""

    def edit(record: Record) -> Record:
        media = [
            {**m, "identifier": f"{asked.portal.url}{old_path(m['assetID'])}"}
            for m in record.get("associatedMedia", [])
        ]
        return {**record, "associatedMedia": media} if media else record

    asked.edits.append(edit)
    return answer()


def old_path(asset: str) -> str:
    """The path of an asset on the old host, which knew it by 40 hex digits."""
    return f"/services/media-store/asset/{hex_of(asset)}/contents/preview"
