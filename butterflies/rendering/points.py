"""A map's specimens as numbers that a browser reads at once: positions, columns, coverage.

A specimen's *row* is its place in Morton order (Morton, 1966: the bits of x and y interleaved,
x first), so that every tile, and every chunk of records, is one run of rows. All numbers are
little-endian; magic words are ASCII.

`points.bin`, the centres of all pictures in world units:

    0  4 bytes  magic "BPT1"
    4  uint32   n
    8  n varints: x of each row less x of the row before it (0 before the first)
    .. n varints: the same of y

A varint is a whole number d written as z = 2 d for d >= 0, -2 d - 1 else, seven bits of z a byte,
low bits first, the top bit set on all bytes but the last.

`columns/<name>.bin`, one field of all specimens:

    0  4 bytes  magic "BCO1"
    4  uint32   n
    8  uint32   w, 1 or 2
    12 n bytes  low byte of each row's code; then, when w = 2, n bytes with the high bytes

Code 0 is unknown, code k > 0 the k-th value of that column in `names.json`, which is
{column: [[value, count], ...]}, the most frequent first.

`representatives/<z>.bin`, the pictures drawn above the base layer at tile zoom z:

    0  4 bytes  magic "BRP1"
    4  uint32   n
    8  n uint32 rows; n int32 x; n int32 y (centres, world units); n uint32 width of the picture in
       pixels of zoom z; n uint32 members it stands for

`coverage.bin`, the tiles there are, from zoom 0 on:

    0  4 bytes  magic "BCV1"
    4  uint32   zooms
    8  for each zoom z ceil(4**z / 8) bytes: bit i, low bits first, is tile x = i mod 2**z,
       y = i div 2**z
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer[Any]]


def morton(x: Ints, y: Ints) -> npt.NDArray[np.uint64]:
    """Morton keys of points with 0 <= x, y < 2**32; the bits of x are the even ones."""
    keys: npt.NDArray[np.uint64] = _parted(x) | (_parted(y) << np.uint64(1))
    return keys


def _parted(values: Ints) -> npt.NDArray[np.uint64]:
    """A zero bit before each of the lower 32 bits."""
    bits = values.astype(np.uint64)
    masks = (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    )
    for shift, mask in masks:
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits


def points_file(x: Ints, y: Ints) -> bytes:
    """`points.bin` of centres in Morton order, in world units."""
    return (
        _head(b"BPT1", len(x)) + _varints(np.diff(x, prepend=0)) + _varints(np.diff(y, prepend=0))
    )


def _varints(steps: Ints) -> bytes:
    zigzag = steps.astype(np.int64)
    left = np.where(zigzag >= 0, 2 * zigzag, -2 * zigzag - 1)
    lengths = np.maximum(1, -(-np.frexp(left.astype(np.float64))[1] // 7))
    starts = np.cumsum(lengths) - lengths
    written = np.zeros(int(lengths.sum()), dtype=np.uint8)
    for byte in range(int(lengths.max(initial=0))):
        there = lengths > byte
        more = np.where(lengths[there] > byte + 1, 128, 0)
        written[starts[there] + byte] = ((left[there] >> (7 * byte)) & 127) | more
    return written.tobytes()


def column_file(values: Sequence[str | None]) -> tuple[bytes, list[tuple[str, int]]]:
    """`columns/<name>.bin` of one field, and its values with their counts.

    Raises:
        ValueError: more than 65,535 different values.
    """
    counts = Counter(value for value in values if value)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) > 65535:
        raise ValueError(f"{len(ranked)} different values do not fit into two bytes")
    codes = {value: code for code, (value, _) in enumerate(ranked, 1)}
    coded = np.array([codes.get(value or "", 0) for value in values], dtype=np.uint16)
    width = 1 if len(ranked) < 256 else 2
    low, high = (coded & 255).astype(np.uint8).tobytes(), (coded >> 8).astype(np.uint8).tobytes()
    head = _head(b"BCO1", len(coded)) + np.uint32(width).tobytes()
    return head + low + (high if width == 2 else b""), ranked


def representatives_file(drawn: Sequence[Mapping[str, Any]], rows: Mapping[str, int]) -> bytes:
    """`representatives/<z>.bin` of one zoom's rows of the representatives table."""
    fields = [np.array([rows[one["assetID"]] for one in drawn], dtype="<u4")]
    for name, kind in (("place_x", "<i4"), ("place_y", "<i4"), ("size_px", "<u4")):
        fields.append(np.array([one[name] for one in drawn], dtype=kind))
    fields.append(np.array([one["members"] for one in drawn], dtype="<u4"))
    return _head(b"BRP1", len(drawn)) + b"".join(field.tobytes() for field in fields)


def coverage_file(tiles: Mapping[int, Collection[tuple[int, int]]]) -> bytes:
    """`coverage.bin` of {zoom: {(x, y), ...}}."""
    zooms = max(tiles, default=-1) + 1
    maps = [_bitmap(zoom, tiles.get(zoom, ())) for zoom in range(zooms)]
    return _head(b"BCV1", zooms) + b"".join(maps)


def _bitmap(zoom: int, there: Collection[tuple[int, int]]) -> bytes:
    bits = np.zeros(4**zoom, dtype=np.uint8)
    for x, y in there:
        bits[y * 2**zoom + x] = 1
    return np.packbits(bits, bitorder="little").tobytes()


def _head(magic: bytes, count: int) -> bytes:
    return magic + np.array([count], dtype="<u4").tobytes()
