"""The wing shapes of the genera: what every species of a genus inherits."""

from __future__ import annotations

from butterflies.collection.drawing.outline import Outline, Tail

Pair = tuple[Outline, Outline]

# Fore- and hindwing. Angles and lengths were set by eye until the silhouettes looked alive.
SHAPES: dict[str, Pair] = {
    "Caudaria": (
        Outline((39, 1.0), (-4, 0.66), arch=0.11, bulge=0.035, belly=0.03, cells=8, soft=6),
        Outline(
            (-4, 0.66),
            (-80, 0.70),
            arch=0.12,
            bulge=0.17,
            belly=0.06,
            scallop=0.03,
            tails=(Tail(0.68, 0.06, 0.30, -0.02, 0.4),),
        ),
    ),
    "Gladiata": (
        Outline((37, 1.0), (-8, 0.54), arch=0.09, bulge=-0.012, belly=0.05, cells=8, soft=5),
        Outline(
            (-14, 0.52),
            (-82, 0.66),
            arch=0.07,
            bulge=0.08,
            belly=0.05,
            scallop=0.015,
            tails=(Tail(0.78, 0.065, 0.46, -0.10),),
        ),
    ),
    "Nobilema": (
        Outline((34, 1.0), (-12, 0.48), arch=0.11, bulge=0.0, belly=0.03, cells=8, soft=7),
        Outline((-8, 0.50), (-84, 0.50), arch=0.12, bulge=0.14, belly=0.08, scallop=0.022),
    ),
    "Scutella": (
        Outline((40, 1.0), (-6, 0.66), arch=0.13, bulge=0.04, belly=0.03, scallop=0.012, soft=8),
        Outline((-3, 0.68), (-80, 0.70), arch=0.14, bulge=0.20, belly=0.08, scallop=0.045, cells=6),
    ),
    "Ocellina": (
        Outline(
            (41, 0.97),
            (-4, 0.66),
            arch=0.12,
            bulge=0.0,
            belly=0.03,
            scallop=0.015,
            cells=6,
            tails=(Tail(0.14, 0.09, 0.07),),
        ),
        Outline(
            (-4, 0.66),
            (-82, 0.62),
            arch=0.15,
            bulge=0.20,
            belly=0.10,
            scallop=0.02,
            cells=6,
            tails=(Tail(0.50, 0.06, 0.055), Tail(0.92, 0.06, 0.06)),
        ),
    ),
    "Vanessula": (
        Outline(
            (42, 1.0),
            (-4, 0.62),
            arch=0.09,
            bulge=0.0,
            hook=0.03,
            belly=0.03,
            scallop=0.012,
            tails=(Tail(0.10, 0.08, 0.035),),
        ),
        Outline((-5, 0.62), (-80, 0.58), arch=0.14, bulge=0.20, belly=0.10, scallop=0.028),
    ),
    "Longipenna": (
        Outline((33, 1.05), (-9, 0.50), arch=0.10, bulge=0.07, belly=0.03, cells=7, soft=7),
        Outline((-8, 0.60), (-76, 0.48), arch=0.12, bulge=0.16, belly=0.09, cells=8, soft=6),
    ),
    "Laciniata": (
        Outline(
            (42, 0.98),
            (-5, 0.66),
            arch=0.10,
            bulge=-0.02,
            hook=0.07,
            belly=0.0,
            scallop=0.03,
            cells=6,
            tails=(Tail(0.13, 0.07, 0.07), Tail(0.93, 0.07, 0.06)),
        ),
        Outline(
            (-6, 0.62),
            (-80, 0.60),
            arch=0.12,
            bulge=0.15,
            belly=0.08,
            scallop=0.055,
            cells=6,
            tails=(Tail(0.5, 0.07, 0.10),),
        ),
    ),
    "Monilissa": (
        Outline((40, 1.0), (-6, 0.66), arch=0.11, bulge=0.06, belly=0.03, scallop=0.008, soft=7),
        Outline((-4, 0.66), (-80, 0.60), arch=0.15, bulge=0.20, belly=0.10, scallop=0.015),
    ),
    "Fulgura": (
        Outline((44, 1.0), (-6, 0.76), arch=0.15, bulge=0.02, hook=0.04, belly=0.02, soft=6),
        Outline((-2, 0.76), (-80, 0.78), arch=0.18, bulge=0.24, belly=0.12, scallop=0.025, cells=6),
    ),
    "Satyrella": (
        Outline((43, 0.95), (-6, 0.70), arch=0.13, bulge=0.09, belly=0.03, soft=8, cells=6),
        Outline((-3, 0.70), (-78, 0.66), arch=0.16, bulge=0.24, belly=0.10, scallop=0.012, soft=6),
    ),
    "Reticula": (
        Outline((36, 1.03), (-7, 0.60), arch=0.11, bulge=0.045, hook=0.02, belly=0.03, soft=8),
        Outline((-4, 0.64), (-80, 0.58), arch=0.14, bulge=0.19, belly=0.10, scallop=0.012, cells=8),
    ),
    "Candidissa": (
        Outline((43, 0.97), (-5, 0.66), arch=0.12, bulge=0.03, belly=0.02, soft=7, cells=6),
        Outline((-3, 0.67), (-80, 0.64), arch=0.17, bulge=0.25, belly=0.10, cells=6, soft=8),
    ),
    "Acuminia": (
        Outline(
            (43, 1.0),
            (-5, 0.68),
            arch=0.13,
            bulge=0.02,
            hook=0.05,
            belly=0.01,
            cells=6,
            tails=(Tail(0.03, 0.07, 0.05),),
        ),
        Outline(
            (-2, 0.66),
            (-82, 0.64),
            arch=0.17,
            bulge=0.20,
            belly=0.09,
            cells=6,
            tails=(Tail(0.55, 0.07, 0.065),),
        ),
    ),
    "Caerulina": (
        Outline((42, 0.92), (-6, 0.66), arch=0.09, bulge=0.06, belly=0.03, cells=6, soft=5),
        Outline(
            (-3, 0.68),
            (-78, 0.64),
            arch=0.16,
            bulge=0.22,
            belly=0.10,
            cells=7,
            soft=5,
            tails=(Tail(0.84, 0.030, 0.13, -0.02),),
        ),
    ),
    "Glacialia": (
        Outline((37, 1.0), (-9, 0.62), arch=0.10, bulge=0.07, belly=0.04, cells=6, soft=9),
        Outline((-6, 0.64), (-76, 0.58), arch=0.15, bulge=0.21, belly=0.08, cells=7, soft=8),
    ),
}
