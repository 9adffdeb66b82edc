"""A large collection, made up: drawn specimens stored over and over, with records and codes.

The codes are of 128 numbers in 300 clusters of unequal size, of eight dimensions each and some
noise, seed 0. A cluster is a genus; its specimens look like seven of 300 drawn ones.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from butterflies import compute
from butterflies.collection.drawn import draw_one, record_one
from butterflies.collection.records import stream_records
from butterflies.files import write_json, write_text
from butterflies.segmentation.pictures import encode
from butterflies.segmentation.store import PART, has_part, join_parts, write_part

DRAWN, LOOKS = 300, 7
CLUSTERS, DIMENSIONS, INNER = 300, 128, 8
DATES, DEGREES = ("year", "month", "day"), ("decimalLatitude", "decimalLongitude")

Labels = npt.NDArray[np.int64]


def made_up(n: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], Labels]:
    """Codes (n, 128) and the cluster of each (n,)."""
    random = np.random.default_rng(seed)
    sizes = random.lognormal(0, 1, CLUSTERS)
    label = random.choice(CLUSTERS, n, p=sizes / sizes.sum())
    centres = random.normal(0, 3, (CLUSTERS, DIMENSIONS))
    axes = random.normal(0, 1, (CLUSTERS, INNER, DIMENSIONS))
    codes = np.empty((n, DIMENSIONS), np.float32)
    for number in range(CLUSTERS):
        own = label == number
        inner = random.normal(0, random.uniform(0.5, 1.5), (own.sum(), INNER))
        noise = random.normal(0, 0.3, (own.sum(), DIMENSIONS))
        codes[own] = centres[number] + inner @ axes[number] + noise
    return codes, label


def collection(place: Path, n: int) -> Path:
    """`place`, with records, cut-outs, `codes.npy` and `ids.txt` of n specimens."""
    folder = place / "cutouts"
    if not (folder / "provenance.json").is_file():
        codes, label = made_up(n)
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / "codes.npy", codes)
        write_text(place / "ids.txt", "".join(f"{name_of(k)}\n" for k in range(n)))
        stream_records(place, _records(label), [])
        _write_cutouts(place, label)
        write_json(folder / "provenance.json", {"status": "finished", "fingerprint": "drawn"})
    return place


def name_of(number: int) -> str:
    return f"S{number:07d}"


def _records(label: Labels) -> Iterator[dict[str, Any]]:
    """Records like a museum's: a genus a cluster, all else from drawn ones."""
    known = [_typed(record_one(number)) for number in range(DRAWN)]
    for number, cluster in enumerate(label.tolist()):
        said, genus = known[number * 7919 % DRAWN], known[cluster]["genus"]
        genus = f"{genus}{'abcdefghij'[cluster // 30]}"
        identity = hashlib.sha256(name_of(number).encode()).hexdigest()
        own = {
            "assetID": name_of(number),
            "status": "ok",
            "specimen": name_of(number),
            "genus": genus,
            "scientificName": f"{genus} {said['specificEpithet']}",
            "catalogNumber": f"DRAWN-{number:07d}",
            "occurrenceID": f"urn:uuid:{identity[:32]}",
            "associatedMedia": f"https://museum.example/media/{identity}.jpg",
        }
        yield {**said, **own}


def _typed(said: dict[str, str]) -> dict[str, Any]:
    """A drawn record with numbers, and None where it says nothing."""
    typed: dict[str, Any] = {name: value or None for name, value in said.items()}
    typed |= {name: int(said[name]) for name in DATES if said[name]}
    return typed | {name: float(said[name]) for name in DEGREES if said[name]}


def _write_cutouts(place: Path, label: Labels) -> None:
    images = compute.each(_cutout, range(DRAWN), "drawing")
    parts = range(-(-len(label) // PART))
    for part in (p for p in parts if not has_part(place / "cutouts", p)):
        numbers = range(part * PART, min(len(label), (part + 1) * PART))
        rows = [{"assetID": name_of(k), "status": "ok", "specimen": name_of(k)} for k in numbers]
        looks = [(label[k] + k % LOOKS) % DRAWN for k in numbers]
        write_part(place / "cutouts", part, rows, [images[look] for look in looks])
    join_parts(place / "cutouts", parts, place / "cutouts.parquet", "drawn")


def _cutout(number: int) -> bytes:
    """A drawn specimen, cut out along its true mask."""
    found = draw_one(number)
    picture, mask = Image.fromarray(found.photo), Image.fromarray(found.mask)
    picture.putalpha(mask)
    left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
    side = round(max(right - left, bottom - top) * 1.08)
    corner = ((left + right - side) // 2, (top + bottom - side) // 2)
    square = picture.crop((*corner, corner[0] + side, corner[1] + side))
    return encode(square.resize((256, 256)))
