"""Reads a site's files by the letter of the docstrings of `points` and `chunks`, independently."""

import json
import struct
from pathlib import Path
from typing import Any


def _opened(path: Path, magic: bytes) -> tuple[bytes, int]:
    data = path.read_bytes()
    assert data[:4] == magic
    return data[8:], struct.unpack("<I", data[4:8])[0]


def read_points(path: Path) -> list[tuple[int, int]]:
    data, count = _opened(path, b"BPT1")
    numbers, at = [], 0
    while at < len(data):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        numbers.append(-(value + 1) // 2 if value % 2 else value // 2)
    assert len(numbers) == 2 * count
    sums: list[list[int]] = [[], []]
    for axis in (0, 1):
        total = 0
        for step in numbers[axis * count : (axis + 1) * count]:
            total += step
            sums[axis].append(total)
    return list(zip(*sums, strict=True))


def read_column(path: Path) -> list[int]:
    data, count = _opened(path, b"BCO1")
    width = struct.unpack("<I", data[:4])[0]
    planes = [data[4 + i * count : 4 + (i + 1) * count] for i in range(width)]
    assert len(data) == 4 + width * count
    return [sum(plane[i] << (8 * p) for p, plane in enumerate(planes)) for i in range(count)]


def read_representatives(path: Path) -> list[tuple[int, ...]]:
    """Row, x, y, size and members of each."""
    data, count = _opened(path, b"BRP1")
    assert len(data) == 20 * count
    fields = [
        struct.unpack(f"<{count}{kind}", data[4 * count * i :][: 4 * count])
        for i, kind in enumerate("IiiII")
    ]
    return list(zip(*fields, strict=True))


def read_coverage(path: Path) -> dict[int, set[tuple[int, int]]]:
    data, zooms = _opened(path, b"BCV1")
    tiles, at = {}, 0
    for zoom in range(zooms):
        side = 2**zoom
        bits = range(side * side)
        tiles[zoom] = {(i % side, i // side) for i in bits if data[at + i // 8] >> (i % 8) & 1}
        at += -(-side * side // 8)
    assert at == len(data)
    return tiles


def read_cards(version: Path, listed: dict[str, int]) -> list[dict[str, Any]]:
    """All cards by row, `near` as assetIDs and `called` as names."""
    cards: list[dict[str, Any]] = []
    for name, count in listed.items():
        chunk = json.loads((version / "chunks" / f"{name}.json").read_bytes())
        assert len(chunk["rows"]) == count
        for card in chunk["rows"]:
            similar = [chunk["similar"][i] for i in card["near"]]
            card["near"] = [asset_id for asset_id, _ in similar]
            card["called"] = [chunk["names"][i] for _, i in similar]
            cards.append(card)
    return cards
