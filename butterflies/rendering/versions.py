"""Versions of a site: what is shown, what open pages still read, what a grown map takes over."""

import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from butterflies.files import link, read_json

NAME = re.compile(r"v-[0-9a-f]+")


@dataclass(frozen=True)
class EarlierVersion:
    """A version whose files a new one takes over where they would be the same.

    Attributes:
        folder: of the version.
        cutouts: assetIDs of specimens whose cut-outs are still the same.
        photographs: of those whose photographs are.
    """

    folder: Path
    cutouts: Collection[str] = ()
    photographs: Collection[str] = ()


def shown_version(site: Path) -> str | None:
    """The version that a site shows now."""
    try:
        return str(read_json(site / "map.json")["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_shown(before: Path, site: Path) -> None:
    """Gives a site, by links, the version shown by one that it will replace, for open pages.

    Args:
        before: the older site; there may be none.
        site: the new one, which is whole.
    """
    version = shown_version(before) or ""
    if not NAME.fullmatch(version) or (site / version).exists():
        return
    temporary = site / f".{version}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    if (before / version).is_dir():
        shutil.copytree(before / version, temporary, copy_function=_link)
        temporary.rename(site / version)


def _link(source: str, target: str) -> None:
    link(Path(source), Path(target))


def remove_other_versions(site: Path, kept: Collection[str | None]) -> None:
    """Deletes all versions of a site but some."""
    for folder in site.iterdir():
        if NAME.fullmatch(folder.name) and folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder)
