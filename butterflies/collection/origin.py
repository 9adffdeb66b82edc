"""A collection comes from one place: photographs and masks of two would be mixed up."""

from pathlib import Path

from butterflies.errors import UserError
from butterflies.tracking.provenance import read_provenance


def check_origin(place: Path, origin: str) -> None:
    """Refuses to collect into a folder what does not come from where the rest of it came.

    Args:
        place: the collection.
        origin: where its pictures come from, and at which size; in words.

    Raises:
        UserError: it was collected from elsewhere.
    """
    before = read_provenance(place).get("origin")
    if before and before != origin:
        raise UserError(
            f"{place} was collected from {before}, not from {origin}: name another collection=."
        )
