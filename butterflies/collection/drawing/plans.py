"""The pattern plans of the genera: which elements are painted, in which order and colour."""

from __future__ import annotations

from dataclasses import replace

from butterflies.collection.drawing.layers import Layer, Value


def _on(wing: str, element: str, part: str, share: float = 1.0, **values: Value) -> Layer:
    return Layer(wing, element, part, share, values)


def _fore(element: str, part: str, share: float = 1.0, **values: Value) -> Layer:
    return _on("fore", element, part, share, **values)


def _hind(element: str, part: str, share: float = 1.0, **values: Value) -> Layer:
    return _on("hind", element, part, share, **values)


def _both(element: str, part: str, share: float = 1.0, **values: Value) -> tuple[Layer, Layer]:
    return _fore(element, part, share, **values), _hind(element, part, share, **values)


def _only(sex: str, *layers: Layer) -> tuple[Layer, ...]:
    return tuple(replace(layer, sex=sex) for layer in layers)


def _eye(wing: str, depth: float, along: float, radius: float) -> tuple[Layer, ...]:
    rings = (("dark", 1.0), ("accent", 0.9), ("dark", 0.66), ("shine", 0.42))
    eye = [
        _on(wing, "blotch", part, depth=depth, along=along, radius=radius * size)
        for part, size in rings
    ]
    return (*eye, _on(wing, "blotch", "pale", depth=depth, along=along, radius=radius * 0.16))


PLANS: dict[str, tuple[Layer, ...]] = {
    "Caudaria": (
        *_both("wash", "second", 0.5, start=0.3, end=1.0),
        _fore("bars", "dark", starts=(0.12, 0.34, 0.56, 0.74), width=0.045, reach=0.75, lean=0.1),
        _hind("band", "dark", at=0.42, width=0.09, tilt=-0.35, taper=-0.6),
        *_both("veins", "dark", 0.8, width=0.007, flare=0.02),
        _fore("border", "dark", width=0.13, scallop=0.12, costa=0.22),
        _hind("border", "dark", width=0.16, scallop=0.2, costa=0.1),
        _fore("spots", "ground", at=0.055, radius=0.022, oblong=0.6),
        _hind("spots", "shine", 0.9, at=0.115, radius=0.04, oblong=0.7, first=2),
        _hind("spots", "ground", at=0.05, radius=0.036, oblong=0.5),
        _hind("blotch", "accent", depth=0.82, along=0.95, radius=0.055),
        *_both("basal", "dark", 0.8, reach=0.16),
    ),
    "Gladiata": (
        *_both("basal", "second", 0.6, reach=0.4),
        _fore("bars", "dark", starts=(0.13, 0.27, 0.41, 0.54, 0.67), width=0.026, reach=1.1,
              lean=0.3),
        _fore("border", "dark", width=0.10, costa=0.3, tip=0.5),
        _fore("band", "ground", 0.9, at=0.90, width=0.035),
        _hind("band", "dark", at=0.34, width=0.07, tilt=-0.5),
        _hind("border", "dark", width=0.10, scallop=0.3, costa=0.1),
        _hind("spots", "pale", at=0.05, radius=0.028, oblong=0.6),
        _hind("blotch", "accent", depth=0.72, along=0.93, radius=0.07, oblong=1.4),
        *_both("veins", "dark", 0.6, width=0.006),
    ),
    "Nobilema": (
        _fore("wash", "dark", 1.0, start=-0.4, end=0.3),
        _fore("rays", "pale", 0.4, width=0.9, start=0.35, end=0.97),
        *_both("veins", "dark", 1.0, width=0.009, flare=0.012),
        _hind("border", "dark", width=0.075, scallop=0.45, costa=1.3),
        _hind("spots", "dark", at=0.115, radius=0.026, first=1),
        *_both("basal", "dark", 0.9, reach=0.22),
        _fore("patch", "ground", 0.85, low=0.30, high=0.62, first=4.6, last=6.6, soft=0.05),
        *_only("female", _hind("chevrons", "dark", at=0.13, height=0.06, width=0.03)),
        *_only("female", _fore("spots", "pale", 0.7, at=0.14, radius=0.04, oblong=1.8)),
    ),
    "Scutella": (
        *_both("wash", "dark", 0.95, start=-0.5, end=0.25),
        *_both("rays", "second", 0.3, width=0.7, start=0.5, end=0.95),
        _fore("band", "ground", at=0.60, width=0.17, wave=0.018, tilt=0.12, taper=0.7),
        _hind("band", "ground", at=0.50, width=0.26, wave=0.02, taper=-0.5),
        *_both("veins", "dark", 0.9, width=0.008),
        _hind("spots", "shine", 0.7, at=0.14, radius=0.045, oblong=0.6),
        _hind("spots", "accent", at=0.075, radius=0.05, oblong=0.8, crescent=0.7),
        _fore("spots", "ground", at=0.04, radius=0.018, oblong=0.7),
        *_only("male", _fore("wash", "shine", 0.22, start=0.2, end=0.7)),
    ),
    "Ocellina": (
        *_both("wash", "second", 0.7, start=0.35, end=0.95),
        _fore("bars", "dark", starts=(0.24, 0.44), width=0.04, reach=0.42, lean=0.1),
        _fore("bars", "pale", 0.85, starts=(0.62,), width=0.035, reach=0.5, lean=0.15),
        *_both("border", "dark", 0.75, width=0.06, scallop=0.3, costa=0.2),
        *_both("band", "second", 0.9, at=0.86, width=0.03, wave=0.012),
        *_eye("fore", 0.80, 0.22, 0.048),
        *_eye("fore", 0.74, 0.68, 0.105),
        *_eye("hind", 0.70, 0.30, 0.12),
        *_eye("hind", 0.74, 0.72, 0.07),
        *_both("basal", "dark", 0.7, reach=0.24),
        *_both("veins", "dark", 0.35, width=0.006),
    ),
    "Vanessula": (
        _fore("tip", "dark", reach=0.36, slant=0.3, wave=0.012),
        _fore("bars", "dark", 0.95, starts=(0.36, 0.52), width=0.035, reach=0.8, lean=-0.2),
        _fore("bars", "pale", starts=(0.66,), width=0.036, reach=0.42, lean=0.2),
        _fore("spots", "pale", at=0.10, radius=0.034, first=0, last=3),
        _hind("wash", "second", 0.8, start=0.0, end=0.75),
        _hind("band", "dark", 0.9, at=0.62, width=0.10, wave=0.04),
        _hind("border", "dark", width=0.075, scallop=0.4, costa=0.3),
        _hind("spots", "dark", at=0.13, radius=0.036),
        _hind("spots", "shine", 0.9, at=0.045, radius=0.02, first=3),
        _fore("border", "dark", width=0.045, costa=0.8),
        *_both("basal", "second", 0.9, reach=0.32),
        *_both("veins", "dark", 0.5, width=0.007),
        *_both("fringe", "pale", 0.8, width=0.016, chequer=0.5),
    ),
    "Longipenna": (
        *_both("wash", "dark", 0.98, start=-0.5, end=0.1),
        _fore("patch", "ground", 0.97, low=0.02, high=0.40, first=3.2, soft=0.08),
        _fore("bars", "accent", starts=(0.62,), width=0.085, reach=1.4, lean=0.45, wave=0.02),
        _hind("rays", "ground", width=0.62, start=0.3, end=0.90),
        _hind("bars", "ground", starts=(0.45,), width=0.05, reach=4.0, lean=0.9),
        _fore("spots", "pale", at=0.10, radius=0.022, last=2),
        *_both("veins", "dark", 0.95, width=0.010, flare=0.01),
        _hind("spots", "pale", 0.9, at=0.03, radius=0.012),
    ),
    "Laciniata": (
        *_both("veins", "second", 0.5, width=0.008),
        *_both("wash", "second", 0.75, start=0.5, end=1.0),
        _fore("blotch", "dark", depth=0.28, along=0.35, radius=0.045),
        _fore("blotch", "dark", depth=0.42, along=0.30, radius=0.05, oblong=1.3),
        _fore("blotch", "dark", depth=0.62, along=0.10, radius=0.06, oblong=1.9),
        _fore("blotch", "dark", depth=0.55, along=0.62, radius=0.05),
        _fore("blotch", "dark", depth=0.55, along=0.88, radius=0.055),
        _hind("blotch", "dark", depth=0.40, along=0.25, radius=0.065),
        _hind("blotch", "dark", depth=0.45, along=0.6, radius=0.05),
        *_both("border", "second", 1.0, width=0.10, scallop=0.3, costa=0.3, soft=0.05),
        *_both("border", "dark", 0.85, width=0.05, costa=0.3, soft=0.04),
        *_both("spots", "accent", 0.95, at=0.105, radius=0.034, oblong=0.8),
        *_both("basal", "second", 0.95, reach=0.3),
    ),
    "Monilissa": (
        *_both("basal", "second", 0.85, reach=0.34),
        _fore("bars", "dark", starts=(0.22, 0.33, 0.44), width=0.016, reach=0.36, lean=0.0),
        *_both("band", "dark", 0.95, at=0.56, width=0.045, wave=0.045),
        *_both("spots", "dark", at=0.20, radius=0.034),
        *_both("spots", "dark", at=0.115, radius=0.04, oblong=0.7, crescent=-0.7),
        *_both("border", "dark", width=0.04, scallop=0.7, costa=0.4),
        _hind("band", "dark", 0.9, at=0.36, width=0.035, wave=-0.03),
        *_both("veins", "dark", 0.65, width=0.007),
        *_both("fringe", "pale", 0.75, width=0.012, chequer=0.4),
    ),
    "Fulgura": (
        *_both("wash", "shine", 0.75, start=-0.1, end=0.6),
        *_both("border", "dark", width=0.16, scallop=0.16, costa=0.45, tip=1.0, soft=0.06),
        *_both("spots", "pale", 0.95, at=0.055, radius=0.02),
        _fore("spots", "pale", 0.95, at=0.115, radius=0.026, last=2),
        *_both("basal", "dark", 0.75, reach=0.25),
        _hind("spots", "accent", 0.8, at=0.02, radius=0.03, oblong=0.5, first=2),
        *_only("female", *_both("spots", "accent", at=0.14, radius=0.034)),
        *_both("veins", "dark", 0.55, width=0.007, flare=0.02),
    ),
    "Satyrella": (
        *_both("wash", "second", 0.6, start=0.1, end=0.65),
        *_both("band", "accent", 0.75, at=0.77, width=0.19, wave=0.02, soft=0.05),
        _fore("spots", "dark", at=0.13, radius=0.038, first=0, last=3, big=1),
        _fore("spots", "pale", at=0.14, radius=0.011, first=0, last=3, big=1),
        _hind("spots", "dark", at=0.14, radius=0.036, first=1, last=5, big=4),
        _hind("spots", "pale", at=0.145, radius=0.011, first=1, last=5, big=4),
        *_both("border", "second", 0.9, width=0.035, costa=0.3),
        *_both("border", "dark", 0.85, width=0.012, costa=0.6),
        *_both("basal", "dark", 0.6, reach=0.35),
        *_both("veins", "second", 0.55, width=0.007),
    ),
    "Reticula": (
        *_both("wash", "second", 0.45, start=0.2, end=0.9),
        _fore("tip", "dark", 0.97, reach=0.30, slant=0.35, wave=0.01),
        *_both("veins", "dark", width=0.021, flare=0.03, cell=0.46),
        *_both("border", "dark", width=0.095, scallop=0.35, costa=0.5),
        *_both("spots", "pale", at=0.07, radius=0.013),
        *_both("spots", "pale", at=0.032, radius=0.012),
        _fore("bars", "ground", 0.9, starts=(0.74,), width=0.035, reach=0.35, lean=0.3),
        *_only("male", _hind("blotch", "dark", depth=0.5, along=0.72, radius=0.035)),
    ),
    "Candidissa": (
        *_both("veins", "second", 0.55, width=0.006, flare=0.012),
        _hind("wash", "second", 0.25, start=0.1, end=0.9),
        _fore("wash", "second", 0.15, start=0.5, end=1.0),
        _fore("tip", "dark", 0.95, reach=0.17, slant=0.15, wave=0.014, soft=0.05),
        _fore("blotch", "dark", 0.95, depth=0.60, along=0.42, radius=0.042),
        *_only("female", _fore("blotch", "dark", 0.9, depth=0.60, along=0.80, radius=0.045)),
        *_only("female", _hind("blotch", "dark", 0.8, depth=0.6, along=0.12, radius=0.045)),
        *_both("basal", "dark", 0.6, reach=0.22),
    ),
    "Acuminia": (
        *_both("veins", "second", 0.7, width=0.006),
        *_both("wash", "second", 0.35, start=0.1, end=0.8),
        *_only("male", _fore("tip", "accent", 0.95, reach=0.36, slant=0.1, soft=0.1)),
        _fore("blotch", "accent", 0.95, depth=0.52, along=0.38, radius=0.026),
        _hind("blotch", "accent", 0.95, depth=0.52, along=0.45, radius=0.036),
        *_both("border", "accent", 0.7, width=0.014, scallop=0.9, costa=0.9),
        *_both("basal", "pale", 0.5, reach=0.3),
    ),
    "Caerulina": (
        *_both("wash", "shine", 0.55, start=-0.2, end=0.4),
        *_both("wash", "second", 0.4, start=0.6, end=1.0),
        *_both("border", "dark", 0.9, width=0.05, costa=0.6, soft=0.04),
        *_only("female", *_both("border", "dark", 0.9, width=0.12, costa=0.8, soft=0.1)),
        *_only("female", _hind("spots", "accent", at=0.085, radius=0.05, crescent=0.6)),
        _hind("spots", "dark", at=0.06, radius=0.025),
        _hind("blotch", "accent", depth=0.88, along=0.86, radius=0.036),
        _fore("blotch", "dark", 0.8, depth=0.55, along=0.4, radius=0.02, oblong=2.0),
        *_both("veins", "dark", 0.4, width=0.005),
        *_both("fringe", "pale", 0.95, width=0.020),
    ),
    "Glacialia": (
        *_both("veins", "second", 0.8, width=0.006),
        *_both("wash", "second", 0.3, start=0.6, end=1.1),
        _fore("bars", "dark", 0.9, starts=(0.30, 0.50), width=0.045, reach=0.34, lean=0.0),
        _fore("band", "second", 0.9, at=0.80, width=0.05, wave=0.02),
        _fore("border", "second", 0.9, width=0.06, scallop=0.1, costa=0.1, soft=0.04),
        _hind("band", "second", 0.7, at=0.86, width=0.045, wave=0.04),
        *(_hind("blotch", part, depth=0.60, along=0.17, radius=size)
          for part, size in (("dark", 0.075), ("accent", 0.055), ("pale", 0.018))),
        *(_hind("blotch", part, depth=0.62, along=0.55, radius=size)
          for part, size in (("dark", 0.07), ("accent", 0.05), ("pale", 0.018))),
        _fore("blotch", "dark", 0.9, depth=0.62, along=0.85, radius=0.04),
        _hind("patch", "dark", 0.75, low=-1.0, high=0.75, first=5.6, soft=0.06),
        *_both("basal", "dark", 0.8, reach=0.2),
    ),
}  # fmt: skip
