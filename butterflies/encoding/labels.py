"""What the records tell of specimens: asked to judge codes, never to learn them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from butterflies.collection.records import read_records

SEXES = ("male", "female")
"""Those that neighbours are asked for; gynandromorphs are too few to be told."""


class Label(NamedTuple):
    """What is known of a photograph's specimen; None where nothing is.

    Attributes:
        specimen: several photographs may show one.
        genus: such as `Papilio`.
        species: genus and epithet, such as `Papilio machaon`.
        sex: male or female.
    """

    specimen: str
    genus: str | None = None
    species: str | None = None
    sex: str | None = None


def read_labels(collection: Path, ids: Sequence[str]) -> list[Label]:
    """The labels of photographs by their assetIDs; a photograph without a record has none.

    Raises:
        UserError: the records cannot be read.
    """
    if not (collection / "records.parquet").is_file():
        return [Label(asset_id) for asset_id in ids]
    columns = ["assetID", "specimen", "genus", "specificEpithet", "sex"]
    rows = read_records(collection).select(columns).to_pylist()
    found = {
        row["assetID"]: _label(row["specimen"], row["genus"], row["specificEpithet"], row["sex"])
        for row in rows
        if row["specimen"]
    }
    return [found.get(asset_id, Label(asset_id)) for asset_id in ids]


def _label(specimen: str, genus: str | None, epithet: str | None, sex: str | None) -> Label:
    species = f"{genus} {epithet}" if genus and epithet else None
    return Label(specimen, genus or None, species, sex if sex in SEXES else None)
