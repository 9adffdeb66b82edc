import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from butterflies.rendering.cards import card
from butterflies.rendering.chunks import MAX_BYTES, MAX_ROWS, Cell, Specimens, chunks
from butterflies.rendering.points import morton

BITS = 12


def specimens(count: int, records: dict[int, dict[str, Any]] | None = None) -> Specimens:
    rng = np.random.default_rng(count)
    spots = np.unique(rng.normal(1500, 300, (2, count)).astype(int) % 2**BITS, axis=1)
    keys = np.sort(morton(*spots))
    n = len(keys)
    cards = [card({"assetID": f"a{i}", **(records or {}).get(i, {})}) for i in range(n)]
    near = (np.arange(n)[:, None] + 1) % n
    return Specimens(keys, BITS, between(cards), ids(n), [f"n{i % 9}" for i in range(n)], near)


def ids(n: int) -> list[str]:
    return [f"a{i}" for i in range(n)]


def between(cards: list[dict[str, Any]]) -> Callable[[int, int], list[dict[str, Any]]]:
    return lambda start, end: cards[start:end]


def test_every_specimen_lies_in_one_chunk_and_in_its_quarter() -> None:
    made = specimens(5000)
    row = 0
    for cell, data in chunks(made):
        assert cell.start == row
        row = cell.end
        assert 0 < cell.end - cell.start <= MAX_ROWS
        chunk = json.loads(data)
        assert [c["assetID"] for c in chunk["rows"]] == [f"a{i}" for i in range(cell.start, row)]
        [near] = chunk["rows"][0]["near"]
        other = (cell.start + 1) % len(made.keys)
        assert chunk["similar"][near] == [f"a{other}", chunk["names"].index(f"n{other % 9}")]
        depth = len(cell.quadkey)
        for key in made.keys[cell.start : cell.end]:
            assert np.base_repr(int(key), 4).zfill(BITS)[:depth] == cell.quadkey
    assert row == len(made.keys)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.integers(0, 4**BITS - 1), max_size=700),
    st.integers(0, 3),
    st.integers(0, 2**32 - 1),
)
def test_whatever_lies_where_chunks_hold_each_row_once_and_are_small(
    keys: set[int], crowds: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    for _ in range(crowds):  # more than a chunk holds within a small cell
        start = int(random.integers(4**BITS - 512))
        keys |= set(range(start, start + int(random.integers(512))))
    ordered = np.array(sorted(keys), np.uint64)
    n = len(ordered)
    said = [{"assetID": f"a{i}", "locality": "x" * int(random.integers(900))} for i in range(n)]
    near = np.zeros((n, 0), int)
    made = Specimens(ordered, BITS, between(said), ids(n), ["n"] * n, near)
    row = 0
    for cell, data in chunks(made):
        assert cell.start == row
        row = cell.end
        assert row - cell.start <= MAX_ROWS
        assert len(gzip.compress(data, 9)) <= MAX_BYTES
        written = json.loads(data)
        assert [c["assetID"] for c in written["rows"]] == [f"a{i}" for i in range(cell.start, row)]
    assert row == n


def test_no_chunk_is_over_64_kb_however_wordy_its_records() -> None:
    rng = random.Random(0)
    signs = [chr(c) for c in (*range(0x4E00, 0x9000), *range(0x1F300, 0x1F600))]
    wordy = {
        i: {
            f"{k}": "".join(rng.choices(signs, k=1200)) for k in ("locality", "project", *range(30))
        }
        for i in range(60)
    }
    for cell, data in chunks(specimens(100, wordy)):
        assert len(gzip.compress(data, 9)) <= MAX_BYTES
        assert cell.end > cell.start


def test_a_map_without_specimens_has_one_empty_chunk() -> None:
    nobody = Specimens(np.zeros(0, np.uint64), BITS, between([]), [], [], np.zeros((0, 0), int))
    [(cell, data)] = chunks(nobody)
    assert cell == Cell("", 0, 0)
    assert json.loads(data)["rows"] == []


def test_too_much_at_one_place_is_refused() -> None:
    count = MAX_ROWS + 1
    keys, near = np.full(count, 7, np.uint64), np.zeros((count, 0), int)
    same = Specimens(keys, BITS, between([{}] * count), ids(count), ["n"] * count, near)
    with pytest.raises(ValueError, match="one place"):
        list(chunks(same))
