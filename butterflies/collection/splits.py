"""Train, validation and test by specimen: the same for every job and every collection."""

import hashlib
from typing import Literal

Split = Literal["train", "validation", "test"]


def split_of(specimen: str, split_seed: int = 0) -> Split:
    """`sha256(split_seed + specimen) mod 100`: 0-69 train, 70-79 validation, 80-99 test."""
    bucket = int(hashlib.sha256(f"{split_seed}{specimen}".encode()).hexdigest(), 16) % 100
    return "train" if bucket < 70 else "validation" if bucket < 80 else "test"
