"""Files that appear whole or not at all, and locks that say who holds them."""

import csv
import hashlib
import io
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from butterflies.errors import UserError


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path` and renames it to `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not tell it
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    with writing(path) as temporary:
        temporary.write_bytes(data)


def link(source: Path, target: Path) -> bool:
    """Gives a file another name, or copies it where that cannot be; False when it is not there.

    Only for files that are never changed in place, so that two names of one file do no harm.
    """
    try:
        with writing(target) as temporary:
            try:
                os.link(source, temporary)
            except FileNotFoundError:
                raise
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, temporary)
    except FileNotFoundError:
        return False
    return True


def take_or_write(path: Path, data: bytes, like: Path | None) -> bool:
    """Writes `data`, or links `path` to the file `like` if that holds it; True when linked."""
    same = like is not None and like.is_file() and like.read_bytes() == data
    if like is not None and same and link(like, path):
        return True
    write_bytes(path, data)
    return False


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a CSV with a header; keys of `rows` that are no column are left out."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path: Path, value: Any) -> None:
    """Writes readable UTF-8 JSON; keys keep their order."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def sha256(path: Path) -> str:
    """Hex digest of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def swap_in(new: Path, old: Path) -> None:
    """Puts the folder `new` in the place of the folder `old`, which is deleted."""
    retired = old.with_name(f".{old.name}.retired")
    shutil.rmtree(retired, ignore_errors=True)
    if old.exists():
        old.rename(retired)
    new.rename(old)
    shutil.rmtree(retired, ignore_errors=True)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Holds the output `path` for this process through a file `.<name>.lock` beside it.

    Raises:
        UserError: another living process holds it; the sentence names it.
    """
    file = path.with_name(f".{path.name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    mine = {"pid": os.getpid(), "host": socket.gethostname()}
    if _take(file, mine):
        try:
            yield
        finally:
            file.unlink(missing_ok=True)
    else:
        yield


def _take(file: Path, mine: dict[str, Any]) -> bool:
    """True when taken anew, False when this very process holds it already."""
    while True:
        try:
            _create(file, json.dumps(mine))
            return True
        except FileExistsError:
            holder = _holder(file)
        if holder == mine:
            return False
        if holder and _alive(holder):
            raise UserError(
                f"{file.parent / file.name[1:-5]} is being written by process {holder['pid']} on "
                f"{holder['host']}: wait for it, or stop it; if it is gone, delete {file}."
            )
        file.unlink(missing_ok=True)


def _create(file: Path, text: str) -> None:
    """Creates a file that is never seen half written; FileExistsError if there is one."""
    whole = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        whole.write_text(text)
        os.link(whole, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, as on many USB disks
        with file.open("x") as created:
            created.write(text)
    finally:
        whole.unlink(missing_ok=True)


def _holder(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"pid", "host"} <= set(found) else None


def _alive(holder: dict[str, Any]) -> bool:
    """A process of another host counts as alive: it cannot be asked."""
    if holder["host"] != socket.gethostname():
        return True
    try:
        os.kill(int(holder["pid"]), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
