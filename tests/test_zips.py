import gzip
import io
import random
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from butterflies.collection.sources import zips
from butterflies.collection.sources.csvfile import read_csv
from butterflies.errors import UserError
from tests.archives import DWC, MEDIA, addresses, meta, portal_members, read, sheet, zipped

GOOD = zipped(portal_members())
CORE = sheet("core", DWC + "Occurrence", "o.csv", ["", DWC + "associatedMedia"])
ROW = "id,m\n1,https://a.example/1\n"


def refused(members: dict[str, str | bytes] | bytes, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        read(members)
    assert "\n" not in str(caught.value)
    assert not Path("work").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is no zip"),
        (b"<html>503</html>", "is no zip"),
        (GOOD[: len(GOOD) // 2], "cut short or damaged"),
        (zipped({"readme.txt": "-"}), "neither meta.xml nor occurrence.csv"),
        (zipped({"resource.zip": GOOD[:100]}), "a.zip/resource.zip is a zip that was cut short"),
        (zipped({"a.zip": zipped({"b.zip": GOOD})}), "holds zips again"),
    ],
)
def test_what_is_no_archive_is_refused(data: bytes, said: str) -> None:
    refused(data, said)


def test_a_changed_byte_is_noticed() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("occurrence.csv", "id,associatedMedia\n1,https://a.example/1\n")
    refused(made.getvalue().replace(b"example/1", b"example/2"), "cannot be unpacked.*CRC")


def test_a_member_without_a_name_is_passed_over() -> None:
    assert len(read(GOOD.replace(b"eml.xml", b"\0ml.xml"))[0].records) == 2


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(zipped({"occurrence.csv": ROW}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    refused(bytes(data), "occurrence.csv is encrypted")


@pytest.mark.parametrize("name", ["/occurrence.csv", "../../occurrence.csv", "C:/occurrence.csv"])
def test_names_that_lead_out_of_the_zip_are_not_read(name: str) -> None:
    refused({name: ROW}, "leads out of the zip")
    assert not Path("../../occurrence.csv").exists()


@pytest.mark.parametrize("name", ["occurrence.csv", "resource.zip"])
def test_a_zip_bomb_is_refused_by_what_it_declares(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "ROOMY", 10_000)
    bomb = zipped({name: b"id,associatedMedia\n" + b"0" * 5_000_000})
    assert len(bomb) < 10_000
    refused(bomb, "unpacks to more than 200 times its size")


def test_a_zip_bomb_is_refused_by_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "ROOMY", 10_000)
    grown = zips._Guarded(io.BytesIO(b"0" * 50_000), "x", 1)
    with pytest.raises(UserError, match="unpacks to more"):
        io.BufferedReader(grown).read()


def test_a_packed_table_that_explodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(zips, "ROOMY", 10_000)
    Path("r.csv.gz").write_bytes(gzip.compress(b"id,a\n" + b"0" * 5_000_000))
    with pytest.raises(UserError, match="unpacks to more"):
        read_csv(Path("r.csv.gz"))


DOCTYPE = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DOCTYPE + meta(CORE), "meta.xml has a DOCTYPE"),
        ((DOCTYPE + meta(CORE)).encode("utf-16"), "meta.xml has a DOCTYPE"),
        (meta(CORE) + " " * (1 << 20), "more than 1048576 bytes"),
        ("<archive>", "is no XML"),
        ('<?xml version="1.0" encoding="x-no"?>' + meta(CORE), "is no XML"),
        (meta(), "names 0 core tables"),
        (meta(CORE.replace("o.csv", "")), "has no location"),
        (meta(CORE.replace("o.csv", "p.csv")), "lacks p.csv, which its meta.xml names"),
        (meta(CORE.replace("o.csv", "../o.csv")), r"lacks \.\./o.csv"),
        (meta(CORE.replace('index="1"', 'index="x"')), "'x' stands where a column"),
        (meta(CORE.replace('index="1"', 'index="5"')), "has 2 columns, its meta.xml names 6"),
        (meta(CORE.replace("associatedMedia", "sex")), "no column of addresses"),
        (meta(CORE.replace('id index="0"', "no")), "no column of ids"),
        (meta(CORE.replace('By=","', 'By="||"')), "are not understood"),
        (meta(CORE.replace('"UTF-8"', '"UTF-9"')), "the encoding 'UTF-9' is unknown"),
        (meta(sheet("core", "Occurrence", "o.csv", ["a/b", "a/b"])), "the term a/b twice"),
        (meta(CORE, sheet("extension", MEDIA, "o.csv", ["x", "y"])), "o.csv has no column ident"),
    ],
)
def test_a_bad_metafile_is_refused(text: str | bytes, said: str) -> None:
    refused({"meta.xml": text, "o.csv": ROW}, said)


def test_the_good_archive_of_these_tests_is_read() -> None:
    assert len(read({"meta.xml": meta(CORE), "o.csv": ROW})[0].records) == 1


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_gives_a_sentence_or_records(seed: int) -> None:

    chance, data = random.Random(seed), bytearray(GOOD)
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    with warnings.catch_warnings(), suppress(UserError):
        warnings.simplefilter("ignore")  # zipfile tells of doubled names
        assert set(addresses(read(bytes(data)))) <= {"7", "8", "9"}
    assert not Path("work").exists()
