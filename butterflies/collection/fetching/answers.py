"""What an answer tells: of its host, of what went wrong; and its body within bounds."""

import json
import queue
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx2

from butterflies.collection.fetching.pace import End, retry_after
from butterflies.errors import UserError

AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed later."""

PATIENCE = 10
"""Times the time-out that a whole answer may take, however steadily it drips."""

EXCERPT = 1 << 16
"""Bytes that are read of an answer that refuses."""

T = TypeVar("T")


class TooLarge(UserError):
    """An answer larger than anything that was asked for."""


class Refused(UserError):
    """A host's answer that asking again will not change.

    Attributes:
        status: its HTTP status.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def judged(response: httpx2.Response) -> tuple[End, float | None]:
    """What an answer's status tells of its host, and the seconds it asks us to stay away.

    A host that explains in JSON why it fails is at work: it is the thing that cannot be had.
    """
    wait = retry_after(response.headers.get("Retry-After"))
    status = response.status_code
    if status == 429 or (status == 503 and (wait or is_json(response))):
        return "busy", wait
    if status in (403, 502, 503, 504):
        return "down", wait
    return ("unharmed" if status >= 500 else "well"), wait


def is_json(response: httpx2.Response) -> bool:
    kind = str(response.headers.get("Content-Type", ""))
    return kind.partition(";")[0].strip().lower() == "application/json"


def told(error: Exception) -> tuple[str, End]:
    """A failed connection in a sentence, and what it tells of its host."""
    if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
        return "It could not be reached.", "down"
    if isinstance(error, httpx2.TimeoutException):
        return "It did not answer in time.", "unharmed"
    if isinstance(error, httpx2.TransportError):
        return "The connection broke off.", "unharmed"
    return "What it sent could not be understood.", "unharmed"


def refusal(response: httpx2.Response, text: bytes) -> str:
    """A refusing answer in a sentence, with the host's own words where they are JSON."""
    answer = parsed(text)
    error = answer.get("error", answer.get("message")) if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        error = error.get("message") or {k: v for k, v in error.items() if k != "__type"}
    words = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", str(error or "")).split())
    if response.is_redirect:
        words = f"moved to {response.headers.get('Location', 'nowhere')}"
    said = words[:200].rstrip(".")
    return (
        f"It answered {response.status_code}: {said}."
        if said
        else (f"It answered {response.status_code}.")
    )


def parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def pieces(response: httpx2.Response, most: int, deadline: float) -> Iterator[bytes]:
    """The body of an answer as it comes, unpacked where it was packed with gzip.

    Raises:
        TooLarge: it has more than `most` bytes.
        httpx2.ReadTimeout: it is not complete at `deadline`, of the monotonic clock.
        httpx2.DecodingError: it is packed wrongly.
    """
    packed = response.headers.get("Content-Encoding", "identity").lower() != "identity"
    inflate = zlib.decompressobj(47) if packed else None  # 47: gzip or zlib
    size = 0
    for raw in response.iter_raw():
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("not complete in time")
        try:
            piece = inflate.decompress(raw, most + 1) if inflate else raw
        except zlib.error as error:
            raise httpx2.DecodingError(str(error)) from None
        size += len(piece)
        if size > most:
            raise TooLarge(f"It sent more than {most >> 20} MB.")
        yield piece


def excerpt(response: httpx2.Response, deadline: float) -> bytes:
    """The beginning of an answer's body, for what it says."""
    data = b""
    for piece in pieces(response, 1 << 30, deadline):
        data += piece
        if len(data) >= EXCERPT:
            break
    return data[:EXCERPT]


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` gives, if it does so in time; else it is left to itself.

    A host may drip the head of an answer for ever, each byte in time.

    Raises:
        httpx2.ReadTimeout: it is not done.
    """
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((work(), None))
        except BaseException as error:
            done.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        found, error = done.get(timeout=seconds)
    except queue.Empty:
        raise httpx2.ReadTimeout("not complete in time") from None
    if error is not None:
        raise error
    return found  # type: ignore[return-value]
