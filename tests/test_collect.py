"""`butterflies collect` as it is typed, from every source over the network."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from butterflies.__main__ import main
from butterflies.collection.collecting import (
    ArchiveSettings,
    CsvSettings,
    collect_archive,
    collect_csv,
)
from butterflies.collection.fetching.settings import host_of
from butterflies.collection.sources.query import Query
from butterflies.errors import UserError
from tests.gathering import QUICK, Rows, collect, pictures_asked, rows
from tests.portal_api import SPECIMENS
from tests.portal_asking import act, ask
from tests.portal_records import make_records
from tests.portal_server import Portal, serving

OF_THE_PORTAL_ONLY = ("category", "mediaModified", "bibliographicCitation", "recordLicense")
"""What an archive does not tell, or not in the same words."""


@pytest.fixture
def portal() -> Iterator[Portal]:
    with serving(make_records(30)) as server:
        yield server


def words(portal: Portal, *more: str) -> list[str]:
    return [
        *("collect", f"source.url={portal.url}", "download.contact=me@example.org"),
        *("download.rate=2000", "download.backoff=0.01", "collection=c", *more),
    ]


def stopped(*given: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(list(given))
    return int(stop.value.code or 0)


def bulk(portal: Portal, place: Path) -> Path:
    """The portal's own archive of all its butterflies."""
    kinds = {"core_extension_name": "gbif_occurrence", "extension_names": ["gbif_multimedia"]}
    arguments = {**kinds, "extension_map": {"gbif_multimedia": ["associatedMedia"]}}
    equal = {"string_equals": {"fields": ["order"], "value": "Lepidoptera"}}
    query = {"resource_ids": [SPECIMENS], "query": {"filters": equal}}
    file = {"format": "dwc", "format_args": arguments}
    portal.bulk.states = ("complete",)
    queued = act(portal, "vds_download_queue", query=query, file=file).result
    polls = (ask(queued["status_json"]) for _ in range(5))  # one of them is a 504
    done = next(poll.json for poll in polls if poll.status == 200 and poll.json["file_exists"])
    place.write_bytes(ask(done["urls"]["direct"]).body)
    return place


def from_archive(portal: Portal, archive: Path, **given: Any) -> Rows:
    download = replace(QUICK, hosts=[host_of(portal.url)])
    settings = ArchiveSettings("a", download, archive=str(archive), **given)
    return rows(collect_archive(settings))


def test_the_portal_is_collected_as_its_manual_says(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    main(words(portal, "source=nhm", "query.family=[Papilionidae,Nymphalidae]", "limit=7"))
    said = capsys.readouterr().out
    assert "Listed photographs: 7 new." in said
    assert "7 pictures to fetch, 2000 a second at most from one host" in said
    assert "less than 5 requests a second" in said
    assert "c: 7 ok." in said
    assert "Next: butterflies cutout collection=c segmenter=contrast" in said
    assert {row["family"] for row in rows(Path("c")).values()} <= {"Papilionidae", "Nymphalidae"}


def test_the_presets_ask_for_what_they_say(portal: Portal) -> None:
    main(words(portal, "source=nhm_article"))
    article = rows(Path("c"))
    named = "papilionoidea new types digitisation project"
    assert article
    assert all(named in row["project"] for row in article.values())
    main(words(portal, "source=nhm_butterflies", "collection=b"))
    butterflies = rows(Path("b"))
    assert "Sphingidae" not in {row["family"] for row in butterflies.values()}
    main(words(portal, "source=nhm_lepidoptera", "collection=l"))
    assert {row["family"] for row in rows(Path("l")).values()} > {
        row["family"] for row in butterflies.values()
    }


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (["source=nhm", "download.contact=???"], 2, r"download\.contact=\.\.\. is missing"),
        (["source=nhm", "download.contact=nobody"], 1, "no plain e-mail or web address"),
        (["source=nhm", "query.famly=x"], 2, "famly"),
        (["source=nhm", "query.genus={a:1}"], 1, r"query\.genus=.* a text or a list of texts"),
        (["source=nhm", "query.genus=Nosuchgenus"], 1, "no photographs of what was asked for"),
        (["source=nhm", "source.url=nonsense"], 1, r"source\.url=nonsense is no web address"),
        (["source=nhm", "limit=0"], 1, "limit=0"),
        (["source=nhm", "retry=all"], 1, "retry=all"),
        (["source=nhm", "download.rate=fast"], 2, "could not be converted to Float"),
        (["source=gbif"], 1, r"query\.taxon= is missing"),
    ],
)
def test_a_mistake_is_one_sentence(
    portal: Portal, given: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stopped(*words(portal, *given)) == status
    found = capsys.readouterr().err
    assert re.search(said, found)
    assert len(found.splitlines()) == 1
    assert pictures_asked(portal) == []


def test_a_portal_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["collect", "source=nhm", "source.url=http://127.0.0.1:9", "collection=c"]
    given += ["download.contact=me@example.org", "download.backoff=0.01", "query.genus=Papilio"]
    assert stopped(*given) == 1
    assert "127.0.0.1:9 could not be asked, 6 times: It could not be reached." in (
        capsys.readouterr().err
    )


def test_the_portals_archive_gives_what_its_search_gives(portal: Portal, tmp_path: Path) -> None:
    searched = collect(portal)
    archived = from_archive(portal, bulk(portal, tmp_path / "bulk.zip"))
    pages = {key for key, medium in portal.assets().items() if medium["category"] == "Register"}
    assert archived.keys() - pages == searched.keys()  # an archive has no categories (1.8)
    for key, row in searched.items():
        other = archived[key]
        for name in row:
            if name in other and name not in OF_THE_PORTAL_ONLY and name != "photo_mtime_ns":
                assert other[name] == row[name], name
        assert Path("a", other["photo"]).read_bytes() == portal.picture(key)


def test_an_archive_can_be_asked_for_some_of_it_and_read_again(
    portal: Portal, tmp_path: Path
) -> None:
    archive = bulk(portal, tmp_path / "bulk.zip")
    some = from_archive(portal, archive, query=Query(family="Papilionidae"))
    assert {row["family"] for row in some.values()} == {"Papilionidae"}
    since = len(portal.log)
    assert from_archive(portal, archive, query=Query(family="Papilionidae")) == some
    assert pictures_asked(portal, since) == []
    gone = next(r for r in portal.records if r["family"] == "Papilionidae")
    portal.remove(gone["_id"])
    later = from_archive(
        portal, bulk(portal, tmp_path / "later.zip"), query=Query(family="Papilionidae")
    )
    assert later.keys() == some.keys()
    assert "withdrawn" in {row["status"] for row in later.values()}
    assert pictures_asked(portal, since) == []
    assert not Path("a/.reading").exists()


def test_a_pair_of_tables_is_collected(portal: Portal, tmp_path: Path) -> None:
    with zipfile.ZipFile(bulk(portal, tmp_path / "bulk.zip")) as outer:
        outer.extract("resource.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "resource.zip") as inner:
        inner.extractall(tmp_path)
    download = replace(QUICK, hosts=[host_of(portal.url)])
    records, media = str(tmp_path / "occurrence.csv"), str(tmp_path / "multimedia.csv")
    found = rows(collect_csv(CsvSettings("t", download, records=records, media=media)))
    whole = from_archive(portal, tmp_path / "bulk.zip")
    assert found.keys() == whole.keys()
    assert {row["status"] for row in found.values()} == {"ok"}


def test_pictures_on_other_hosts_are_named_with_the_key_that_allows_them(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = bulk(portal, tmp_path / "bulk.zip")
    settings = ArchiveSettings("a", QUICK, archive=str(archive))
    assert {row["status"] for row in rows(collect_archive(settings)).values()} == {"refused"}
    hosts = ",".join([*QUICK.hosts, host_of(portal.url)])
    assert f"'download.hosts=[{hosts}]' retry=failed" in capsys.readouterr().out
    assert pictures_asked(portal) == []
    found = from_archive(portal, archive, retry="failed")
    assert {row["status"] for row in found.values()} == {"ok"}


def test_an_archive_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    for archive in ("nowhere.zip", str(tmp_path), str(tmp_path / "x.zip")):
        with pytest.raises(UserError, match=r"\.$"):
            collect_archive(ArchiveSettings("a", QUICK, archive=archive))
    with pytest.raises(UserError, match="archive= is missing"):
        collect_archive(ArchiveSettings("a", QUICK))
