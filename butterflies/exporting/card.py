"""The card of a data set of cut-outs: README.md with the front matter that the Hub reads.

https://huggingface.co/docs/hub/datasets-cards. Names of licences, rights holders and columns come
from records: they are set as plain text, never as HTML, Markdown or YAML.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from butterflies.collection.records import SCHEMA
from butterflies.exporting.meanings import LEFT_OUT, MEANINGS, OF_CUTOUT, OF_RECORD, OF_SOURCE
from butterflies.exporting.pictures import TYPED
from butterflies.exporting.rows import Rows
from butterflies.files import write_text
from butterflies.rendering.credits import about_credits
from butterflies.segmentation.store import CUTOUTS, CutoutStore
from butterflies.tables import stream_rows
from butterflies.tracking.provenance import read_provenance

SIZES = {
    "n<1K": 1_000,
    "1K<n<10K": 10_000,
    "10K<n<100K": 100_000,
    "100K<n<1M": 1_000_000,
    "1M<n<10M": 10_000_000,
}
HUB_LICENCES = re.compile(
    r"cc0-1\.0|cc-by-(2\.0|2\.5|3\.0|4\.0)|cc-by-sa-(3\.0|4\.0)|cc-by-nc-(2\.0|3\.0|4\.0)"
    r"|cc-by-nd-4\.0|cc-by-nc-nd-(3\.0|4\.0)|cc-by-nc-sa-(2\.0|3\.0|4\.0)"
)
"""Names that the Hub knows: https://huggingface.co/docs/hub/repositories-licenses."""

CREDITED = ("license", "recordLicense", "rightsHolder", "institutionCode", "associatedMedia")
MASKS = {
    "alpha": "The pictures brought their own transparency.",
    "contrast": "Masks come from the contrast with a clean light background.",
}
TRAINED = "Masks come from a trained network; few or none were checked by eye."


def write_card(path: Path, form: str, rows: Rows, store: CutoutStore) -> None:
    """Writes README.md.

    Args:
        path: of the file.
        form: `parquet`, `png` or `webp`.
        rows: of the data set.
        store: the cut-outs.
    """
    said = about_credits(_credited(rows))
    parts = [
        _front(form, rows, said["licences"]),
        _heading(rows),
        _origin(store, said),
        _licences(said),
        _loading(form),
        _columns(form, rows),
        _left_out(rows),
    ]
    write_text(path, "\n".join(parts))


def plain(value: str) -> str:
    r"""A text that Markdown shows as it is, also in a table.

    >>> plain("a|<b>*c*")
    'a\\|&lt;b&gt;\\*c\\*'
    """
    escaped = html.escape(value, quote=False)
    # An underscore between letters or digits is none of Markdown's.
    return re.sub(r"([\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", escaped)


def _credited(rows: Rows) -> Iterator[dict[str, Any]]:
    for table in rows.splits.values():
        yield from stream_rows(table, CREDITED)


def _front(form: str, rows: Rows, licences: Sequence[dict[str, Any]]) -> str:
    size = next((name for name, most in SIZES.items() if len(rows) < most), "10M<n<100M")
    where = "data/{}-*" if form == "parquet" else "{}/*"
    files = [f"  - split: {s}\n    path: {where.format(s)}" for s in rows.splits]
    typed = [] if form == "parquet" else ["  metadata_filenames:", f"  - {TYPED}"]
    lines = [
        *("---", "pretty_name: Specimen cut-outs", f"license: {_licence(licences)}"),
        *("size_categories:", f"- {size}"),
        *("tags:", "- biology", "- natural-history", "- darwin-core"),
        *("configs:", "- config_name: default", "  data_files:", *files, *typed, "---", ""),
    ]
    return "\n".join(lines)


def _licence(licences: Sequence[dict[str, Any]]) -> str:
    """The Hub's name of the one licence of all pictures, else `other`."""
    name = licences[0]["name"].lower().replace(" ", "-") if len(licences) == 1 else ""
    return name if HUB_LICENCES.fullmatch(name) else "other"


def _heading(rows: Rows) -> str:
    counts = [
        f"| {split} | {table.num_rows:,} | {len(table['specimen'].unique()):,} |"
        for split, table in rows.splits.items()
    ]
    specimens = len(set(rows.column("specimen")))
    return "\n".join(
        [
            "# Specimen cut-outs",
            "",
            f"{len(rows):,} pictures of {specimens:,} specimens, cut out of their photographs:",
            "RGBA, square, at most 256 pixels wide, transparent where the specimen is not.",
            "",
            "| split | pictures | specimens |",
            "|---|---|---|",
            *counts,
            "",
            "Several pictures may show one specimen; all of them lie in one split. A hash of its",
            "id tells which: 70 % of the specimens train, 10 % validate and 20 % test.",
            "",
        ]
    )


def _origin(store: CutoutStore, said: dict[str, Any]) -> str:
    segmenter = (read_provenance(store.folder).get("settings") or {}).get("segmenter")
    holders = [f"| {plain(name)} | {count:,} |" for name, count in said["credits"].items()]
    warranty = said["no_warranty"]
    return "\n".join(
        [
            "## Where it comes from",
            "",
            f"Made with butterflies {installed('butterflies')}. "
            f"{MASKS.get(str(segmenter), TRAINED)}",
            "Names, places and dates are those of the records and were not checked again.",
            "",
            "| rights holder (the most frequent) | pictures |",
            "|---|---|",
            *holders,
            "",
            *([warranty.replace("this map", "this data set"), ""] if warranty else []),
        ]
    )


def _licences(said: dict[str, Any]) -> str:
    records = said["record_licences"]
    return "\n".join(
        [
            "## Licences",
            "",
            "Each row names its own `creator`, `license`, `rightsHolder` and, where it is known,",
            "`bibliographicCitation`: give them with every picture that you show.",
            "",
            *_counted("licence of the picture", said["licences"]),
            *(_counted("licence of the record", records) if records else []),
        ]
    )


def _counted(heading: str, licences: Iterable[dict[str, Any]]) -> list[str]:
    lines = [f"| {heading} | pictures |", "|---|---|"]
    for licence in licences:
        name, link = plain(licence["name"]), licence["link"]
        lines.append(f"| {f'[{name}](<{link}>)' if link else name} | {licence['specimens']:,} |")
    return [*lines, ""]


def _loading(form: str) -> str:
    by_hand = (
        'pandas.read_parquet("data")'
        if form == "parquet"
        else 'pandas.read_csv("train/metadata.csv")'
    )
    return "\n".join(
        [
            "## Loading",
            "",
            "```python",
            "from datasets import load_dataset",
            "",
            'pictures = load_dataset("PATH/OF/THIS/FOLDER")',
            'pictures["train"][0]["image"]  # a PIL image, mode RGBA',
            "```",
            "",
            f"Without `datasets`: `{by_hand}`.",
            "",
        ]
    )


def _columns(form: str, rows: Rows) -> str:
    first = [("image", "image")] if form == "parquet" else [("file_name", "string")]
    fields = [*first, *((field.name, str(field.type)) for field in rows.schema)]
    lines = [f"| {plain(name)} | {kind} | {_meaning(name)} |" for name, kind in fields]
    quoted = [
        "In `metadata.csv` a text is one line of at most 1,000 characters, with a ' before what a",
        f"spreadsheet would run; `{TYPED}` beside it holds the same rows as they are, typed.",
        "",
    ]
    return "\n".join(
        [
            "## Columns",
            "",
            "Named as in [Darwin Core](https://dwc.tdwg.org/terms/), where it has the term.",
            "",
            "| column | type | meaning |",
            "|---|---|---|",
            *lines,
            "",
            *([] if form == "parquet" else quoted),
        ]
    )


def _meaning(name: str) -> str:
    if name in MEANINGS:
        return MEANINGS[name]
    plain_name = name.removeprefix("cutout_")
    if plain_name != name and plain_name in CUTOUTS.names:
        return OF_CUTOUT
    if name in SCHEMA.names:
        return OF_RECORD
    return OF_CUTOUT if name in CUTOUTS.names else OF_SOURCE


def _left_out(rows: Rows) -> str:
    counts = [f"- {count:,} {LEFT_OUT[status]}" for status, count in rows.left_out.items()]
    return "\n".join(
        [
            "## What is left out",
            "",
            "Photographs that gave no clean cut-out or could not be read, and those that their",
            "museum has withdrawn" + (":" if counts else "; here there were none."),
            *(["", *counts] if counts else []),
            "",
        ]
    )
