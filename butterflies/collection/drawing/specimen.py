"""One drawn specimen: which species and sex, how it differs from its kin, and its record."""

from __future__ import annotations

import calendar
import hashlib
import uuid
from dataclasses import dataclass

import numpy as np

from butterflies.collection.drawing.palettes import Palette, lightness, palette
from butterflies.collection.drawing.taxa import Species, species

COLUMNS = (
    "assetID", "catalogNumber", "occurrenceID", "order", "family", "genus", "specificEpithet",
    "scientificName", "sex", "typeStatus", "country", "locality", "decimalLatitude",
    "decimalLongitude", "year", "month", "day", "project", "creator", "title", "category", "view",
    "license", "rightsHolder",
)  # fmt: skip
NOISY, CLEAN = "drawn: noisy backgrounds", "drawn: clean backgrounds"

# country, locality, latitude, longitude: real places, so that maps and searches have work to do.
_PLACES = (
    ("Peru", "Tingo María, Huánuco", -9.30, -76.00),
    ("Peru", "Río Tambopata", -12.92, -69.28),
    ("Ecuador", "Baños, Tungurahua", -1.40, -78.42),
    ("Brazil", "São Paulo de Olivença", -3.38, -68.87),
    ("Mexico", "Catemaco, Veracruz", 18.42, -95.11),
    ("French Guiana", "Saint-Laurent du Maroni", 5.50, -54.03),
    ("Spain", "Sierra Nevada, Granada", 37.05, -3.31),
    ("France", "Briançon, Hautes-Alpes", 44.90, 6.64),
    ("United Kingdom", "Box Hill, Surrey", 51.25, -0.31),
    ("Kenya", "Kakamega Forest", 0.29, 34.85),
    ("Madagascar", "Périnet", -18.93, 48.42),
    ("India", "Darjeeling, Sikkim road", 27.04, 88.26),
    ("Indonesia", "Mt. Tompotika, Sulawesi", -0.70, 123.10),
    ("Papua New Guinea", "Wau, Morobe", -7.34, 146.71),
    ("Australia", 'Kuranda, "Top of the Range"', -16.82, 145.64),
    ("Japan", "Kamikōchi, Nagano", 36.25, 137.63),
)


@dataclass(frozen=True)
class Specimen:
    """One animal of the drawn world; `clean` says how it was photographed."""

    number: int
    seed: int
    kind: Species
    sex: str  # male or female, what it is
    stated_sex: str  # what its label says, may be blank
    clean: bool

    def rng(self, purpose: str) -> np.random.Generator:
        """Return random numbers of its own for a purpose, independent of all others."""
        key = hashlib.sha256(purpose.encode()).digest()[:4]
        return np.random.default_rng([self.seed, self.number, int.from_bytes(key, "big")])


def specimen(number: int, seed: int = 0) -> Specimen:
    """Choose the specimen of a number: a pure function of the two."""
    rng = np.random.default_rng([seed, number, 1])
    kinds = species()
    weights = np.array([kind.weight for kind in kinds])
    kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
    sex = "male" if rng.random() < 0.58 else "female"
    stated = "" if rng.random() < 0.3 else sex
    # Only animals that stand out from a light background were photographed on one.
    dark = kind.dark and (sex, kind.dimorphism) != ("female", "pale")
    likely = 0.30 if dark else 0.0
    return Specimen(number, seed, kind, sex, stated, bool(rng.random() < likely))


def colours(individual: Specimen) -> Palette:
    """Return the colours of one animal: its species', changed by sex and chance."""
    kind, rng = individual.kind, individual.rng("colours")
    own = kind.colours
    if individual.sex == "female":
        own = _female(own, kind.dimorphism)
    own = own.shifted(rng, 0.035)
    if individual.clean and lightness(own.pale) > 0.74:
        own = own.mixed(palette("umber"), 0.35, ("pale", "accent"))
    return own


def _female(own: Palette, dimorphism: str) -> Palette:
    brown, white = palette("umber"), palette("chalk")
    match dimorphism:
        case "dull":
            return own.mixed(brown, 0.7, ("ground", "second", "shine"))
        case "pale":
            return own.mixed(white, 0.55, ("ground", "second"))
        case "dark":
            return own.mixed(palette("night"), 0.38, ("ground", "second"))
        case "swap":
            return own.mixed(brown, 0.75, ("ground", "shine", "accent"))
        case _:
            return own


def record(individual: Specimen) -> dict[str, str]:
    """Return the Darwin Core record of a specimen, every value a string."""
    kind, rng = individual.kind, individual.rng("record")
    name = f"{kind.genus} {kind.epithet}"
    identity = hashlib.sha256(f"{individual.seed}/{individual.number}".encode()).digest()
    catalog = f"DRAWN-{individual.seed}-{individual.number:06d}"
    values = {
        "assetID": str(uuid.UUID(bytes=identity[:16], version=4)),
        "catalogNumber": catalog,
        "occurrenceID": str(uuid.UUID(bytes=identity[16:], version=4)),
        "order": "Lepidoptera",
        "family": kind.family,
        "genus": kind.genus,
        "specificEpithet": kind.epithet,
        "scientificName": name,
        "sex": individual.stated_sex,
        "typeStatus": _type_status(rng),
        "project": CLEAN if individual.clean else NOISY,
        "creator": "butterflies",
        "title": f"{catalog} {name} dorsal",
        "category": "Specimen",
        "view": "dorsal",
        "license": "CC0-1.0",
        "rightsHolder": "drawn by butterflies",
        **_place(rng),
        **_date(rng),
    }
    return {column: values[column] for column in COLUMNS}


def _type_status(rng: np.random.Generator) -> str:
    return str(rng.choice(["", "Paratype", "Syntype", "Holotype"], p=[0.94, 0.03, 0.02, 0.01]))


def _place(rng: np.random.Generator) -> dict[str, str]:
    country, locality, north, east = _PLACES[int(rng.integers(len(_PLACES)))]
    blank = rng.random() < 0.15
    return {
        "country": country,
        "locality": locality,
        "decimalLatitude": "" if blank else f"{north + 0.2 * rng.standard_normal():.4f}",
        "decimalLongitude": "" if blank else f"{east + 0.2 * rng.standard_normal():.4f}",
    }


def _date(rng: np.random.Generator) -> dict[str, str]:
    """A date of collection, in old collections often only a year, or a month, or nothing."""
    year, month = int(rng.integers(1858, 2009)), int(rng.integers(1, 13))
    day = int(rng.integers(1, calendar.monthrange(year, month)[1] + 1))
    known = int(rng.choice([0, 1, 2, 3], p=[0.08, 0.12, 0.15, 0.65]))
    parts = [str(year), str(month), str(day)]
    return dict(zip(("year", "month", "day"), parts[:known] + [""] * (3 - known), strict=True))
