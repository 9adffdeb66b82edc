"""The annotator's answers to its page."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from butterflies.collection.judgements import JUDGEMENTS, Judgement
from butterflies.collection.masks import METHODS
from butterflies.errors import PhotographError, UserError
from butterflies.segmentation.annotator import pictures
from butterflies.segmentation.annotator.desk import Desk
from butterflies.segmentation.annotator.errors import Refusal
from butterflies.segmentation.annotator.guard import Guard
from butterflies.segmentation.annotator.looks import Looks

PAGE = Path(__file__).parent / "page"
LARGEST_BODY = 16 * 2**20
LARGEST_NOTE = 4096
LONGEST_QUEUE = 200

Answer = Callable[[Request], Awaitable[Response]]


def app(desk: Desk, names: Iterable[str], token: str) -> Starlette:
    """The annotator's application.

    Args:
        desk: the photographs, see there.
        names: Host headers that are ours.
        token: opens the door, see `guard`.
    """
    handlers = _Handlers(desk)
    routes = [
        Route("/", _index),
        *(Route(f"/api/{path}", make, methods=[method]) for method, path, make in handlers.routes),
        Mount("/page", StaticFiles(directory=PAGE, check_dir=False)),
    ]
    guard = Middleware(Guard, names=tuple(names), token=token)
    failures = {
        Refusal: _refused,
        UserError: _refused,
        PhotographError: _refused,
        HTTPException: _failed,
        Exception: _broken,
    }
    return Starlette(routes=routes, middleware=[guard], exception_handlers=failures)


class _Handlers:
    """One method an address; what takes long is done in a thread."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.store = desk, desk.store
        self.looks = Looks(desk)
        self.routes: list[tuple[str, str, Answer]] = [
            ("GET", "state", self.state),
            ("GET", "queue", self.queue),
            ("GET", "photo/{asset_id}", self.photo),
            ("GET", "thumb/{asset_id}", self.thumb),
            ("GET", "item/{asset_id}", self.item),
            ("GET", "mask/{asset_id}", self.mask),
            ("PUT", "draft/{asset_id}", partial(self.write, self.store.save_draft)),
            ("PUT", "mask/{asset_id}", partial(self.write, self.store.save)),
            ("DELETE", "draft/{asset_id}", partial(self.drop, self.store.drop_draft)),
            ("DELETE", "mask/{asset_id}", partial(self.drop, self.store.drop_mask)),
            ("PUT", "judgement/{asset_id}", self.judge),
            ("POST", "grow/{asset_id}", self.grow),
        ]

    async def state(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.desk.state))

    async def queue(self, request: Request) -> Response:
        asked = request.query_params
        after, labelled = asked.get("after"), asked.get("labelled")
        found = await run_in_threadpool(
            self.desk.queue,
            asked.get("order", self.desk.orders[0]),
            None if after in (None, "", "none") else after,
            _number(request, "limit", 20, LONGEST_QUEUE),
            None if labelled in (None, "") else labelled == "1",
            asked.get("genus") or None,
        )
        return JSONResponse(found)

    async def photo(self, request: Request) -> Response:
        longest = _number(request, "max", pictures.EDITED_PX, 10_000)
        data = await run_in_threadpool(self.looks.photo_jpeg, _id(request), longest)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": "max-age=600"})

    async def thumb(self, request: Request) -> Response:
        data = await run_in_threadpool(self.looks.thumb_jpeg, _id(request))
        return Response(data, media_type="image/jpeg")

    async def item(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self.looks.item, _id(request)))

    async def mask(self, request: Request) -> Response:
        kind = request.query_params.get("kind", "mask")
        data, version = await run_in_threadpool(self.looks.mask_png, _id(request), kind)
        return Response(data, media_type="image/png", headers={"X-Version": version})

    async def write(self, keep: Callable[..., str], request: Request) -> Response:
        asset_id, method = _id(request), request.headers.get("x-method", "hand")
        if method not in METHODS:
            raise Refusal(400, f"X-Method: {method!r} is none of {', '.join(METHODS)}.")
        base, body = _base(request), await _body(request, LARGEST_BODY)
        size = self.store.size(asset_id)

        def kept() -> str:
            mask = pictures.scaled(pictures.sent_mask(body, size), size)
            return keep(asset_id, mask, method, base)

        return JSONResponse({"version": await run_in_threadpool(kept)})

    async def drop(self, away: Callable[[str, str], str], request: Request) -> Response:
        version = await run_in_threadpool(away, _id(request), _base(request))
        return JSONResponse({"version": version})

    async def judge(self, request: Request) -> Response:
        try:
            said = json.loads(await _body(request, LARGEST_NOTE))
            judgement, base = said["judgement"], str(said["version"])
        except (ValueError, KeyError, TypeError):
            raise Refusal(400, 'A judgement is JSON: {"judgement", "version"}.') from None
        if judgement is not None and judgement not in JUDGEMENTS:
            raise Refusal(400, f"A judgement is null or one of {', '.join(JUDGEMENTS)}.")
        chosen = cast("Judgement | None", judgement)
        version = await run_in_threadpool(self.store.judge, _id(request), chosen, base)
        return JSONResponse({"version": version})

    async def grow(self, request: Request) -> Response:
        asset_id, body = _id(request), await _body(request, LARGEST_BODY)
        data = await run_in_threadpool(self.looks.grown_png, asset_id, body)
        return Response(data, media_type="image/png")


async def _index(request: Request) -> Response:
    return FileResponse(PAGE / "index.html", media_type="text/html")


def _id(request: Request) -> str:
    return str(request.path_params["asset_id"])


def _number(request: Request, name: str, otherwise: int, most: int) -> int:
    text = request.query_params.get(name, str(otherwise))
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        raise Refusal(400, f"{name}={text}: a whole number from 1 to {most} is expected.")
    return int(text)


def _base(request: Request) -> str:
    """The version that a write is based on."""
    version = request.headers.get("x-version")
    if not version:
        raise Refusal(428, "A write names the version that it is based on, in X-Version.")
    return version


async def _body(request: Request, most: int) -> bytes:
    """The body; one that is too large is not read to its end."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise Refusal(413, f"What was sent is larger than {most:,} bytes.")
    except ClientDisconnect:
        raise Refusal(400, "The page went away while it sent this.") from None
    return bytes(body)


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, Refusal):
        version = {"version": error.version} if error.version else {}
        return JSONResponse({"sentence": str(error), **version}, error.status)
    return JSONResponse({"sentence": str(error)}, 422)


async def _failed(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {404: "There is nothing at this address.", 405: "This cannot be done at this address."}
    return JSONResponse({"sentence": said.get(status, "The annotator cannot do that.")}, status)


async def _broken(request: Request, error: Exception) -> Response:
    sentence = f"The annotator failed ({type(error).__name__}); its window tells more."
    return JSONResponse({"sentence": sentence}, 500)
