"""Zips and gzips read in place, within bounds; nothing is ever unpacked under a name of theirs."""

import gzip
import io
import lzma
import re
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from butterflies.errors import UserError

ROOMY = 100 << 20
"""Bytes up to which any file may grow when unpacked."""
FOLD = 200
"""Times its packed size up to which a larger one may; tables shrink some ten-fold."""
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,  # a compression that zipfile does not know
)


class _Guarded(io.RawIOBase):
    """Counts the bytes that come out, as the size that a zip declares may be a lie."""

    def __init__(self, inner: IO[bytes] | gzip.GzipFile, name: str, packed: int) -> None:
        self._inner, self._name, self._packed, self._count = inner, name, packed, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except BROKEN as error:
            raise _damaged(self._name, error) from None
        self._count += len(data)
        check_growth(self._name, self._packed, self._count)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


def check_growth(name: str, packed: int, unpacked: int) -> None:
    """Raises a UserError where `unpacked` bytes are too many to have come of `packed` ones."""
    if unpacked > max(ROOMY, FOLD * packed):
        raise UserError(
            f"{name} unpacks to more than {FOLD} times its size, as no table of records does: "
            "it is not read; unpack it by hand if you trust it."
        )


def _damaged(name: str, error: Exception) -> UserError:
    return UserError(f"{name} cannot be unpacked ({error or 'it ends early'}): fetch it again.")


@contextmanager
def open_file(path: Path, setting: str, expected: str) -> Iterator[BinaryIO]:
    """Opens a file that the user named, through gzip where it is packed so.

    Args:
        path: the file.
        setting: what the user calls it, such as `records`.
        expected: what should lie there, such as `a CSV with a header`.
    """
    check_file(path, setting, expected)
    with path.open("rb") as file:
        if file.peek(2)[:2] != b"\x1f\x8b":
            yield file
            return
        inner = gzip.GzipFile(fileobj=file)
        with io.BufferedReader(_Guarded(inner, str(path), path.stat().st_size)) as unpacked:
            yield unpacked


def check_file(path: Path, setting: str, expected: str) -> None:
    """Raises a UserError unless there is a file that can be read."""
    if path.is_dir():
        raise UserError(f"{setting}={path} is a folder; {expected} is expected.")
    if not path.is_file():
        raise UserError(f"{setting}={path}: there is no such file; {expected} is expected.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise UserError(f"{setting}={path} cannot be read: {error.strerror}.") from None


class Zip:
    """A zip whose members are streams.

    Attributes:
        name: what messages call it.
        members: names of its files, those near the top first.
    """

    def __init__(self, path: Path, name: str, size: int) -> None:
        """Opens `path`, which came out of `size` bytes that the user gave.

        Raises:
            UserError: it is none, or damaged.
        """
        self.name, self._size = name, size
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN:
            raise _no_zip(path, name) from None
        named = [i.filename for i in self._zip.infolist() if i.filename]
        known = [n for n in named if n[-1] != "/" and not n.startswith("__MACOSX/")]
        self.members = sorted(known, key=lambda n: (n.count("/"), n.lower()))

    def __enter__(self) -> "Zip":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._zip.close()

    def find(self, *names: str) -> str | None:
        """The first member with one of these names, in lower case, in whatever folder."""
        return next((m for m in self.members if m.split("/")[-1].lower() in names), None)

    def at(self, place: str) -> str:
        """The member at a place that meta.xml names.

        Raises:
            UserError: there is none.
        """
        wanted = place.lower()
        for member in self.members:
            if member.lower() == wanted:
                return member
        raise UserError(f"{self.name} lacks {place}, which its meta.xml names: fetch it again.")

    def said(self, member: str) -> str:
        return f"{self.name}/{member}"

    def open(self, member: str) -> io.BufferedReader:
        """A member's bytes, as they are unpacked.

        Raises:
            UserError: it is encrypted or damaged, its name leads out of the zip, or it grows
                too much; while reading, too.
        """
        info, said = self._zip.getinfo(member), self.said(member)
        if re.match(r"[/\\]|[A-Za-z]:", member) or ".." in re.split(r"[/\\]", member):
            raise UserError(f"{said}: a name that leads out of the zip is not read.")
        if info.flag_bits & 1:
            raise UserError(f"{said} is encrypted: pack it again without a password.")
        packed = min(info.compress_size, self._size)
        check_growth(said, packed, info.file_size)
        try:
            inner = self._zip.open(info)
        except (*BROKEN, RuntimeError) as error:
            raise _damaged(said, error) from None
        return io.BufferedReader(_Guarded(inner, said, packed), 1 << 17)

    @contextmanager
    def inner(self, member: str, folder: Path) -> Iterator["Zip"]:
        """A zip within this one; it is copied into `folder`, as a zip is not read in order."""
        path = folder / "inner.zip"
        try:
            with self.open(member) as packed, path.open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
            with Zip(path, self.said(member), self._size) as found:
                yield found
        finally:
            path.unlink(missing_ok=True)


def _no_zip(path: Path, name: str) -> UserError:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"PK"):
        return UserError(f"{name} is a zip that was cut short or damaged: fetch it again.")
    return UserError(f"{name} is no zip: a Darwin Core Archive is expected.")
