"""A site as plain files for any web host: what is shown now, its tiles out of their archive."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from butterflies.errors import UserError
from butterflies.exporting import VERSION
from butterflies.files import link, read_json, sha256, write_bytes
from butterflies.rendering.archive import NAME, open_archive
from butterflies.tracking.console import progress
from butterflies.tracking.outputs import output


@dataclass
class StaticExportSettings:
    """Settings of `butterflies export static`."""

    site: str
    """The site folder of a rendering."""
    out: str | None = None
    force: bool = False


def run(settings: StaticExportSettings) -> Path:
    """Exports; an unchanged export is kept, another one is replaced whole.

    Returns:
        The folder whose `site/` goes to the web host.

    Raises:
        UserError: there is no site, or its archive of tiles cannot be read.
    """
    site = Path(settings.site)
    if not (site / "map.json").is_file():
        raise UserError(f"{site} is no site (it has no map.json): `python render.py` makes one.")
    with output("export", settings, {"map": sha256(site / "map.json")}, VERSION) as made:
        if not made.finished:
            with made.stage("files"):
                unpack(site, made.folder / "site")
    return made.place


def unpack(site: Path, target: Path) -> None:
    """Copies the version that a site shows, with a file for each tile; `map.json` comes last."""
    shown = read_json(site / "map.json")
    version = shown["version"]
    ignored = _left_out(site, version)
    shutil.copytree(site, target, ignore=ignored, copy_function=_copy, dirs_exist_ok=True)
    archive = site / version / NAME
    if archive.is_file():
        tiles = open_archive(archive).tiles()
        for (z, x, y), data in progress(tiles, "tiles"):
            path = target / version / "tiles" / str(z) / str(x) / f"{y}{shown['suffix']}"
            write_bytes(path, data)
    _copy(str(site / "map.json"), str(target / "map.json"))


def _left_out(site: Path, version: str) -> Callable[[str, list[str]], set[str]]:
    """What stays behind: `map.json`, older versions, the archive and half-written files."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        half = {name for name in names if name.startswith(".")}
        if Path(folder) != site:
            return half | {NAME}
        return half | {"map.json"} | {n for n in names if n.startswith("v-") and n != version}

    return left_out


def _copy(source: str, target: str) -> None:
    link(Path(source), Path(target))
