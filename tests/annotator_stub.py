"""A stand-in for the annotator's server: the same HTTP interface over a few pictures in memory."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import butterflies.segmentation
from tests.specimens import photograph, wings

PAGE = Path(butterflies.segmentation.__file__).parent / "annotator" / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Pixels = npt.NDArray[np.uint8]


def packed(pixels: Pixels, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=90)
    return buffer.getvalue()


def unpacked(body: bytes) -> Pixels:
    return np.asarray(Image.open(BytesIO(body)).convert("L"))


@dataclass
class Held:
    """A photograph and what is known of it; `kinds` holds PNGs by kind (mask, draft, ...)."""

    photo: Pixels
    genus: str
    name: str
    background: str = "grey"
    contrast: bool | str = True
    judgement: str | None = None
    version: int = 0
    method: str | None = None
    kinds: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        return self.photo.shape[1], self.photo.shape[0]


@dataclass
class Stub:
    """Attributes:
    down: every request under /api is answered with 503.
    writes: (method, path, X-Method) of each accepted or refused write.
    ranked: photographs ranked so far; None when the ranking is done.
    """

    held: dict[str, Held]
    collection: str = "Swallowtails"
    down: bool = False
    ranked: int | None = None
    writes: list[tuple[str, str, str | None]] = field(default_factory=list)

    def draft(self, asset_id: str) -> Pixels | None:
        return self.pixels(asset_id, "draft")

    def pixels(self, asset_id: str, kind: str) -> Pixels | None:
        body = self.held[asset_id].kinds.get(kind)
        return None if body is None else unpacked(body)

    def entry(self, asset_id: str) -> dict[str, Any]:
        held = self.held[asset_id]
        width, height = held.size
        facts = {key: getattr(held, key) for key in ("genus", "name", "background", "judgement")}
        return facts | {
            "assetID": asset_id,
            "score": 0.5,
            "has_mask": "mask" in held.kinds,
            "draft": "draft" in held.kinds,
            "method": held.method,
            "width": width,
            "height": height,
        }

    def app(self) -> Starlette:
        api = [
            Route("/state", self.state),
            Route("/queue", self.queue),
            Route("/photo/{id}", self.photo),
            Route("/thumb/{id}", self.thumb),
            Route("/item/{id}", self.item),
            Route("/mask/{id}", self.mask),
            Route("/{kind:str}/{id}", self.put, methods=["PUT"]),
            Route("/{kind:str}/{id}", self.delete, methods=["DELETE"]),
            Route("/grow/{id}", self.grow, methods=["POST"]),
        ]
        routes = [
            Route("/", self.index),
            Mount("/page", StaticFiles(directory=PAGE)),
            Mount("/api", routes=[Route(r.path, self.guarded(r), methods=r.methods) for r in api]),
        ]
        return Starlette(routes=routes)

    def guarded(self, route: Route) -> Any:
        """The answer of a route while the server is up; writes need their header."""

        async def answer(request: Request) -> Response:
            if self.down:
                return refusal(503, "The server is busy.")
            if request.method != "GET":
                if request.headers.get("X-Annotator") != "1":
                    return refusal(403, "The header X-Annotator is missing.")
                done = (request.method, request.url.path, request.headers.get("X-Method"))
                self.writes.append(done)
            found: Response = await route.endpoint(request)
            return found

        return answer

    async def index(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": POLICY})

    async def state(self, request: Request) -> Response:
        held = list(self.held.values())

        def by(key: str) -> list[dict[str, Any]]:
            names = sorted({getattr(one, key) for one in held})
            return [
                {key: name} | count([h for h in held if getattr(h, key) == name]) for name in names
            ]

        counts = count(held) | {
            "skipped": 0,
            "no_specimen": sum(one.judgement == "no_specimen" for one in held),
            "bad": sum(one.judgement == "bad" for one in held),
        }
        ranked = len(held) if self.ranked is None else self.ranked
        return JSONResponse(
            {
                "collection": self.collection,
                "who": "curator",
                "segmenter": True,
                "orders": ["worst", "name", "random"],
                "counts": counts,
                "by_genus": by("genus"),
                "by_background": by("background"),
                "iou": 0.9613,
                "ready": self.ranked is None,
                "ranked": ranked,
            }
        )

    async def queue(self, request: Request) -> Response:
        asked = request.query_params
        ids = sorted(self.held, reverse=asked.get("order") == "random")
        if "labelled" in asked:
            masked = asked["labelled"] == "1"
            ids = [one for one in ids if ("mask" in self.held[one].kinds) == masked]
        total = len(ids)
        if after := asked.get("after"):
            ids = [one for one in ids if one > after]
        items = [self.entry(one) for one in ids[: int(asked.get("limit", 20))]]
        return JSONResponse({"items": items, "total": total})

    async def photo(self, request: Request) -> Response:
        held = self.held[request.path_params["id"]]
        return Response(packed(held.photo, "JPEG"), media_type="image/jpeg")

    async def thumb(self, request: Request) -> Response:
        held = self.held[request.path_params["id"]]
        small = Image.fromarray(held.photo)
        if "mask" in held.kinds:
            mask = Image.open(BytesIO(held.kinds["mask"])).convert("L").resize(small.size)
            small.paste((255, 32, 168), mask=mask.point([v * 2 // 5 for v in range(256)]))
        small.thumbnail((240, 240))
        return Response(packed(np.asarray(small), "JPEG"), media_type="image/jpeg")

    async def item(self, request: Request) -> Response:
        asset_id = request.path_params["id"]
        if asset_id not in self.held:
            return refusal(404, f"There is no photograph {asset_id}.")
        held = self.held[asset_id]
        has = {kind: kind in held.kinds for kind in ("mask", "draft", "prediction")}
        more = {"version": held.version, "contrast": held.contrast, "scale": 1.0}
        return JSONResponse(self.entry(asset_id) | has | more)

    async def mask(self, request: Request) -> Response:
        held = self.held[request.path_params["id"]]
        body = held.kinds.get(request.query_params["kind"])
        if body is None:
            return refusal(404, "There is no such mask.")
        return Response(body, media_type="image/png", headers={"X-Version": str(held.version)})

    async def put(self, request: Request) -> Response:
        kind, held = request.path_params["kind"], self.held[request.path_params["id"]]
        body = await request.body()
        told = (await request.json()) if kind == "judgement" else {}
        if int(told.get("version", request.headers.get("X-Version", -1))) != held.version:
            sentence = "Somebody else changed this mask <b>meanwhile</b>."
            return refusal(409, sentence, version=held.version)
        if kind == "judgement":
            held.judgement = told["judgement"]
        else:
            held.kinds[kind] = body
            held.method = request.headers["X-Method"]
        if kind == "mask":
            held.kinds.pop("draft", None)
        held.version += 1
        return JSONResponse({"version": held.version})

    async def delete(self, request: Request) -> Response:
        held = self.held[request.path_params["id"]]
        held.kinds.pop(request.path_params["kind"], None)
        held.version += 1
        return JSONResponse({"version": held.version})

    async def grow(self, request: Request) -> Response:
        """The mask moved right by two pixels."""
        mask = unpacked(await request.body())
        return Response(packed(np.roll(mask, 2, axis=1)), media_type="image/png")


def refusal(status: int, sentence: str, **more: Any) -> Response:
    return JSONResponse({"sentence": sentence} | more, status)


def count(held: list[Held]) -> dict[str, int]:
    return {"photographs": len(held), "masks": sum("mask" in one.kinds for one in held)}


def small_stub(width: int = 240, height: int = 180) -> Stub:
    """Six drawn photographs `a0` to `a5`; `a4` has a prediction, `a5` no contrast mask."""
    held = {}
    for number in range(6):
        shape = wings(height, width, seed=number)
        held[f"a{number}"] = Held(
            photograph(shape, number, grain=0), ["Aia", "Bia"][number % 2], f"<i>Aia</i> no{number}"
        )
        held[f"a{number}"].kinds["contrast"] = packed(shape.astype(np.uint8) * 255)
    held["a4"].kinds["prediction"] = held["a4"].kinds["contrast"]
    held["a5"].contrast = "The background is <b>not</b> even enough."
    return Stub(held)


@contextmanager
def serving_stub(stub: Stub) -> Iterator[str]:
    """The address of the stub while it is served."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        config = uvicorn.Config(stub.app(), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
        server.should_exit = True
        thread.join(10)
