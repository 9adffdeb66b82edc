"""Asking hosts politely: who we are, which hosts, how often; answers in JSON with retries."""

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import httpx2

from butterflies.collection.fetching.answers import (
    AGAIN,
    PATIENCE,
    Refused,
    TooLarge,
    judged,
    parsed,
    pieces,
    refusal,
    told,
    within,
)
from butterflies.collection.fetching.pace import End, Pace, backoff
from butterflies.collection.fetching.settings import DownloadSettings, host_of, named_hosts
from butterflies.collection.museum import PORTAL
from butterflies.errors import UserError
from butterflies.tracking.console import say

CONNECT_TIMEOUT = 15.0
MAX_JSON = 256 << 20
"""Bytes of a JSON answer; a page of the portal with its manifests has some 20 MB."""

LONG = 60.0
"""Seconds of waiting that are worth a sentence."""


def user_agent(contact: str) -> str:
    return f"butterflies/{version('butterflies')} (specimen map; contact: {contact})"


class Web:
    """A client for some hosts, with one pace for each.

    Args:
        settings: how to treat them.
        museum: hosts of the museum's portal, which may be asked beside `settings.hosts`; they
            make pictures in sizes.
        others: further hosts that may be asked.
    """

    def __init__(
        self, settings: DownloadSettings, museum: Iterable[str] = (), others: Iterable[str] = ()
    ) -> None:
        self.settings = settings
        self.museum = frozenset({host_of(PORTAL), *museum})
        self.hosts = frozenset({*named_hosts(settings), *museum, *others})
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
        settings, host = self.settings, host_of(url)
        for attempt in range(1, settings.attempts + 1):
            found = self._attempt(url, body, parameters)
            if found.wrong is None:
                return found.answer
            if attempt < settings.attempts:
                pause = max(found.wait, backoff(attempt, settings.backoff, self.chance))
                if pause >= LONG:
                    say(f"{host}: {found.wrong} Asking again in {pause:.0f} s.")
                time.sleep(pause)
        sentence = (
            f"{host} could not be asked, {settings.attempts} times: {found.wrong} "
            "The same command goes on from here."
        )
        raise Refused(500, sentence) if found.status == 500 else UserError(sentence)

    def _attempt(
        self, url: str, body: Mapping[str, Any] | None, parameters: Mapping[str, Any]
    ) -> "_Found":
        seconds = PATIENCE * self.settings.timeout
        with self._turn(host_of(url)) as turn:
            try:
                response, text = within(
                    1.1 * seconds, lambda: self._exchange(url, body, parameters, seconds)
                )
            except httpx2.RequestError as error:
                wrong, turn.how = told(error)
                return _Found(0, wrong)
            except TooLarge as error:
                raise UserError(f"{host_of(url)}: {error}") from None
            turn.how, turn.retry_after = judged(response)
        status, answer = response.status_code, parsed(text)
        if status in AGAIN:
            return _Found(status, refusal(response, text), turn.retry_after or 0.0)
        if status != 200:
            raise Refused(status, f"{host_of(url)}: {refusal(response, text)}")
        if answer is None:
            return _Found(status, "It sent something else than JSON.")
        return _Found(status, None, answer=answer)

    def _exchange(
        self,
        url: str,
        body: Mapping[str, Any] | None,
        parameters: Mapping[str, Any],
        seconds: float,
    ) -> tuple[httpx2.Response, bytes]:
        deadline = time.monotonic() + seconds
        method = "GET" if body is None else "POST"
        with self.client.stream(
            method,
            url,
            json=body,
            params=parameters or None,
            headers={"Accept-Encoding": "gzip"},
        ) as response:
            return response, b"".join(pieces(response, MAX_JSON, deadline))

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


@dataclass
class _Found:
    """What an attempt found: the answer, or what went wrong and how long to wait."""

    status: int
    wrong: str | None
    wait: float = 0.0
    answer: Any = None
