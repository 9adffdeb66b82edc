"""All tiles in one file: written, read, served and unpacked."""

import shutil
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from pmtiles.reader import MmapSource, Reader
from pmtiles.tile import TileType

from butterflies.__main__ import main
from butterflies.errors import UserError
from butterflies.files import read_json
from butterflies.rendering.archive import NAME, join_tiles, open_archive, write_archive
from butterflies.rendering.render import run
from butterflies.rendering.serve import ServeSettings
from butterflies.rendering.serve import run as serve
from butterflies.rendering.site import SiteSettings
from tests.browser import serving
from tests.test_render import embedded, files, settings


def written(folder: Path, count: int, deepest: int) -> dict[tuple[int, int, int], bytes]:
    """`count` tiles of random bytes at random places of zooms 0 to `deepest`, as files."""
    rng = np.random.default_rng(0)
    tiles = {(0, 0, 0): b"zero"}
    while len(tiles) < count:
        z = int(rng.integers(1, deepest + 1))
        x, y = rng.integers(0, 2**z, 2).tolist()
        tiles[z, x, y] = rng.bytes(int(rng.integers(1, 60)))
    for (z, x, y), data in tiles.items():
        path = folder / "tiles" / str(z) / str(x) / f"{y}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tiles


def joined(folder: Path, tiles: dict[tuple[int, int, int], bytes]) -> Path:
    by_zoom: dict[int, set[tuple[int, int]]] = {}
    for z, x, y in tiles:
        by_zoom.setdefault(z, set()).add((x, y))
    join_tiles(folder, by_zoom, ".webp")
    return folder / NAME


@pytest.mark.parametrize(("count", "deepest"), [(1, 1), (50, 4), (12_000, 9)])
def test_every_tile_comes_back_and_nothing_else(tmp_path: Path, count: int, deepest: int) -> None:
    """12,000 tiles need directories below the first one."""
    tiles = written(tmp_path, count, deepest)
    archive = open_archive(joined(tmp_path, tiles))
    assert dict(archive.tiles()) == tiles
    assert not (tmp_path / "tiles").exists()
    assert (archive.header["leaf_directory_length"] > 0) == (count > 5_000)
    missing = (deepest, 0, 0) if (deepest, 0, 0) not in tiles else (deepest + 1, 0, 0)
    for tile in (missing, (2, 4, 0), (40, 0, 0), (3, -1, 0)):
        assert archive.tile(tile) is None


def test_another_reader_finds_the_same(tmp_path: Path) -> None:
    tiles = written(tmp_path, 300, 6)
    path = joined(tmp_path, tiles)
    with path.open("rb") as file:
        reader = Reader(MmapSource(file))
        assert all(reader.get(*tile) == data for tile, data in tiles.items())
        header = reader.header()
        assert (header["tile_type"], header["clustered"]) == (TileType.WEBP, True)
        assert (header["min_zoom"], header["max_zoom"]) == (0, max(z for z, _, _ in tiles))
        assert reader.metadata() == {"name": "butterflies"}


def test_the_same_tiles_give_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        tiles = written(tmp_path / name, 40, 4)
        made.append(joined(tmp_path / name, dict(sorted(tiles.items(), key=str))).read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("broken", [b"", b"PMTiles\x03", b"\x00" * 500])
def test_a_broken_archive_is_said_before_serving(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "v-ab").mkdir()
    (tmp_path / "v-ab" / NAME).write_bytes(broken)
    (tmp_path / "map.json").write_text("{}")
    with pytest.raises(UserError, match="no readable PMTiles archive"):
        serve(ServeSettings(site=str(tmp_path), port=0))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One map as a site of files and as one with an archive."""
    folder = tmp_path_factory.mktemp("sites")
    run_folder = embedded(folder)
    return tuple(  # type: ignore[return-value]
        run(settings(run_folder, out=str(folder / kind), site=SiteSettings(tiles=kind))) / "site"
        for kind in ("files", "pmtiles")
    )


def version(site: Path) -> str:
    return str(read_json(site / "map.json")["version"])


@pytest.fixture(scope="module")
def port(sites: tuple[Path, Path]) -> Iterator[int]:
    with serving(sites[1]) as address:
        yield urlsplit(address).port or 0


def ask(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, body


def test_archived_tiles_are_served_as_files_are(sites: tuple[Path, Path], port: int) -> None:
    plain, archived = sites
    assert not (archived / version(archived) / "tiles").exists()
    tiles = files(plain / version(plain) / "tiles")
    assert len(tiles) > 20
    for name, data in tiles.items():
        status, headers, body = ask(port, f"/{version(archived)}/tiles/{name}")
        assert (status, body) == (200, data)
        assert headers["content-type"] == "image/png"
        assert headers["cache-control"] == "max-age=86400"


@pytest.mark.parametrize("name", ["9/0/0.png", "0/0/0.txt.png", "40/0/0.png", "0/5/5.png"])
def test_a_tile_that_is_not_there_is_missing(
    sites: tuple[Path, Path], port: int, name: str
) -> None:
    assert ask(port, f"/{version(sites[1])}/tiles/{name}")[0] == 404


def test_tiles_are_only_read(sites: tuple[Path, Path], port: int) -> None:
    path = f"/{version(sites[1])}/tiles/0/0/0.png"
    assert ask(port, path, "POST")[0] == 405
    status, _, body = ask(port, path, "HEAD")
    assert (status, body) == (200, b"")


def test_the_archive_is_served_in_ranges(sites: tuple[Path, Path], port: int) -> None:
    """As a reader in a browser asks for it, at any host."""
    path = f"/{version(sites[1])}/{NAME}"
    whole = (sites[1] / version(sites[1]) / NAME).read_bytes()
    status, headers, body = ask(port, path, Range="bytes=0-126")
    assert (status, body) == (206, whole[:127])
    assert headers["content-range"] == f"bytes 0-126/{len(whole)}"
    assert headers["content-type"] == "application/vnd.pmtiles"
    assert ask(port, path, Range=f"bytes={len(whole)}-")[0] == 416


def test_an_archive_outside_the_site_is_not_read(sites: tuple[Path, Path], tmp_path: Path) -> None:
    archive = sites[1] / version(sites[1]) / NAME
    (tmp_path / "site" / "v-ab").mkdir(parents=True)
    (tmp_path / "site" / "v-ab" / NAME).symlink_to(archive)
    with serving(tmp_path / "site") as address:
        assert ask(urlsplit(address).port or 0, "/v-ab/tiles/0/0/0.png")[0] == 404


def test_export_static_unpacks_what_is_shown(
    sites: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    shutil.copytree(sites[1], site)
    (site / "v-00").mkdir()
    (site / "v-00" / "points.bin").write_bytes(b"of the version before")
    main(["export", "static", f"site={site}", "out=made"])
    assert "made/site is the site" in capsys.readouterr().out
    found = files(Path("made") / "site")
    assert found == {
        name.replace(version(sites[0]), version(sites[1])): data
        for name, data in files(sites[0]).items()
        if name not in ("map.json", "about.json")
    } | {name: (sites[1] / name).read_bytes() for name in ("map.json", "about.json")}
    main(["export", "static", f"site={site}", "out=made"])
    assert "Nothing changed" in capsys.readouterr().out


def test_exporting_what_is_no_site_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["export", "static", f"site={tmp_path}", "out=made"])
    assert "is no site" in capsys.readouterr().err


def test_an_archive_that_was_half_written_is_written_again(tmp_path: Path) -> None:
    """A rendering killed between the archive and the deletion of its files goes on."""
    tiles = written(tmp_path, 40, 4)
    path = joined(tmp_path, tiles)
    before = path.read_bytes()
    (tmp_path / "tiles" / "0" / "0").mkdir(parents=True)
    (tmp_path / "tiles" / "0" / "0" / "0.webp").write_bytes(b"drawn again")
    joined(tmp_path, tiles)
    assert path.read_bytes() == before
    assert not (tmp_path / "tiles").exists()


def test_a_file_that_vanished_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / NAME, {(0, 0, 0): tmp_path / "gone.png"}, {})
    assert not (tmp_path / NAME).exists()
