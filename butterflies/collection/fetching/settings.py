"""How pictures are fetched and hosts are treated: what a user may set, checked."""

import math
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from omegaconf import MISSING

from butterflies.errors import UserError

PORTS = {"http": 80, "https": 443}


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
    contact = r"[!-~]+@[!-~]+|https?://[!-~]+"  # printable ASCII, as headers want it
    if not re.fullmatch(contact, settings.contact) or set(settings.contact) & set("()<>"):
        raise UserError(
            f"download.contact={settings.contact!r} is no plain e-mail or web address: it goes "
            "into the User-Agent, so that the museum can reach you."
        )
    if not re.fullmatch(r"preview|thumbnail|original|[1-9]\d{0,4}x[1-9]\d{0,4}", settings.size):
        raise UserError(
            f"download.size={settings.size} is none of preview, thumbnail, original, WIDTHxHEIGHT."
        )
    for name in ("rate", "concurrency", "timeout", "attempts", "backoff"):
        if not 0 < getattr(settings, name) < math.inf:
            raise UserError(f"download.{name}={getattr(settings, name)} is no number above 0.")


def host_of(url: str) -> str:
    """The host of an address, with its port if it is not the usual one; empty if there is none.

    >>> host_of("https://Example.org.:443/x"), host_of("http://127.0.0.1:8080/")
    ('example.org', '127.0.0.1:8080')
    """
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return ""
    if parts.scheme not in PORTS or parts.username is not None:
        return ""
    return f"{name}:{port}" if name and port not in (None, PORTS[parts.scheme]) else name


def named_hosts(settings: DownloadSettings) -> list[str]:
    """The hosts of `download.hosts`, as `host_of` writes them."""
    return [host_of(host if "://" in host else f"https://{host}") for host in settings.hosts]
