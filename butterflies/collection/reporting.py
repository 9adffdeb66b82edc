"""What a collection over the network tells its user: on the way, at the end, in `changes.csv`."""

import re
from collections.abc import Sequence
from pathlib import Path

from butterflies.collection.fetching.settings import DownloadSettings, named_hosts
from butterflies.collection.keeping import Listing
from butterflies.collection.ledger import Ledger
from butterflies.files import write_csv
from butterflies.tables import count_statuses, formula_safe, read_table
from butterflies.tracking.console import say

KINDS = ("new", "changed", "back", "replaced", "withdrawn")
SHOWN = 5
"""Notes and reasons that are said; all are in provenance.json and the records table."""


def say_listed(found: Listing) -> None:
    """Says what a listing found."""
    if not found.fresh:
        say("Nothing new: the source has not changed since it was listed, or limit= is reached.")
        return
    told = [f"{found.changes[kind]:,} {kind}" for kind in KINDS if found.changes[kind]]
    say(f"Listed photographs: {', '.join(told) or 'nothing new'}.")


def write_changes(ledger: Ledger, place: Path) -> None:
    """Writes `changes.csv`: what the last listing and its downloads changed, a row each."""
    number = ledger.last_crawl()["number"]
    if number == 1:
        return
    query = "SELECT assetID, what, columns FROM change WHERE crawl = ? ORDER BY assetID, what"
    rows = ({**row, "columns": formula_safe(row["columns"])} for row in ledger.rows(query, number))
    write_csv(place / "changes.csv", ("assetID", "what", "columns"), rows)


def summarise(
    ledger: Ledger, place: Path, notes: Sequence[str], settings: DownloadSettings, fresh: bool
) -> None:
    """Says what is there, what is not and why, and what can be done about it.

    Args:
        ledger: of the collection.
        place: the collection.
        notes: on what was odd.
        settings: of the download.
        fresh: whether the source had anything new.
    """
    _say_some(notes, f"more such notes, in {place / 'provenance.json'}")
    reasons = [f"{r['n']:,} {r['state']}: {r['reason']}" for r in ledger.reasons()]
    _say_some(reasons, f"further reasons, in {place / 'records.parquet'}")
    if foreign := _foreign_hosts(ledger):
        wider = ",".join([*named_hosts(settings), *foreign])
        say(f"  To fetch pictures from there as well: 'download.hosts=[{wider}]' retry=failed")
    if same := len(ledger.duplicates()):
        say(f"  {same:,} pictures have the same bytes as another (column duplicateOf).")
    if fresh:
        _say_changes(ledger, place)
    counted = count_statuses(read_table(place / "records.parquet", "", ["status"]))
    say(f"{place}: {counted}.")
    if any(r["state"] == "failed" for r in ledger.reasons()):
        say("  The same command with retry=failed asks again for those that failed.")


def _say_some(sentences: Sequence[str], rest: str) -> None:
    for sentence in sentences[:SHOWN]:
        say(f"  {sentence}")
    if len(sentences) > SHOWN:
        say(f"  ... and {len(sentences) - SHOWN:,} {rest}.")


def _say_changes(ledger: Ledger, place: Path) -> None:
    number = ledger.last_crawl()["number"]
    query = "SELECT what, COUNT(*) AS n FROM change WHERE crawl = ? GROUP BY what"
    counts = {row["what"]: row["n"] for row in ledger.rows(query, number)}
    told = [f"{counts[kind]:,} {kind}" for kind in KINDS if kind in counts]
    if told:
        say(f"  Changed by the last listing: {', '.join(told)}; see {place / 'changes.csv'}.")


def _foreign_hosts(ledger: Ledger) -> list[str]:
    """Hosts that records name and download.hosts does not."""
    told = " ".join(str(row["reason"]) for row in ledger.reasons() if row["state"] == "refused")
    return sorted(set(re.findall(r"lies on ([\w.:-]+), which is not among", told)))
