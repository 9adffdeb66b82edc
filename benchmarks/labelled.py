"""Photographs labelled by eye, for the benchmarks beside."""

import csv
from collections.abc import Mapping
from pathlib import Path

from butterflies.collection.identity import source_id, specimen_of
from butterflies.collection.splits import split_of


def labelled(given: Mapping[str, Path]) -> tuple[list[dict[str, str]], list[bool]]:
    """The rows of `labels`, and which show specimens of the test split, as `records` tells."""
    labels = _rows(given["labels"])
    specimens = {source_id(row): row for row in _rows(given["records"])}
    names = [label["assetID"] for label in labels]
    return labels, [split_of(specimen_of(specimens[name], name)) == "test" for name in names]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
