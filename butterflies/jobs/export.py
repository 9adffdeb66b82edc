"""Export what was made for others to use: a data set, or a site of plain files.

    butterflies export cutouts collection=data/mine                      # Parquet
    butterflies export cutouts collection=data/mine format=png out=DIR   # or webp: a file each
    butterflies export static site=runs/render/.../site out=DIR          # the site for any web host

`cutouts`: the clean cut-outs with their records and credits, split by specimen into train,
validation and test, and a README.md that tells what they are. `format=parquet` is what Hugging
Face's `datasets` reads, `png` and `webp` are image folders with a metadata.csv. What is not ok, or
withdrawn, is left out.

`static`: what a site shows now, with a file for each tile even where `site.tiles=pmtiles` keeps
them in one archive. `<out>/site` is what goes to the host.

Without `out=` it goes to `runs/export/<date>/`.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from butterflies.exporting import cutouts, static
from butterflies.tracking.console import printable, say
from butterflies.tracking.runs import run_job, settings_from, store_schema


@dataclass(frozen=True)
class Export:
    """Something that can be exported.

    Attributes:
        config: its primary configuration in conf/.
        schema: its settings.
        run: makes it and gives its folder back.
        says: what is said of that folder in the end.
    """

    config: str
    schema: type
    run: Callable[[Any], Path]
    says: str


EXPORTS = {
    "cutouts": Export(
        "export",
        cutouts.CutoutExportSettings,
        cutouts.run,
        "{} holds the data set; its README.md tells what is in it.",
    ),
    "static": Export(
        "export_static",
        static.StaticExportSettings,
        static.run,
        "{}/site is the site: copy it to any host of plain files.",
    ),
}
"""The word after `export` -> what it stands for."""

for export in EXPORTS.values():
    store_schema(export.config, export.schema)


def main(arguments: Sequence[str]) -> None:
    """Runs the export that a word names; `--cfg job` alone shows the first one's settings."""
    named = [word for word in arguments if word in EXPORTS]
    if not named and not (arguments and arguments[0].startswith("-")):
        found = [word for word in arguments if "=" not in word][:1]
        said = f"there is no export {found[0]!r}" if found else "say what to export"
        known = ", ".join(f"butterflies export {name}" for name in EXPORTS)
        print(f"butterflies: {printable(said)}; there is: {known}.", file=sys.stderr)
        sys.exit(2)
    what = EXPORTS[(named or list(EXPORTS))[0]]
    rest = list(arguments)
    for word in named[:1]:
        rest.remove(word)
    run_job(what.config, lambda config: exported(what, config), rest)


def exported(what: Export, config: DictConfig) -> None:
    place = what.run(settings_from(config, what.schema))
    say(what.says.format(place))
