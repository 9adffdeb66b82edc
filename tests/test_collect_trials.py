"""The trials that a download of two weeks has to stand: every fault at once, and being killed."""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from butterflies.collection.sources import portal as portal_module
from tests import portal_faults as faults
from tests.gathering import QUICK, Rows, collect, rows, specimens
from tests.portal_http import Answer, Asked
from tests.portal_records import make_records
from tests.portal_rules import Fault
from tests.portal_server import Portal, serving

PICTURES: dict[int, Fault] = {
    101: faults.too_many(),
    607: faults.too_many(1),
    701: faults.too_many("http-date"),
    103: faults.unavailable(),
    613: faults.unavailable(1),
    37: faults.timeout_500,
    107: faults.bad_gateway_html,
    41: faults.drop_mid_body("length"),
    43: faults.drop_mid_body("chunked"),
    47: faults.drop_mid_body("close"),
    53: faults.truncated_jpeg,
    59: faults.zero_bytes_200,
    61: faults.html_200,
    67: faults.html_as_jpeg,
    71: faults.json_error_200,
    73: faults.wrong_type,
    211: faults.stall_forever,
    97: faults.stall(0.2),
}
"""Which fault every n-th request for a picture meets."""

PAGES: tuple[Fault, ...] = (
    *(faults.bad_gateway_html, faults.cursor_500, faults.html_200, faults.duplicate_record),
    *(faults.too_many(1), faults.drop_mid_body("chunked"), faults.stall_forever),
)
DROPPED = ("photo_mtime_ns",)
"""What may differ between two runs."""


class Met:
    """Counts the faults that each address met."""

    def __init__(self) -> None:
        self.by: Counter[str] = Counter()

    def counting(self, fault: Fault) -> Fault:
        def counted(asked: Asked, answer: Callable[[], Answer]) -> Answer:
            self.by[asked.path] += 1
            return fault(asked, answer)

        return counted


def plain(found: Rows) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in DROPPED} for row in found.values()]


def test_all_faults_together_over_2000_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal_module, "PAGE", 100)
    with serving(make_records(1502)) as portal:
        met, wanted = Met(), specimens(portal)
        for n, fault in PICTURES.items():
            portal.faults.every(n, "/media", met.counting(fault))
        for page, fault in enumerate(PAGES):
            portal.faults.on("vds_multi_query", *[faults.fine] * (page % 3), fault)
        changing = portal.records[700]["_id"]
        portal.faults.on("vds_multi_query", faults.remove_record(changing))
        found = collect(portal, rate=500, concurrency=16, timeout=1.5, attempts=8)
        assert len(wanted) >= 2000
        whole = {record["_id"]: record for record in make_records(1502)}
        assert len(found) == len(wanted)
        check_pictures(portal, found, whole[changing])
        check_requests(portal, met)


def check_pictures(portal: Portal, found: Rows, removed: dict[str, Any]) -> None:
    """Everything has come once and intact; what was removed meanwhile may be withdrawn."""
    gone = {medium["assetID"] for medium in removed["associatedMedia"]}
    for key, row in found.items():
        if key in gone:
            assert row["status"] in ("ok", "withdrawn")
            continue
        assert row["status"] == "ok", row["reason"]
        assert Path("c", row["photo"]).read_bytes() == portal.picture(key)
    assert not list(Path("c/photos").glob(".*"))


def check_requests(portal: Portal, met: Met) -> None:
    """Nothing was asked for again but after a fault, nor faster than allowed."""
    asked = Counter(r.path for r in portal.log if r.path.startswith("/media"))
    for path, count in asked.items():
        assert count <= 1 + met.by[path], path
        assert count <= 8
    times = [request.time for request in portal.log]
    first = 0
    for last, end in enumerate(times):  # in any two seconds
        while times[first] < end - 2:
            first += 1
        assert last - first + 1 <= 2 * 500 + 16


COMMAND = """
import sys
from butterflies.collection.sources import portal
portal.PAGE = 25
from butterflies.__main__ import main
main(sys.argv[1:])
"""


def started(portal: Portal, collection: str) -> subprocess.Popen[str]:
    words = [
        *("collect", "source=nhm", "query.order=Lepidoptera", f"source.url={portal.url}"),
        *(f"download.contact={QUICK.contact}", "download.rate=300", "download.concurrency=4"),
        *("download.backoff=0.01", f"collection={collection}"),
    ]
    command = [sys.executable, "-c", COMMAND, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_at_five_random_moments_the_same_table_results() -> None:
    with serving(make_records(300)) as portal:
        done = started(portal, "whole")
        said, errors = done.communicate(timeout=120)
        assert done.returncode == 0, said + errors
        whole, since = rows(Path("whole")), len(portal.log)
        chance = random.Random(3)
        moments = sorted(chance.sample(range(1, len(portal.log) - 5), 5))
        for moment in moments:
            running = started(portal, "killed")
            while len(portal.log) - since < moment and running.poll() is None:
                time.sleep(0.002)
            running.kill()
            running.communicate()
        last = started(portal, "killed")
        said, errors = last.communicate(timeout=120)
        assert last.returncode == 0, said + errors
        assert plain(rows(Path("killed"))) == plain(whole)
        for row in whole.values():
            assert Path("killed", row["photo"]).read_bytes() == portal.picture(row["assetID"])
        assert not list(Path("killed/photos").glob(".*"))
        asked = Counter(r.path for r in portal.log[since:] if r.path.startswith("/media"))
        again = sum(count - 1 for count in asked.values())
        assert again <= 5 * 4  # what was in progress at five kills
