import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from butterflies.errors import UserError
from butterflies.rendering.serve import ServeSettings, run
from tests.browser import serving

KINDS = {
    "": "text/html",
    "page/main.js": "text/javascript",
    "page/style.css": "text/css",
    "map.json": "application/json",
    "v-ab/credits.csv": "text/csv",
    "v-ab/tiles/0/0/0.webp": "image/webp",
    "v-ab/points.bin": "application/octet-stream",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    root = tmp_path_factory.mktemp("host")
    (root / "secret.txt").write_text("secret")
    site = root / "site"
    for name in ("index.html", *KINDS):
        if name:
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text("served")
    (site / "leaving.txt").symlink_to(root / "secret.txt")
    (site / "out").symlink_to(root)
    with serving(site) as address:
        port = urlsplit(address).port
        assert port
        yield site, port


def ask(
    port: int, path: str, host: str | None = None, method: str = "GET"
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer, body


def test_files_come_with_their_types(served: tuple[Path, int]) -> None:
    for name, kind in KINDS.items():
        answer, body = ask(served[1], f"/{name}")
        assert (answer.status, body) == (200, "served")
        assert (answer.getheader("content-type") or "").split(";")[0] == kind
        assert answer.getheader("x-content-type-options") == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/page/../../secret.txt",
        "//etc/passwd",
        "/leaving.txt",
        "/out/secret.txt",
        "/nothing.json",
        "/%00",
    ],
)
def test_nothing_outside_the_site_is_served(served: tuple[Path, int], path: str) -> None:
    answer, body = ask(served[1], path)
    assert answer.status == 404
    assert "secret" not in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_foreign_hosts_are_refused(served: tuple[Path, int], host: str) -> None:
    assert ask(served[1], "/", host)[0].status == 400
    assert ask(served[1], "/", f"localhost:{served[1]}")[0].status == 200


def test_only_reading_is_allowed(served: tuple[Path, int]) -> None:
    assert ask(served[1], "/map.json", method="POST")[0].status == 405


def test_a_folder_that_is_no_site_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no site.*render\.py"):
        run(ServeSettings(site=str(tmp_path)))


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text("{}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} is in use"):
            run(ServeSettings(site=str(tmp_path), port=port))


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: int) -> None:
    (tmp_path / "map.json").write_text("{}")
    with pytest.raises(UserError, match=f"Port {port} cannot be used"):
        run(ServeSettings(site=str(tmp_path), port=port))
