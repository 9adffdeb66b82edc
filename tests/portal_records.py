"""Specimen records in the portal's v6 shape (portal 1.3 and 1.7)."""

import random
from uuid import UUID

from tests.portal_http import Record

TYPES = "papilionoidea new types digitisation project"  # 1.1 [S]
BIRDWINGS = "Birdwing Butterfly Digitisation"  # 1.1 [R]

TAXA = [  # higherClassification below the order, genus, species, subspecies, author
    ("Papilionoidea; Papilionidae; Papilioninae", "Papilio", "machaon", "", "Linnaeus, 1758"),
    ("Papilionoidea; Nymphalidae; Nymphalinae", "Vanessa", "atalanta", "", "(Linnaeus, 1758)"),
    ("Papilionoidea; Pieridae; Pierinae", "Pieris", "brassicae", "azorensis", "Rebel, 1917"),
    ("Sphingoidea; Sphingidae; Sphinginae", "Acherontia", "atropos", "", "(Linnaeus, 1758)"),
    ("Papilionoidea; Nymphalidae; Heliconiinae", "Heliconius", "melpomene", "rosina", ""),
    ("Papilionoidea; Papilionidae; Parnassiinae", "Parnassius", "apollo", "", "(Linnaeus, 1758)"),
    ("Papilionoidea; Lycaenidae; Polyommatinae", "Polyommatus", "icarus", "", ""),
    ("Papilionoidea; Nymphalidae; Morphinae", "Morpho", "", "", ""),
    ("Papilionoidea; Papilionidae; Papilioninae", "Ornithoptera", "croesus", "", "Wallace, 1859"),
]
PLACES = [
    ("Peru", "Río Ucayali, Contamaná", "-7.3333333", "-75.0166667"),
    ("Portugal", "São Miguel, Açores", "", ""),
    ("Côte d'Ivoire", 'Forêt du Banco, "carré 4", Abidjan', "5.3833", "-4.05"),
    ("United Kingdom", "Wicken Fen", "52.3108", "0.2781"),
    ("Österreich", "Großglockner;\nFranz-Josefs-Höhe", "", ""),
]
# 1.7: mostly empty [article], "Male" seen [R], other spellings likely [I]
SEXES = ["", "Male", "", "female", "", "FEMALE", "", "M", "", "Female?", "", "male; female"]
DATES = [{"year": "1886"}, {"year": "1902", "month": "6"}, {}]
DATES += [{"year": "1931", "month": "12", "day": "4"}]


def make_records(n: int, seed: int = 0, base: str = "") -> list[Record]:
    """Makes records with one to three photographs each.

    Args:
        n: How many.
        seed: Same seed, same records.
        base: Goes before "/media/<uuid>" in each `identifier`; a server fills it in when it is "".
    """
    chance = random.Random(seed)
    return [_record(i, chance, base) for i in range(n)]


def _record(i: int, chance: random.Random, base: str) -> Record:
    # 1.7: _id is the EMu IRN as a string; ids of several lengths, since they sort as text
    number = str((9_990 + 13 * i) if i % 3 else (8_966_212 + i))
    barcode = f"01{i:07d}"
    media = _media(i, chance, base, barcode)
    record = {
        "_id": number,
        "occurrenceID": _uuid(chance),
        "barcode": barcode,
        "catalogNumber": f"NHMUK{barcode}",
        "institutionCode": "NHMUK",
        "collectionCode": "BMNH(E)",
        "subDepartment": "Lepidoptera",
        "basisOfRecord": "PreservedSpecimen",
        "occurrenceStatus": "present",
        "otherCatalogNumbers": f"NHMUK:ecatalogue:{number}",
        "individualCount": "1",
        **_taxon(*TAXA[i % len(TAXA)]),
        **_place(i),
        **DATES[i % len(DATES)],
        "sex": SEXES[i % len(SEXES)],
        "preservative": "Dry - pinned",
        "project": _project(i),
        "recordedBy": ["Wallace, Alfred Russel", "Allen, C."][: 1 + i % 2],
        "created": "2019-07-24T09:24:28+00:00",
        "modified": _day(chance),
        "gbifID": str(1_056_811_977 + i),
        "gbifIssue": ["GEODETIC_DATUM_ASSUMED_WGS84"],
        "associatedMediaCount": len(media),
        "associatedMedia": media,
    }
    return {name: value for name, value in record.items() if value != ""}


def _project(i: int) -> str | list[str]:
    """1.7 [S]: a string when one, a list when several (`recordedBy` is always a list)."""
    if i % len(TAXA) == 8:
        return [TYPES, BIRDWINGS]
    moth = i % len(TAXA) == 3
    return BIRDWINGS if moth or i % 4 == 3 else TYPES


def _taxon(classification: str, genus: str, species: str, sub: str, author: str) -> Record:
    name = " ".join(word for word in (genus, species, sub, author) if word)
    return {
        "class": "Insecta",
        "order": "Lepidoptera",
        "family": classification.split("; ")[1],
        "genus": genus,
        "specificEpithet": species,
        "infraspecificEpithet": sub,
        "higherClassification": f"Insecta; Lepidoptera; {classification}",
        "scientificName": name,
        "scientificNameAuthorship": author,
        "determinationNames": [name],
    }


def _place(i: int) -> Record:
    country, locality, latitude, longitude = PLACES[i % len(PLACES)]
    point = {"decimalLatitude": latitude, "decimalLongitude": longitude}
    return {"country": country, "locality": locality, **point}


def _media(i: int, chance: random.Random, base: str, barcode: str) -> list[Record]:
    kinds = [("Specimen", ""), ("Specimen", "_label_1")][: 1 + (i % 3 == 1)]
    if i % 3 == 2:
        kinds = [("specimen", "_dorsal"), ("Specimen", "_ventral"), ("Register", "_page")]
    return [_medium(i, k, chance, base, barcode, *kind) for k, kind in enumerate(kinds)]


def _medium(
    i: int, k: int, chance: random.Random, base: str, barcode: str, category: str, ending: str
) -> Record:
    asset, number = _uuid(chance), str(1_083_460 + 4 * i + k)
    wide, high = chance.choice([(144, 96), (120, 80), (96, 64), (72, 48), (80, 120)])
    return {
        "_id": number,
        "assetID": asset,
        "identifier": f"{base}/media/{asset}",
        "title": f"{barcode}_136914_{number}{ending}",
        "category": category,
        # 1.7 [S]: the format of the original
        "type": "StillImage",
        "format": "image/tiff" if i % 5 == 3 else "image/jpeg",
        "creator": "Müller, Zoë",
        "license": "http://creativecommons.org/licenses/by/4.0/",
        "rightsHolder": "The Trustees of the Natural History Museum, London",
        "PixelXDimension": str(wide),
        "PixelYDimension": str(high),
        "created": "2019-07-25T10:00:00+00:00",
        "modified": "2019-07-25T10:00:00+00:00",
    }


def _uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _day(chance: random.Random) -> str:
    return f"2025-{chance.randint(1, 3):02d}-{chance.randint(1, 5):02d}T23:50:56+00:00"
