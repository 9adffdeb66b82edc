"""The settings of a rendering, and what they may be."""

from dataclasses import dataclass, field

from PIL import ImageColor

from butterflies.errors import UserError
from butterflies.rendering.encode import Encoder
from butterflies.rendering.layout import REPRESENTATIVES, SPREADS
from butterflies.rendering.site import SiteSettings, check
from butterflies.rendering.sprites import Shadow
from butterflies.rendering.tilefiles import Colour


@dataclass
class RenderSettings:
    """Settings of a rendering."""

    map: str | None = None
    """The folder of an embedding."""
    collection: str | None = None
    """The collection, where it is no longer at the place the embedding knows."""
    picture_px: int = 128
    """Width of a picture at the deepest zoom, an even number."""
    tile_px: int = 512
    """Width of a tile, a power of two."""
    spread: str = "discs"
    """How pictures are moved apart: discs (as little as need be), grid (to cells without gaps) or
    none (they overlap)."""
    representatives: str = "even"
    """How large specimens are drawn that stand for others: even, or by their members."""
    format: str = "webp"
    """Of the tiles: webp, jpg or png."""
    quality: int = 80
    """Of the tiles, 1 to 100."""
    background: str = "white"
    """Colour of the tiles where nothing lies: a name of CSS, or #rrggbb."""
    shadow: Shadow = field(default_factory=Shadow)
    """Of the pictures; lengths are over a picture's width."""
    crisp: bool = True
    """Whether there is one more zoom, on which the stored cut-outs are drawn as they are."""
    block_px: int = 4096
    """Width of what a process draws at a time, which bounds its memory."""
    add_to: str | None = None
    """An earlier rendering whose tiles are taken over where they look the same."""
    site: SiteSettings = field(default_factory=SiteSettings)
    """How the page presents the map."""
    out: str | None = None
    force: bool = False
    seed: int = 0
    workers: int = 0
    """Processes, 0 = one a core."""


def checked(settings: RenderSettings) -> Encoder:
    """The encoder of the tiles.

    Raises:
        UserError: a setting is none of its choices.
    """
    if not settings.map:
        raise UserError("map= is missing: give the folder that `python embed.py` wrote.")
    encoder = Encoder(settings.format, settings.quality)
    encoder.check()
    check(settings.site)
    if settings.picture_px % 2 or not 16 <= settings.picture_px <= 1024:
        raise UserError(f"picture_px={settings.picture_px} is no even number from 16 to 1024.")
    if settings.tile_px not in (128, 256, 512, 1024, 2048):
        raise UserError(f"tile_px={settings.tile_px} is none of 128, 256, 512, 1024, 2048.")
    if not settings.tile_px <= settings.block_px <= 32_768:
        raise UserError(f"block_px={settings.block_px} is not between tile_px= and 32,768.")
    if settings.spread not in SPREADS:
        raise UserError(f"spread={settings.spread} is none of {', '.join(SPREADS)}.")
    if settings.representatives not in REPRESENTATIVES:
        choices = ", ".join(REPRESENTATIVES)
        raise UserError(f"representatives={settings.representatives} is none of {choices}.")
    colour(settings.background)
    _check_shadow(settings.shadow)
    return encoder


def _check_shadow(shadow: Shadow) -> None:
    bounds = {"radius": (0, 0.5), "strength": (0, 0.63), "offset": (0, 0.5)}
    for name, (low, high) in bounds.items():
        value = getattr(shadow, name)
        if not low <= value <= high:  # nor is a NaN
            raise UserError(f"shadow.{name}={value} is not between {low} and {high}.")


def colour(name: str) -> Colour:
    """Red, green and blue of a name of CSS or of #rrggbb.

    Raises:
        UserError: it is no colour.
    """
    try:
        red, green, blue, *alpha = ImageColor.getrgb(name)
    except ValueError:
        alpha = [0]
    if alpha:
        raise UserError(f"background={name} is no colour: give a name such as white, or #rrggbb.")
    return red, green, blue
