"""The image server of the test portal (portal 1.9): small but real pictures."""

import hashlib
import io
import re
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from PIL import Image, ImageDraw

from tests.portal_http import Answer, Asked, Record, as_json, redirect

PREVIEW, THUMBNAIL, LARGEST = 96, 48, 144
"""Widths of the two derivatives, and the longer side of an original, pixels."""
BASE_TIME = 1_760_000_000
IIIF = re.compile(r"full/(?:(max)|!(\d+),(\d+)|(\d*),(\d*))/0/default\.jpg")
Size = tuple[int, int]


def hex_of(asset: str) -> str:
    """The 40 hex digits by which the old host knew an asset."""
    return hashlib.sha1(asset.encode()).hexdigest()


def original_size(media: Record) -> Size:
    """Width and height of a stored picture: as its entry says, but never above `LARGEST`."""
    wide, high = (int(media.get(f"Pixel{axis}Dimension", 96)) for axis in "XY")
    scale = min(1.0, LARGEST / max(wide, high))
    return max(1, round(wide * scale)), max(1, round(high * scale))


@lru_cache(maxsize=20_000)
def draw(asset: str, original: Size, size: Size, form: str = "JPEG") -> bytes:
    """A winged thing whose colours and spots are those of its asset alone."""
    digest = hashlib.sha256(asset.encode()).digest()
    image = Image.new("RGB", original, (225, 222, 214))
    pen, (wide, high) = ImageDraw.Draw(image), original
    for left in (0.05, 0.5):
        box = (wide * left, high * 0.15, wide * (left + 0.45), high * 0.85)
        pen.ellipse(box, fill=(digest[0] // 2, digest[1] // 2, digest[2] // 2))
    for i in range(8):
        x, y = wide * (0.12 + 0.1 * i), high * (0.35 + 0.03 * (i % 3))
        pen.rectangle((x, y, x + wide * 0.05, y + high * 0.2), fill=(*digest[3 + 3 * i :][:3],))
    if size != original:
        image = image.resize(size)
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def shrunk(original: Size, width: int) -> Size:
    """1.9 [S]: width = min(original, width)."""
    wide, high = original
    return (wide, high) if wide <= width else (width, max(1, round(high * width / wide)))


def picture(asset: str, media: Record) -> bytes:
    """What `/preview` sends."""
    original = original_size(media)
    return draw(asset, original, shrunk(original, PREVIEW))


def media_answer(asked: Asked, rest: str) -> Answer:
    """Answers a path below `/media/`."""
    if asked.request.method != "GET":
        # 1.9 [E]: HEAD -> 405 with JSON
        return as_json({"detail": "Method Not Allowed"}, 405, Allow="GET")
    if old := re.fullmatch(r"mam/([0-9a-f]{40})", rest):
        return _from_old(asked, old[1])
    asset, _, wish = rest.partition("/")
    media = asked.portal.media(asset)
    if media is None:
        # 1.9 [S]: withheld ones as well
        return _error(404, f"Image {asset} not found in profile mss")
    return _conditional(asked, asset, _found(asked, asset, media, wish or "preview"))


def _error(status: int, message: str) -> Answer:
    return as_json({"error": message}, status)


def _from_old(asked: Asked, old: str) -> Answer:
    for asset in asked.portal.assets():
        if hex_of(asset) == old:  # 1.9 [S]: 307 to /<uuid>
            return redirect(f"{asked.portal.url}/media/{asset}")
    return _error(404, f"Image {old} not found in profile mss")


def _found(asked: Asked, asset: str, media: Record, wish: str) -> Answer:
    original = original_size(media)
    if wish == "original":
        return _original(asset, media, original)
    if wish == "info.json":
        return as_json(_info(asked, asset, media, original))
    if wish in ("preview", "thumbnail"):
        size = shrunk(original, PREVIEW if wish == "preview" else THUMBNAIL)
    elif match := IIIF.fullmatch(wish):
        size = _iiif_size(match, original)
    else:
        return _error(400, f"Invalid IIIF parameter in {wish}")
    if size[0] > original[0] or size[1] > original[1] or not all(size):
        return _error(400, f"Invalid size {wish}: upscaling is refused")  # 1.9 [S]
    return _sent(draw(asset, original, size), "image/jpeg")


def _sent(body: bytes, kind: str) -> Answer:
    # 1.9: max-age is there; 12 h is how long the server keeps a converted file
    return Answer(200, body, kind, {"Cache-Control": "max-age=43200"})


def _original(asset: str, media: Record, size: Size) -> Answer:
    """1.9 [S]: the stored file as it is."""
    kind = media.get("format", "image/jpeg")
    form, ending = ("TIFF", "tif") if kind == "image/tiff" else ("JPEG", "jpg")
    answer = _sent(draw(asset, size, size, form), kind)
    name = f"{media.get('title', asset)}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _info(asked: Asked, asset: str, media: Record, original: Size) -> Record:
    sizes = [shrunk(original, width) for width in (THUMBNAIL, PREVIEW)]
    return {
        "@context": "http://iiif.io/api/image/3/context.json",
        "type": "ImageService3",
        "id": f"{asked.portal.url}/media/{asset}",
        "profile": "level2",
        "width": original[0],
        "height": original[1],
        "maxWidth": LARGEST,
        "sizes": [{"width": wide, "height": high} for wide, high in sizes],
        "rights": media.get("license", ""),
    }


def _iiif_size(match: re.Match[str], original: Size) -> Size:
    whole, box_wide, box_high, width, height = match.groups()
    if whole:
        return original
    if box_wide:
        scale = min(int(box_wide) / original[0], int(box_high) / original[1])
        return max(1, round(original[0] * scale)), max(1, round(original[1] * scale))
    wide, high = int(width or 0), int(height or 0)
    if wide and not high:
        return wide, max(1, round(original[1] * wide / original[0]))
    if high and not wide:
        return max(1, round(original[0] * high / original[1])), high
    return wide, high


def _conditional(asked: Asked, asset: str, answer: Answer) -> Answer:
    """1.9 [E]: an unquoted ETag and a Last-Modified, both of the server's temporary file."""
    if answer.status != 200:
        return answer
    tag = hashlib.md5(answer.body).hexdigest()
    when = BASE_TIME + int(hex_of(asset)[:5], 16)
    answer.headers |= {"ETag": tag, "Last-Modified": formatdate(when, usegmt=True)}
    # 1.9 names no conditional requests: only on demand
    if asked.portal.conditional and _unchanged(asked.request.headers, tag, when):
        return Answer(304, headers=answer.headers)
    return answer


def _unchanged(headers: dict[str, str], tag: str, when: int) -> bool:
    if known := headers.get("if-none-match"):
        return tag in known.replace('"', "").split(", ")
    try:
        return parsedate_to_datetime(headers["if-modified-since"]).timestamp() >= when
    except (KeyError, ValueError):
        return False
