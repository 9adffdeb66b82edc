"""An earlier rendering, whose tiles a new one takes over where nothing has changed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial import cKDTree

from butterflies.errors import UserError
from butterflies.files import read_json
from butterflies.rendering.archive import NAME
from butterflies.rendering.pyramid import LOOK, Pyramid
from butterflies.rendering.spritefiles import Known, Sprites
from butterflies.rendering.tilefiles import Earlier
from butterflies.rendering.versions import EarlierVersion
from butterflies.tables import ok_rows, read_table, write_table
from butterflies.tracking.provenance import read_provenance

SEEN = "seen.parquet"
COMMAND = "python render.py"


@dataclass(frozen=True)
class Rendering:
    """A finished rendering.

    Attributes:
        folder: that holds its tables, `blocks/` and `site/`.
        fingerprint: of it.
        embedding: fingerprint of the embedding that it shows.
    """

    folder: Path
    fingerprint: str
    embedding: str

    @property
    def blocks(self) -> Path:
        return self.folder / "blocks"

    @cached_property
    def _seen(self) -> pa.Table | None:
        path = self.blocks / SEEN
        return read_table(path, COMMAND) if path.is_file() else None

    def known(self, px: int) -> Known:
        """The specimens that it has measured at this width."""
        table = self._seen
        if table is None or (table.schema.metadata or {}).get(b"px") != str(px).encode():
            return {}
        rows = zip(*(table[name].to_pylist() for name in ("assetID", "mark", "room")), strict=True)
        return {asset_id: (mark, room) for asset_id, mark, room in rows}

    @property
    def version(self) -> Path:
        """The folder of its site's version."""
        return self.folder / "site" / f"v-{self.fingerprint}"

    def version_for(self, seen: pa.Table) -> EarlierVersion:
        """Its site's version, and what of the specimens `seen` is still as it was."""
        before, same = self._seen, []
        for name in ("mark", "photo"):
            known = _by_id(before, name) if before else {}
            now = _by_id(seen, name).items()
            same.append({i for i, value in now if value is not None and known.get(i) == value})
        return EarlierVersion(self.version, *same)

    @cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """AssetID -> centre of the picture in world units."""
        rows = ok_rows(read_table(self.folder / "places.parquet", COMMAND))
        return {row["assetID"]: (row["place_x"], row["place_y"]) for row in rows}

    @cached_property
    def representatives(self) -> pa.Table:
        return read_table(self.folder / "representatives.parquet", COMMAND)

    @cached_property
    def zoom(self) -> int:
        """Z, the zoom whose pixel is the world unit."""
        return int(read_json(self.folder / "site" / "map.json")["zoom"])

    def check(self, picture_px: int, tile_px: int) -> None:
        """Raises UserError where its pictures or tiles have another width."""
        shown = read_json(self.folder / "site" / "map.json")
        for name, wanted in (("picture_px", picture_px), ("tile_px", tile_px)):
            if shown[name] != wanted:
                raise UserError(
                    f"{self.folder} was rendered with {name}={shown[name]}, not {wanted}: "
                    f"give {name}={shown[name]} to add to it."
                )

    def tiles_for(self, pyramid: Pyramid) -> Earlier | None:
        """Its tiles, where they look as those of a pyramid would."""
        look = self.blocks / LOOK
        if not look.is_file() or read_json(look) != pyramid.look:
            return None
        archive = self.version / NAME
        return Earlier(archive if archive.is_file() else self.version / "tiles", self.blocks)


def kept_representatives(
    before: pa.Table, known: Collection[str], ids: Sequence[str], places: npt.NDArray[np.int32]
) -> pa.Table:
    """The representatives of a map that has grown: the same, where they were.

    Were they chosen anew, every tile of the middle zooms would have to be drawn again, and the
    map's readers would not find their way. A new specimen counts among the members of the nearest.

    Args:
        before: representatives.parquet of the map before.
        known: assetIDs that were on that map.
        ids: assetIDs (n,) that are on the map now.
        places: (n, 2) centres in world units.
    """
    there = set(ids)
    table = before.filter(pa.array([i in there for i in before["assetID"].to_pylist()], pa.bool_()))
    new = places[[asset_id not in known for asset_id in ids]]
    zooms = np.array(table["zoom"])
    members = table["members"].to_numpy().copy()
    drawn = np.stack([np.array(table["place_x"]), np.array(table["place_y"])], axis=1)
    for zoom in np.unique(zooms):
        rows = np.flatnonzero(zooms == zoom)
        _, nearest = cKDTree(drawn[rows]).query(new)
        members[rows] += np.bincount(nearest, minlength=len(rows)).astype(members.dtype)
    column = table.column_names.index("members")
    return table.set_column(column, table.schema.field("members"), pa.array(members))


def open_rendering(folder: Path) -> Rendering:
    """A finished rendering.

    Raises:
        UserError: it is none.
    """
    made = read_provenance(folder)
    if made.get("job") != "render" or made.get("status") != "finished":
        raise UserError(
            f"{folder} holds no finished rendering: add_to= takes a folder that `{COMMAND}` wrote."
        )
    embedding = made.get("inputs", {}).get("embedding", "")
    return Rendering(folder.absolute(), str(made["fingerprint"]), str(embedding))


def remember(blocks: Path, ids: Sequence[str], sprites: Sprites, records: pa.Table) -> pa.Table:
    """Writes down what of the specimens a later rendering need not make or measure again.

    Returns:
        assetID; mark, a hash of its cut-out; room, the diameter kept free for it, in px; photo, the
        sha256 of its photograph, null where that is not known.
    """
    named = pa.array(ids, pa.string())
    rows = pc.index_in(named, records["assetID"].combine_chunks())
    unknown = pa.nulls(len(ids), pa.string())
    columns = {
        "assetID": named,
        "mark": pa.array(sprites.rows["mark"], pa.uint64()),
        "room": pa.array(sprites.rows["room"]),
        "photo": records["sha256"].take(rows) if "sha256" in records.column_names else unknown,
    }
    seen = pa.table(columns)
    write_table(blocks / SEEN, seen, px=str(sprites.px))
    return seen


def _by_id(table: pa.Table, column: str) -> dict[str, Any]:
    return dict(zip(table["assetID"].to_pylist(), table[column].to_pylist(), strict=True))
