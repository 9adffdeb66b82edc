"""The annotator's address and answers, asked of a server as its page asks them."""

import io
import json
import socket
import threading
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from PIL import Image

from butterflies.__main__ import main
from butterflies.collection.photos import read_mask
from butterflies.errors import UserError
from butterflies.files import write_json
from butterflies.scores.masks import iou
from butterflies.segmentation.annotator.app import LARGEST_BODY, app
from butterflies.segmentation.annotator.body import AnnotateSettings, annotate
from butterflies.segmentation.annotator.desk import Desk
from butterflies.segmentation.annotator.store import Store
from tests.annotators import darkness, png, unlabelled
from tests.specimens import Mask, wings

__all__ = ["darkness"]

TOKEN = "the-right-token"
ONE = wings(seed=0)


@dataclass
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def mask(self) -> Mask:
        return np.asarray(Image.open(io.BytesIO(self.body)).convert("L")) > 127


@dataclass
class Visitor:
    """A browser that has opened the address with the token."""

    port: int
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"X-Annotator": "1"})

    def ask(
        self, method: str, path: str, sent: bytes | None = None, **headers: str | None
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **self.headers}
        changes = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {k: v for k, v in {**given, **changes}.items() if v is not None}
        connection.request(method, path, sent, kept)
        found = connection.getresponse()
        answer = Answer(found.status, found.headers, found.read())
        connection.close()
        return answer

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer.body
        return answer.json

    def put(self, path: str, mask: Mask, version: str, method: str = "hand", **more: str) -> Answer:
        return self.ask("PUT", path, png(mask), X_Version=version, X_Method=method, **more)

    def version(self, asset_id: str = "a00") -> str:
        return str(self.get(f"/api/item/{asset_id}")["version"])

    def judge(self, judgement: str | None, asset_id: str = "a00") -> Answer:
        said = {"judgement": judgement, "version": self.version(asset_id)}
        return self.ask("PUT", f"/api/judgement/{asset_id}", json.dumps(said).encode())


def opened(desk: Desk) -> Iterator[Visitor]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        ours = app(desk, [f"127.0.0.1:{port}", f"localhost:{port}"], TOKEN)
        server = uvicorn.Server(uvicorn.Config(ours, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        visitor = Visitor(port)
        cookie = visitor.ask("GET", f"/?token={TOKEN}").headers["Set-Cookie"]
        visitor.cookie = cookie.split(";")[0]
        yield visitor
        desk.stop()
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    """To eight photographs, two with masks, without a segmenter."""
    desk = Desk(Store(unlabelled(tmp_path / "c", 8, masks=2), "Ada"))
    desk.start()
    desk._thread.join()
    yield from opened(desk)


@pytest.fixture
def ranked(tmp_path: Path, darkness: Path) -> Iterator[Visitor]:
    """The same with a segmenter, the ranking finished."""
    write_json(darkness.with_name("provenance.json"), {"scores": {"test/iou": 0.91}})
    desk = Desk(Store(unlabelled(tmp_path / "c", 8, masks=2), "Ada"), darkness)
    desk.start()
    desk._thread.join()
    yield from opened(desk)


def test_the_token_is_exchanged_for_a_strict_cookie(visitor: Visitor) -> None:
    answer = visitor.ask("GET", f"/?token={TOKEN}", Cookie=None)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "HttpOnly",
        "Path=/",
        "SameSite=strict",
    }
    assert TOKEN not in cookie


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/?token=", "/?token=%FF", "/api/state"])
@pytest.mark.parametrize("cookie", [None, "annotator={port}", "x=y; annotator-{port}=wrong"])
def test_nobody_enters_without_token_or_cookie(
    visitor: Visitor, path: str, cookie: str | None
) -> None:
    given = cookie.format(port=visitor.port) if cookie else None
    answer = visitor.ask("GET", path, Cookie=given)
    assert answer.status == 403
    assert answer.json["sentence"].endswith(".")
    assert answer.headers["Set-Cookie"] is None
    assert visitor.ask("GET", f"/api/state?token={TOKEN}", Cookie=given).status == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "127.0.0.1:{port}.x"],
)
def test_foreign_hosts_are_refused(visitor: Visitor, host: str) -> None:
    given = host.format(port=visitor.port)
    assert visitor.ask("GET", f"/?token={TOKEN}", Host=given).status == 400
    assert visitor.ask("GET", "/api/state", Host=given).status == 400
    assert visitor.ask("GET", "/api/state", Host=f"localhost:{visitor.port}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Annotator": None},
        {"X_Annotator": "2"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_only_our_page_writes(visitor: Visitor, headers: dict[str, str | None]) -> None:
    version = visitor.version()
    sent = {"X_Version": version, **headers}
    for method, path in (("PUT", "mask"), ("PUT", "draft"), ("DELETE", "mask"), ("POST", "grow")):
        assert visitor.ask(method, f"/api/{path}/a00", png(ONE), **sent).status == 403
    assert visitor.version() == version
    ours = f"http://127.0.0.1:{visitor.port}"
    assert visitor.put("/api/draft/a00", ONE, version, Origin=ours).status == 200


def test_every_answer_forbids_foreign_content_and_frames(visitor: Visitor) -> None:
    for path, cookie in (("/api/state", visitor.cookie), ("/api/state", None), ("/none", None)):
        headers = visitor.ask("GET", path, Cookie=cookie).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "asset_id", ["..%2Frecords", "../records", "a99", "%00", "a00.png", "..", "a00%2F..%2Fa01"]
)
def test_no_path_is_made_of_what_is_asked_for(visitor: Visitor, asset_id: str) -> None:
    for kind in ("item", "photo", "thumb", "mask"):
        answer = visitor.ask("GET", f"/api/{kind}/{asset_id}")
        assert answer.status == 404
        assert answer.json["sentence"]
    answer = visitor.ask("PUT", f"/api/draft/{asset_id}", png(ONE), X_Version="0")
    assert answer.status == 404


def test_the_page_is_served_with_its_parts(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/", "/page/index.html"):
        answer = visitor.ask("GET", path)
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/html")
    assert visitor.ask("GET", "/page/../app.py").status == 404
    assert visitor.ask("GET", "/page/%2e%2e/app.py").status == 404


def test_the_state_counts(visitor: Visitor) -> None:
    visitor.judge("bad", "a04")
    state = visitor.get("/api/state")
    assert state["counts"] == {
        "photographs": 8, "masks": 2, "skipped": 0, "no_specimen": 0, "bad": 1
    }  # fmt: skip
    assert state["by_genus"] == [
        {"genus": "Morpho", "photographs": 2, "masks": 0},
        {"genus": "Papilio", "photographs": 6, "masks": 2},
    ]
    assert sum(row["photographs"] for row in state["by_background"]) == 8
    assert len(state["by_background"]) == 2
    assert (state["who"], state["segmenter"], state["iou"]) == ("Ada", False, None)
    assert (state["ready"], state["ranked"]) == (True, 0)
    assert state["orders"] == ["unlabelled", "random", "name"]


def test_a_segmenter_ranks_what_has_no_mask(ranked: Visitor) -> None:
    state = ranked.get("/api/state")
    assert (state["segmenter"], state["iou"], state["ranked"]) == (True, 0.91, 6)
    found = ranked.get("/api/queue?order=worst&labelled=0")
    assert found["total"] == len(found["items"]) == 6
    assert all(0 <= item["score"] <= 1 for item in found["items"])
    item = ranked.get("/api/item/a02")
    assert item["prediction"] is True
    prediction = ranked.ask("GET", "/api/mask/a02?kind=prediction")
    assert iou(prediction.mask, wings(seed=2)) > 0.9
    assert prediction.headers["X-Version"] == item["version"]


def test_a_queue_goes_on_where_it_was_left(visitor: Visitor) -> None:
    for order in ("name", "random", "unlabelled"):
        seen: list[str] = []
        while True:
            after = seen[-1] if seen else "none"
            found = visitor.get(f"/api/queue?order={order}&limit=3&after={after}")["items"]
            if not found:
                break
            seen += [item["assetID"] for item in found]
        assert sorted(seen) == [f"a{n:02d}" for n in range(8)]
        if order == "unlabelled":
            assert set(seen[-2:]) == {"a00", "a01"}


def test_a_queue_leaves_out_what_is_done(visitor: Visitor) -> None:
    visitor.judge("bad", "a04")
    undone = visitor.get("/api/queue?order=name&labelled=0")
    assert {item["assetID"] for item in undone["items"]} == {"a02", "a03", "a05", "a06", "a07"}
    done = visitor.get("/api/queue?order=name&labelled=1")
    assert {(i["assetID"], i["method"], i["judgement"]) for i in done["items"]} == {
        ("a00", "hand", None),
        ("a01", "hand", None),
        ("a04", None, "bad"),
    }
    assert visitor.get("/api/queue?genus=Morpho")["total"] == 2


@pytest.mark.parametrize(
    "asked", ["order=worst", "order=best", "limit=0", "limit=-1", "limit=x", "limit=9999"]
)
def test_a_queue_that_cannot_be_is_refused_with_a_sentence(visitor: Visitor, asked: str) -> None:
    answer = visitor.ask("GET", f"/api/queue?{asked}")
    assert answer.status == 400
    assert answer.json["sentence"].endswith(".")


def test_pictures_are_as_large_as_asked_for(visitor: Visitor) -> None:
    for path, size in (("photo/a00", (128, 96)), ("photo/a00?max=64", (64, 48))):
        answer = visitor.ask("GET", f"/api/{path}")
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert Image.open(io.BytesIO(answer.body)).size == size
    with_mask, without = (visitor.ask("GET", f"/api/thumb/{k}").body for k in ("a00", "a03"))
    tints = [
        np.asarray(Image.open(io.BytesIO(b)).convert("RGB"))[..., 0] for b in (with_mask, without)
    ]
    assert len(with_mask) > 500
    assert Image.open(io.BytesIO(with_mask)).size == (128, 96)
    assert np.median(tints[0][ONE]) > np.median(tints[1][wings(seed=3)])


def test_a_draft_becomes_the_mask(visitor: Visitor, tmp_path: Path) -> None:
    mask = wings(seed=5)
    drafted = visitor.put("/api/draft/a05", mask, visitor.version("a05"), "corrected")
    assert drafted.status == 200
    item = visitor.get("/api/item/a05")
    assert (item["draft"], item["mask"], item["method"]) == (True, False, "corrected")
    assert item["version"] == drafted.json["version"]
    assert (visitor.ask("GET", "/api/mask/a05?kind=draft").mask == mask).all()
    saved = visitor.put("/api/mask/a05", mask, item["version"], "corrected")
    item = visitor.get("/api/item/a05")
    assert (item["draft"], item["mask"], item["method"]) == (False, True, "corrected")
    assert item["version"] == saved.json["version"]
    assert (read_mask(tmp_path / "c", "a05", (128, 96)) == mask).all()  # type: ignore[union-attr]
    assert visitor.ask("GET", "/api/mask/a05?kind=draft").status == 404


def test_a_mask_drawn_on_a_smaller_picture_grows_to_the_photograph(visitor: Visitor) -> None:
    small = png(wings(seed=5), (64, 48))
    version = visitor.version("a05")
    assert visitor.ask("PUT", "/api/mask/a05", small, X_Version=version).status == 200
    found = visitor.ask("GET", "/api/mask/a05").mask
    assert found.shape == (96, 128)
    assert iou(found, wings(seed=5)) > 0.93


def test_two_pages_do_not_overwrite_each_other(visitor: Visitor) -> None:
    both = visitor.version("a05")
    first = visitor.put("/api/mask/a05", wings(seed=5), both).json["version"]
    for path in ("mask", "draft"):
        answer = visitor.put(f"/api/{path}/a05", wings(seed=6), both)
        assert (answer.status, answer.json["version"]) == (409, first)
        assert answer.json["sentence"].endswith(".")
    late = visitor.ask("DELETE", "/api/mask/a05", X_Version=both)
    said = json.dumps({"judgement": "bad", "version": both}).encode()
    assert late.status == visitor.ask("PUT", "/api/judgement/a05", said).status == 409
    assert (visitor.ask("GET", "/api/mask/a05").mask == wings(seed=5)).all()
    assert visitor.put("/api/mask/a05", wings(seed=6), first).status == 200


def test_a_hand_mask_gives_way_to_no_prediction(visitor: Visitor) -> None:
    answer = visitor.put("/api/mask/a00", wings(seed=6), visitor.version(), "prediction")
    assert answer.status == 422
    assert "made by hand" in answer.json["sentence"]


def test_masks_and_drafts_can_be_deleted(visitor: Visitor, tmp_path: Path) -> None:
    version = visitor.put("/api/draft/a00", wings(seed=6), visitor.version()).json["version"]
    for kind in ("draft", "mask"):
        answer = visitor.ask("DELETE", f"/api/{kind}/a00", X_Version=version)
        version = answer.json["version"]
        assert visitor.ask("GET", f"/api/mask/a00?kind={kind}").status == 404
    assert (tmp_path / "c/masks/a00.png.1").is_file()


def test_judgements_come_and_go(visitor: Visitor) -> None:
    for judgement in ("bad", "no_specimen", None):
        answer = visitor.judge(judgement, "a05")
        item = visitor.get("/api/item/a05")
        assert (item["judgement"], item["version"]) == (judgement, answer.json["version"])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 400),
        (b"no picture", 400),
        (png(ONE)[:200], 400),
        (png(ONE, (96, 128)), 400),
        (png(ONE, (256, 192)), 400),
        (b"x" * (LARGEST_BODY + 1), 413),
    ],
)
def test_what_is_no_mask_is_refused(visitor: Visitor, sent: bytes, status: int) -> None:
    version = visitor.version()
    answer = visitor.ask("PUT", "/api/mask/a00", sent, X_Version=version)
    assert answer.status == status
    assert answer.json["sentence"].endswith(".")
    assert visitor.version() == version


@pytest.mark.parametrize(
    ("method", "path", "sent", "headers", "status"),
    [
        ("PUT", "mask/a00", png(ONE), {}, 428),
        ("PUT", "mask/a00", png(ONE), {"X_Version": "1", "X_Method": "magic"}, 400),
        ("PUT", "judgement/a00", b"[]", {}, 400),
        ("PUT", "judgement/a00", b"\xff", {}, 400),
        ("PUT", "judgement/a00", b'{"judgement": "ugly", "version": "1"}', {}, 400),
        ("PUT", "judgement/a00", b" " * 5000, {}, 413),
        ("GET", "mask/a00?kind=photo", None, {}, 404),
        ("GET", "mask/a02?kind=mask", None, {}, 404),
        ("GET", "mask/a02?kind=prediction", None, {}, 404),
        ("POST", "mask/a00", b"", {}, 405),
        ("GET", "nothing", None, {}, 404),
    ],
)
def test_what_cannot_be_done_is_said(
    visitor: Visitor,
    method: str,
    path: str,
    sent: bytes | None,
    headers: dict[str, str],
    status: int,
) -> None:
    answer = visitor.ask(method, f"/api/{path}", sent, **headers)
    assert answer.status == status
    assert answer.json["sentence"].endswith(".")


def test_contrast_is_offered_where_the_background_is_clean(visitor: Visitor) -> None:
    clean, grey = (visitor.get(f"/api/item/{key}")["contrast"] for key in ("a03", "a02"))
    assert clean is True
    assert "not clean enough" in grey
    assert iou(visitor.ask("GET", "/api/mask/a03?kind=contrast").mask, wings(seed=3)) > 0.9
    refused = visitor.ask("GET", "/api/mask/a02?kind=contrast")
    assert (refused.status, refused.json["sentence"]) == (404, grey)


def test_a_drawn_outline_grows_to_the_edge(visitor: Visitor) -> None:
    drawn = wings(seed=0)
    drawn[:-2] |= wings(seed=0)[2:]
    answer = visitor.ask("POST", "/api/grow/a00", png(drawn))
    assert iou(answer.mask, wings(seed=0)) > iou(drawn, wings(seed=0))
    assert (visitor.ask("GET", "/api/mask/a00").mask == wings(seed=0)).all(), "nothing is saved"


def test_the_annotator_prints_its_address_and_ends_by_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def interrupted(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        assert sockets[0].getsockname()[0] == "127.0.0.1"
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(uvicorn.Server, "run", interrupted)
    unlabelled(Path("c"), 4, masks=1)
    main(["annotate", "collection=c", "who=Ada, B. (Paris)"])
    said = capsys.readouterr().out
    assert opened[0] in said
    assert "/?token=" in opened[0]
    assert "c: 1 masks of 4 photographs, 0 drafts." in said
    main(["annotate", "collection=c", "open=false"])
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"collection": "none"}, "records.parquet does not exist"),
        ({"order": "best"}, "order=best is none of"),
        ({"segmenter": "none.ckpt"}, "no checkpoint none.ckpt"),
        ({"port": 70000}, "Port 70000"),
    ],
)
def test_what_cannot_be_annotated_is_said(changes: dict[str, Any], said: str) -> None:
    unlabelled(Path("c"), 1)
    settings = {"collection": "c", "who": "Ada", "open": False, **changes}
    with pytest.raises(UserError, match=said):
        annotate(AnnotateSettings(**settings))
