"""The cut-outs of a collection on disk: a table, and the pictures in parts.

<collection>/cutouts.parquet            one row per photograph (CUTOUTS)
<collection>/cutouts/part-00000.arrow   Arrow IPC file, uncompressed: assetID, image (WebP)
<collection>/cutouts/part-00000.parquet the rows of that part's photographs
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from butterflies.errors import UserError
from butterflies.files import writing
from butterflies.segmentation.pictures import decode
from butterflies.tables import from_rows, ok_rows, read_table, schema, write_table
from butterflies.tracking.provenance import read_provenance

OPEN_PARTS = 64
"""Parts that stay mapped, so that what has been read does not fill the memory."""

PART = 128
"""Photographs in a part, in the order of their assetIDs."""

CUTOUTS = schema(
    pa.field("specimen", pa.string()),
    pa.field("view", pa.string()),
    pa.field("part", pa.int32()),
    pa.field("row", pa.int32()),
    *(pa.field(f"box_{side}", pa.int32()) for side in ("x", "y", "w", "h")),
    *(pa.field(f"centre_{axis}", pa.float64()) for axis in ("x", "y")),
    pa.field("rotation", pa.float64()),
    pa.field("rotation_confidence", pa.float64()),
    pa.field("scale", pa.float64()),
    pa.field("mm_per_px", pa.float64()),
    pa.field("mm_confidence", pa.float64()),
    pa.field("foreground_share", pa.float64()),
    pa.field("touches_border", pa.bool_()),
    pa.field("components", pa.int32()),
    pa.field("asymmetry", pa.float64()),
    pa.field("solidity", pa.float64()),
    pa.field("confidence", pa.float64()),
    pa.field("damage", pa.float64()),
)
"""All in photograph pixels, after EXIF, origin top left, y down.

`view` is dorsal, ventral or null. `box_*` bounds the mask before it is turned. The photograph's
pixel `centre_*` lies in the middle of the cut-out, which is turned by `rotation` degrees
counter-clockwise on screen and has `scale` pixels per photograph pixel (see `framing.Frame`).
`mm_per_px` is millimetres per photograph pixel. For the other columns see `cutouts`."""

PICTURES = pa.schema([pa.field("assetID", pa.string()), pa.field("image", pa.binary())])
COMMAND = "butterflies cutout"


def write_part(folder: Path, part: int, rows: list[dict[str, Any]], images: list[bytes]) -> None:
    """Writes a part: its pictures first, its rows last, so that rows stand for a whole part.

    Args:
        folder: the cut-outs' folder.
        part: its number.
        rows: of CUTOUTS, without part and row, sorted by assetID.
        images: the pictures of the ok rows, in their order.
    """
    ok = [row for row in rows if row["status"] == "ok"]
    for number, row in enumerate(ok):
        row |= {"part": part, "row": number}
    columns = {"assetID": [row["assetID"] for row in ok], "image": images}
    batch = pa.RecordBatch.from_pydict(columns, schema=PICTURES)
    with (
        writing(part_path(folder, part, "arrow")) as temporary,
        pa.ipc.new_file(temporary, PICTURES) as file,
    ):
        file.write_batch(batch)
    write_table(part_path(folder, part, "parquet"), from_rows(rows, CUTOUTS))


def has_part(folder: Path, part: int) -> bool:
    return all(part_path(folder, part, suffix).is_file() for suffix in ("arrow", "parquet"))


def part_rows(folder: Path, part: int) -> pa.Table:
    return read_table(part_path(folder, part, "parquet"), COMMAND)


def join_parts(folder: Path, parts: Iterable[int], table: Path, fingerprint: str) -> None:
    """Writes the table of all parts, marked with the fingerprint of the pictures it belongs to."""
    rows = pa.concat_tables([CUTOUTS.empty_table(), *(part_rows(folder, part) for part in parts)])
    write_table(table, rows, fingerprint=fingerprint)


def read_cutouts(collection: Path, name: str = "cutouts") -> pa.Table:
    """The table of a collection's cut-outs (CUTOUTS), sorted by assetID.

    Raises:
        UserError: there is none, or it belongs to other pictures than those beside it.
    """
    path = collection / f"{name}.parquet"
    table = read_table(path, COMMAND)
    found = (table.schema.metadata or {}).get(b"fingerprint", b"").decode()
    made = read_provenance(collection / name)
    if made.get("status") != "finished" or made.get("fingerprint") != found:
        raise UserError(f"{path} and {collection / name} do not belong together: run `{COMMAND}`.")
    return table


class StoredPictures:
    """The WebP files of cut-outs, for whoever knows their places: the table is not read.

    Parts are mapped when they are first asked for, at most OPEN_PARTS at a time. What is sent to
    another process is the folder alone.

    Attributes:
        folder: the cut-outs' folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parts: dict[int, pa.Array] = {}

    def __reduce__(self) -> tuple[type["StoredPictures"], tuple[Path]]:
        return StoredPictures, (self.folder,)

    def data(self, part: int, row: int) -> bytes:
        """The file of a cut-out; see `CutoutStore.place`."""
        data: bytes = self._images(part)[row].as_py()
        return data

    def _images(self, part: int) -> pa.Array:
        if part not in self._parts:
            while len(self._parts) >= OPEN_PARTS:
                del self._parts[next(iter(self._parts))]
            source = pa.memory_map(str(part_path(self.folder, part, "arrow")))
            self._parts[part] = pa.ipc.open_file(source).get_batch(0).column("image")
        return self._parts[part]


class CutoutStore:
    """The pictures of a collection's cut-outs, read from the memory-mapped parts.

    Attributes:
        table: the rows of all photographs, see CUTOUTS.
        ids: assetIDs that have a picture, sorted.
        fingerprint: changes when a picture does.
    """

    def __init__(self, collection: Path, name: str = "cutouts") -> None:
        self.folder = collection / name
        self.table = read_cutouts(collection, name)
        self.fingerprint = str(read_provenance(self.folder)["fingerprint"])
        rows = ok_rows(self.table)
        self._pictures = StoredPictures(self.folder)
        self._places = {str(row["assetID"]): (row["part"], row["row"]) for row in rows}
        self.ids = sorted(self._places)

    def __len__(self) -> int:
        return len(self.ids)

    def data(self, asset_id: str) -> bytes:
        """The WebP file of a cut-out."""
        return self._pictures.data(*self._places[asset_id])

    def place(self, asset_id: str) -> tuple[int, int]:
        """The part that holds a cut-out, and its row there."""
        return self._places[asset_id]

    def image(self, asset_id: str) -> npt.NDArray[np.uint8]:
        """The pixels (height, width, 4) of a cut-out, straight alpha."""
        return decode(self.data(asset_id))


def part_path(folder: Path, part: int, suffix: str) -> Path:
    """Where a part of the cut-outs in `folder` lies: its pictures (arrow) or rows (parquet)."""
    return folder / f"part-{part:05d}.{suffix}"
