"""Codes and places that come ready made: files of the user's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from butterflies.collection.sources.csvfile import read_csv
from butterflies.errors import UserError
from butterflies.tables import read_table
from butterflies.tracking.console import say

Codes = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

CODES = "a .npy file with ids=FILE, or a Parquet table with assetID and code, is expected"


def read_vectors(path: Path, ids: Path | None) -> tuple[list[str], Codes]:
    """AssetIDs and codes (n, d) of a file.

    Args:
        path: a Parquet table with assetID and code, such as `codes.parquet`, or a .npy file (n, d).
        ids: beside a .npy file a text with an assetID a line, in the order of its rows.

    Raises:
        UserError: there are no such files, they do not belong together, or a number is none.
    """
    if path.suffix == ".npy":
        if ids is None:
            raise UserError(f"codes={path} has no assetIDs: give ids=FILE, an assetID a line.")
        names, codes = _lines(ids), _array(path)
        if len(names) != len(codes):
            raise UserError(
                f"{path} has {len(codes):,} codes and {ids} {len(names):,} assetIDs: "
                "one for each is expected, in the same order."
            )
    elif ids is not None:
        raise UserError(f"ids= goes with a .npy file of codes; codes={path} tells its own.")
    else:
        names, codes = _table(path)
    check_vectors(names, codes, str(path))
    return names, codes


def read_positions(path: Path) -> tuple[list[str], Numbers]:
    """AssetIDs and places (n, 2) of a CSV with the columns assetID, x and y.

    Raises:
        UserError: there is no such file, a column is missing, or a number is none.
    """
    if not path.is_file():
        raise UserError(f"positions={path} does not exist: a CSV of assetID, x, y is expected.")
    rows, said = read_csv(path)
    for sentence in said:
        say(sentence)
    missing = [name for name in ("assetID", "x", "y") if name not in rows[0]]
    if missing:
        raise UserError(f"{path} lacks the column {missing[0]}: assetID, x and y are expected.")
    names = [(row["assetID"] or "").strip() for row in rows]
    places = np.array([[_number(row[axis]) for axis in ("x", "y")] for row in rows])
    check_vectors(names, places, str(path))
    return names, places


def check_vectors(names: Sequence[str], vectors: npt.NDArray[np.floating], where: str) -> None:
    """Raises a UserError where there is none, an assetID stands twice, or a number is none."""
    if not vectors.size:
        raise UserError(f"{where} is empty: a row for each specimen is expected.")
    seen: set[str] = set()
    for row, name in enumerate(names, 1):
        if not name or name in seen:
            what = f"{name} stands there twice" if name else "there is no assetID"
            raise UserError(f"{where}, row {row}: {what}; each assetID is expected once.")
        seen.add(name)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise UserError(
            f"{where}: {len(bad):,} of {len(vectors):,} rows hold something that is no finite "
            f"number, the first that of {names[bad[0]]}."
        )


def matched(names: Sequence[str], wanted: Sequence[str], where: str) -> npt.NDArray[np.int64]:
    """The row of each wanted assetID, -1 where it has none.

    Raises:
        UserError: none of them has one.
    """
    row = {name: number for number, name in enumerate(names)}
    rows = np.array([row.get(asset_id, -1) for asset_id in wanted], np.int64)
    if not (rows >= 0).any():
        raise UserError(
            f"None of the {len(names):,} assetIDs of {where}, such as {names[0]}, is a cut-out of "
            f"the collection, whose are such as {wanted[0]}."
        )
    if strange := len(names) - int((rows >= 0).sum()):
        say(f"{strange:,} assetIDs of {where} are no cut-outs of the collection: left out.")
    return rows


def lacking(table: pa.Table, ids: Sequence[str], reason: str) -> pa.Table:
    """assetID, status and reason of a table, in which the ok rows of no `ids` are missing."""
    found = pc.is_in(table["assetID"], pa.array(ids, pa.string()))
    lost = pc.and_(pc.equal(table["status"], "ok"), pc.invert(found))
    columns = {
        "assetID": table["assetID"],
        "status": pc.if_else(lost, "missing", table["status"]),
        "reason": pc.if_else(lost, reason, table["reason"]),
    }
    return pa.table(columns)


def _lines(path: Path) -> list[str]:
    try:
        names = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError):
        raise UserError(f"ids={path} is no readable text: an assetID a line is expected.") from None
    names = [name.strip() for name in names]
    while names and not names[-1]:
        names.pop()
    return names[1:] if names[:1] == ["assetID"] else names


def _array(path: Path) -> Codes:
    try:
        codes = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise UserError(f"codes={path} is no readable array: {CODES}.") from None
    if codes.ndim != 2 or codes.dtype.kind not in "fiu":
        shape = " x ".join(map(str, codes.shape))
        raise UserError(f"codes={path} is {shape} {codes.dtype}: numbers (n, d) are expected.")
    return np.asarray(codes, np.float32)


def _table(path: Path) -> tuple[list[str], Codes]:
    table = read_table(path, "python embed.py")
    if not {"assetID", "code"} <= set(table.column_names):
        raise UserError(f"codes={path} lacks assetID or code: {CODES}.")
    if "status" in table.column_names:
        table = table.filter(pc.equal(table["status"], "ok"))
    rows = table["code"].to_pylist()
    sizes = {len(row) if isinstance(row, list) else 0 for row in rows}
    if len(sizes) > 1 or 0 in sizes:
        raise UserError(f"codes={path}: lists of numbers of one length are expected in code.")
    return table["assetID"].to_pylist(), np.array(rows, np.float32).reshape(len(rows), -1)


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")
