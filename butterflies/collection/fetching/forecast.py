"""What a download will take: time at its pace, room on the disk."""

import shutil
from pathlib import Path

from butterflies.collection.fetching.meter import duration
from butterflies.collection.fetching.settings import DownloadSettings
from butterflies.collection.ledger import Ledger
from butterflies.errors import UserError
from butterflies.tracking.console import say

MUSEUMS_LIMIT = 5.0
"""Requests a second below which the museum wants its visitors to stay (portal 1.10)."""

RESERVE = 512 << 20
"""Bytes of the disk that are left free."""

USUAL_BYTES = {"preview": 630_000, "thumbnail": 60_000, "original": 10_000_000}
"""Of a picture of the museum, as far as is known; other sizes are taken as a preview."""


def announce(todo: int, settings: DownloadSettings) -> None:
    """Says how much is to come, and how fast it may."""
    if not todo:
        return
    pace = f"{settings.rate:g} a second at most from one host"
    say(f"{todo:,} pictures to fetch, {pace}: {duration(todo / settings.rate)} or more.")
    if settings.rate >= MUSEUMS_LIMIT:
        say(
            f"  The museum asks for less than {MUSEUMS_LIMIT:g} requests a second (download.rate=)."
        )


def has_space(place: Path) -> bool:
    return shutil.disk_usage(place).free >= RESERVE


def check_space(place: Path, ledger: Ledger, todo: int, size: str) -> None:
    """Raises UserError where the disk cannot hold what is to come."""
    known = ledger.value("SELECT AVG(photo_bytes) FROM photograph WHERE photo IS NOT NULL")
    usual = known or USUAL_BYTES.get(size, USUAL_BYTES["preview"])
    free = shutil.disk_usage(place).free
    if todo * usual + RESERVE > free:
        raise UserError(
            f"{todo:,} pictures of some {usual / 1e6:.2f} MB need {todo * usual / 1e9:.1f} GB, and "
            f"{place} has {free / 1e9:.1f} GB free: make room, or set limit= or download.size=."
        )
