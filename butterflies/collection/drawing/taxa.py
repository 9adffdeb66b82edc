"""The drawn world's taxonomy: invented families, genera, and species, and what they inherit.

The world is the same for every seed; a seed only chooses specimens from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from butterflies.collection.drawing.layers import Layer, varied
from butterflies.collection.drawing.outline import Outline
from butterflies.collection.drawing.palettes import Palette, lightness, palette
from butterflies.collection.drawing.plans import PLANS
from butterflies.collection.drawing.shapes import SHAPES

# family; genus; forewing length relative to others; how females differ; and, on the next line,
# epithets with palettes, the commonest first.
_TABLE = """
Pictipteridae Caudaria 1.10 none
    aurulenta:sulphur tigrina:ember pallescens:chalk viridula:celadon
Pictipteridae Gladiata 1.05 none
    ensifera:celadon nivea:chalk xiphias:verdigris mellea:honey
Pictipteridae Nobilema 1.30 swap
    imperatrix:sulphur smaragdina:verdigris rubens:crimson caesia:cobalt
Pictipteridae Scutella 1.15 dull
    medians:chalk fasciata:verdigris rutila:ember caerulans:cobalt lunata:sulphur
Lunulidae Ocellina 0.85 none
    spectans:umber argus:crimson vigilans:slate oculea:honey
Lunulidae Vanessula 0.85 none
    migrans:ember cardinalis:crimson pallida:rose ochracea:honey
Lunulidae Longipenna 0.95 none
    flammea:ember sanguinea:crimson lutea:sulphur nocturna:night alba:chalk
Lunulidae Laciniata 0.80 dull
    lacera:ember fimbriata:honey obscura:umber erosa:rose
Lunulidae Monilissa 0.80 dark
    perlata:ember catenata:honey guttata:rose olivacea:moss adspersa:sulphur
Lunulidae Fulgura 1.25 dull
    coelestis:cobalt radians:heather vespertina:umber undina:verdigris
Lunulidae Satyrella 0.80 pale
    silvicola:umber pratensis:honey tenebrosa:night heathensis:moss cinerea:slate
Lunulidae Reticula 1.05 none
    vagans:ember venosa:rose vitrea:celadon cyanea:slate melitta:honey
Aurelidae Candidissa 0.78 pale
    communis:chalk sulphurea:sulphur virescens:celadon aurora:rose
Aurelidae Acuminia 0.82 pale
    vernalis:sulphur foliata:celadon rosea:rose autumna:honey
Vitralidae Caerulina 0.62 dull
    minuta:cobalt argyrea:slate lilacina:heather cuprea:ember
Vitralidae Glacialia 0.92 dark
    alpina:chalk borealis:celadon montana:slate citrina:sulphur
"""


@dataclass(frozen=True)
class Species:
    """What all members of a species share."""

    family: str
    genus: str
    epithet: str
    size: float
    dimorphism: str  # none, dull, pale, dark, swap: what makes its females different
    colours: Palette
    fore: Outline
    hind: Outline
    plan: tuple[Layer, ...]
    weight: float  # how many of them a museum holds, relative to others

    @property
    def dark(self) -> bool:
        """Whether its wings stand out from a light background everywhere."""
        return max(lightness(self.colours.ground), lightness(self.colours.second)) < 0.62


@lru_cache(maxsize=1)
def species() -> tuple[Species, ...]:
    """Return all species of the drawn world, the same ones every time."""
    lines = _TABLE.strip().splitlines()
    rows = [(a + b).split() for a, b in zip(lines[::2], lines[1::2], strict=True)]
    # Museums hold many of a few genera and few of many; a fixed shuffle decides which.
    ranks = np.random.default_rng(7).permutation(len(rows))
    return tuple(
        _inherit(row, pair, float((rank + 3) ** -0.75) * 0.74**number)
        for row, rank in zip(rows, ranks, strict=True)
        for number, pair in enumerate(row[4:])
    )


def _inherit(row: list[str], pair: str, weight: float) -> Species:
    family, genus, size, dimorphism = row[:4]
    epithet, colours = pair.split(":")
    rng = np.random.default_rng(crc32(f"{genus} {epithet}".encode()))
    fore, hind = SHAPES[genus]
    return Species(
        family,
        genus,
        epithet,
        float(size) * float(1 + 0.08 * rng.standard_normal()),
        dimorphism,
        palette(colours).shifted(rng, 0.04),
        fore.varied(rng, 0.035),
        hind.varied(rng, 0.035),
        varied(PLANS[genus], rng, 0.16),
        weight,
    )
