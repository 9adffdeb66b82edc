"""What the downloader costs per picture, beside the plainest loop over the same local server.

    python benchmarks/download.py pictures=500

The server gives JPEGs from memory in a process of its own. The loop asks for one picture after the
other and writes what comes, unchecked: no retries, no pace, no memory of what it has. Ours runs as
`collect source=csv` does, with a rate that never binds: with one request at a time, for what its
checks cost, and with eight. Medians of three rounds, in turn.
"""

import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from butterflies.collection.collecting import CsvSettings, collect_csv
from butterflies.collection.fetching.settings import DownloadSettings

SIZES = {"96 px": (96, 64), "1,500 px": (1500, 1000)}


def main(words: list[str]) -> None:
    count = int(dict(word.split("=", 1) for word in words).get("pictures", "500"))
    rows = [row for name, size in SIZES.items() for row in _measured(name, size, count)]
    print("\n| picture | downloader | pictures a second | ms a picture |\n|---|---|---|---|")
    for name, who, seconds in rows:
        print(f"| {name} | {who} | {count / seconds:,.0f} | {1000 * seconds / count:.2f} |")


def _measured(name: str, size: tuple[int, int], count: int) -> list[tuple[str, str, float]]:
    ways: dict[str, Callable[[Path, str, int], None]] = {
        "plain loop": _loop,
        "ours, 1 at a time": lambda place, host, n: _ours(place, host, n, 1),
        "ours, 8 at a time": lambda place, host, n: _ours(place, host, n, 8),
    }
    times: dict[str, list[float]] = {who: [] for who in ways}
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(theirs, _jpeg(size)), daemon=True)
    server.start()
    host = f"127.0.0.1:{ours.recv()}"
    for _ in range(3):
        for who, way in ways.items():
            place = Path(tempfile.mkdtemp())
            start = time.perf_counter()
            way(place, host, count)
            times[who].append(time.perf_counter() - start)
            shutil.rmtree(place)
    server.terminate()
    return [(name, who, statistics.median(taken)) for who, taken in times.items()]


def _jpeg(size: tuple[int, int]) -> bytes:
    """A photograph-like picture: smooth colours with a little noise."""
    chance = np.random.default_rng(0)
    small = Image.fromarray(chance.integers(0, 255, (8, 12, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    noisy = (pixels + chance.integers(-8, 8, pixels.shape)).clip(0, 255).astype(np.uint8)
    data = BytesIO()
    Image.fromarray(noisy).save(data, "JPEG", quality=90)
    return data.getvalue()


def _serve(ready: Connection, picture: bytes) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one go, else Nagle's algorithm holds the body back

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(picture)))
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ready.send(server.server_address[1])
    server.serve_forever()


def _loop(place: Path, host: str, count: int) -> None:
    for number in range(count):
        with urllib.request.urlopen(_address(host, number)) as answer:
            (place / f"{number}.jpg").write_bytes(answer.read())


def _ours(place: Path, host: str, count: int, concurrency: int) -> None:
    table = place / "records.csv"
    lines = [f"{number},{_address(host, number)}" for number in range(count)]
    table.write_text("\n".join(["catalogNumber,associatedMedia", *lines]), encoding="utf-8")
    settings = DownloadSettings("me@example.org", rate=1e6, concurrency=concurrency, hosts=[host])
    collect_csv(CsvSettings(str(place / "collection"), settings, records=str(table)))


def _address(host: str, number: int) -> str:
    return f"http://{host}/media/{uuid.UUID(int=number)}"


if __name__ == "__main__":
    main(sys.argv[1:])
