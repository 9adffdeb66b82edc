"""Asking hosts politely: who we are, which hosts, how often; answers in JSON with retries."""

import json
import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import httpx2
from omegaconf import MISSING

from butterflies.collection.fetching.pace import End, Pace, backoff, retry_after
from butterflies.errors import UserError

AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed later."""

CONNECT_TIMEOUT = 15.0
MAX_JSON = 256 << 20
"""Bytes of a JSON answer; a page of the portal with its manifests has some 20 MB."""


@dataclass
class DownloadSettings:
    """How pictures are fetched, and how hosts are treated meanwhile."""

    contact: str = MISSING
    """Your e-mail or web address: the museum must be able to reach whoever asks so much of it."""
    size: str = "preview"
    """preview, thumbnail, original, or WIDTHxHEIGHT of a box that the picture is to fit into."""
    rate: float = 2.0
    """Requests a second, of each host. The museum asks for less than 5."""
    concurrency: int = 4
    """Requests at once, of each host."""
    hosts: list[str] = field(default_factory=lambda: ["data.nhm.ac.uk", "www.nhm.ac.uk"])
    """Hosts that pictures may come from; records may name others, which are not asked."""
    timeout: float = 90.0
    """Seconds without an answer after which a request is given up."""
    attempts: int = 6
    """Requests for one thing until it counts as failed."""
    backoff: float = 2.0
    """Seconds until the second attempt; doubled for each further one."""


def check(settings: DownloadSettings) -> None:
    """Raises UserError where a setting makes no sense."""
    if not re.fullmatch(r"[^\s@()<>]+@[^\s@()<>]+|https?://[^\s()<>]+", settings.contact):
        raise UserError(
            f"download.contact={settings.contact!r} is no e-mail or web address: it goes into "
            "the User-Agent, so that the museum can reach you."
        )
    if not re.fullmatch(r"preview|thumbnail|original|[1-9]\d{0,4}x[1-9]\d{0,4}", settings.size):
        raise UserError(
            f"download.size={settings.size} is none of preview, thumbnail, original, WIDTHxHEIGHT."
        )
    for name in ("rate", "concurrency", "timeout", "attempts", "backoff"):
        if getattr(settings, name) <= 0:
            raise UserError(f"download.{name}={getattr(settings, name)} is not above 0.")


def user_agent(contact: str) -> str:
    return f"butterflies/{version('butterflies')} (specimen map; contact: {contact})"


def host_of(url: str) -> str:
    """The host of an address, with its port where one is given; empty when there is none."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    plain = parts.scheme in ("http", "https") and parts.username is None
    return (f"{name}:{port}" if port else name) if plain else ""


class Web:
    """A client for some hosts, with one pace for each.

    Args:
        settings: how to treat them.
        hosts: hosts that may be asked beside `settings.hosts`.
    """

    def __init__(self, settings: DownloadSettings, *hosts: str) -> None:
        self.settings = settings
        self.hosts = frozenset({*settings.hosts, *hosts})
        self.chance = random.Random()
        self._paces: dict[str, Pace] = {}
        self.client = httpx2.Client(
            headers={"User-Agent": user_agent(settings.contact)},
            timeout=httpx2.Timeout(
                settings.timeout, connect=min(CONNECT_TIMEOUT, settings.timeout)
            ),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=64),
        )

    def pace(self, host: str) -> Pace:
        """The pace of a host, the same one for its records and its pictures."""
        known = self._paces.get(host)
        return known or self._paces.setdefault(
            host, Pace(host, self.settings.rate, self.settings.concurrency)
        )

    def close(self) -> None:
        self.client.close()

    def ask(self, url: str, body: Mapping[str, Any] | None = None, **parameters: Any) -> Any:
        """A JSON answer; a POST when there is a `body`, else a GET with `parameters`.

        Raises:
            Refused: the host answered that it does not do this, or failed with an answer of its
                own as often as the settings allow.
            UserError: it did not answer, or no JSON, as often.
        """
        for attempt in range(1, self.settings.attempts + 1):
            status, reason, wait, answer = self._attempt(url, body, parameters)
            if wait is None:
                return answer
            if attempt < self.settings.attempts:
                pause = backoff(attempt, self.settings.backoff, self.chance)
                time.sleep(max(pause, wait))
        sentence = (
            f"{host_of(url)} could not be asked, {self.settings.attempts} times: {reason} "
            "The same command goes on from here."
        )
        raise Refused(status, sentence) if status == 500 else UserError(sentence)

    def _attempt(
        self, url: str, body: Mapping[str, Any] | None, parameters: Mapping[str, Any]
    ) -> tuple[int, str, float | None, Any]:
        """The status, what went wrong, seconds to wait (None when all is well), the answer."""
        with self._turn(host_of(url)) as turn:
            try:
                with self.client.stream(
                    "GET" if body is None else "POST", url, json=body, params=parameters or None
                ) as response:
                    text = b"".join(pieces(response, MAX_JSON, 10 * self.settings.timeout))
                    turn.how, turn.retry_after = judged(response)
            except httpx2.TransportError as error:
                turn.how = "down"
                return 0, said(error), 0.0, None
            status, answer = response.status_code, _parsed(text)
            if status in AGAIN:
                return status, refusal(status, text), turn.retry_after or 0.0, None
            if status != 200:
                raise Refused(status, f"{host_of(url)}: {refusal(status, text)}")
            if answer is None:
                turn.how = "down"
                return status, "It sent something else than JSON.", 0.0, None
            return status, "", None, answer

    @contextmanager
    def _turn(self, host: str) -> Iterator["_Turn"]:
        pace = self.pace(host)
        while wait := pace.wait(time.monotonic()):
            if pace.lost:
                raise UserError(f"{host} does not answer. The same command goes on from here.")
            time.sleep(min(wait, 1.0))
        pace.start(time.monotonic())
        turn = _Turn()
        try:
            yield turn
        finally:
            pace.end(time.monotonic(), turn.how, turn.retry_after)


@dataclass
class _Turn:
    how: End = "unharmed"
    retry_after: float | None = None


class TooLarge(UserError):
    """An answer larger than anything that was asked for."""


class Refused(UserError):
    """A host's answer that asking again will not change."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def judged(response: httpx2.Response) -> tuple[End, float | None]:
    """What an answer's status tells of its host, and the seconds it asks us to stay away."""
    wait = retry_after(response.headers.get("Retry-After"))
    status = response.status_code
    if status in (429, 503):
        return ("busy" if status == 429 or wait else "down"), wait
    if status in (403, 502, 504):
        return "down", wait
    return ("unharmed" if status >= 500 else "well"), wait


def said(error: Exception) -> str:
    """A failed connection in a sentence."""
    if isinstance(error, httpx2.TimeoutException):
        return "It did not answer in time."
    if isinstance(error, httpx2.ConnectError):
        return "It could not be reached."
    return "The connection broke off."


def refusal(status: int, text: bytes) -> str:
    """A refusing answer in a sentence, with the host's own words where they are JSON."""
    answer = _parsed(text)
    error = answer.get("error", answer.get("message")) if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        error = error.get("message") or {k: v for k, v in error.items() if k != "__type"}
    words = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", str(error or "")).split())
    return f"It answered {status}{f': {words[:200].rstrip(chr(46))}' if words else ''}."


def pieces(response: httpx2.Response, most: int, seconds: float) -> Iterator[bytes]:
    """The body of an answer as it comes.

    Raises:
        TooLarge: it has more than `most` bytes.
        httpx2.ReadTimeout: it is not complete after `seconds`, however steadily it drips.
    """
    deadline, size = time.monotonic() + seconds, 0
    for piece in response.iter_bytes():
        size += len(piece)
        if size > most:
            raise TooLarge(f"It sent more than {most >> 20} MB.")
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout(f"not complete after {seconds:.0f} s")
        yield piece


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
