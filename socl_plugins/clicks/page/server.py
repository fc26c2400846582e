"""The page's server: who may ask, what is read from a request, and what is answered.

It is meant for one machine. Only requests that name this machine (``Host``), come from the page itself
(``Sec-Fetch-Site``) and know the token that was drawn at the start are answered; whatever changes something is a PUT of
JSON; videos are numbers, never paths; the page may load nothing from elsewhere.
"""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ltr.data.image_loader import ImageError
from ltr.dataset.video_file import VideoFileError
from socl_plugins.clicks.clips import jpeg_file
from socl_plugins.clicks.log import ClickLogError, check_name
from socl_plugins.clicks.page.session import AnnotationSession, NotFoundError

LARGEST_BODY = 16 * 1024  # bytes; a click has some 300
LARGEST_NUMBER = 10**9
LARGEST_SIDE = 100_000  # of a target in pixels
SHOWN_QUALITY = 90  # of the JPEG files of frames that are not cut
FILES = {
    "/page.js": "text/javascript",
    "/view.js": "text/javascript",
    "/store.js": "text/javascript",
    "/page.css": "text/css",
    "/icon.svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; connect-src 'self'; img-src 'self' blob:; script-src 'self'; style-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HERE = Path(__file__).parent


class Guard:
    """Refuses requests that do not come from the page, and adds the headers that keep the page to itself.

    Args:
        app: what answers the others.
        token: that requests must know: the page by its address, everything else by a header.
        host: that the server listens on; besides the names of this machine, requests may name it.
    """

    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        self.app = app
        self.token = token
        self.names = {"127.0.0.1", "localhost", "[::1]", host.lower()}
        self.any_address = host not in ("127.0.0.1", "localhost", "::1")
        if self.any_address:
            self.names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or refuses it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # no WebSocket

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._is_here(headers.get("host", "")):
            return _error(400, "this server answers only under the address that it printed")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _error(403, "requests from other sites are refused")
        path = scope["path"]
        if path == "/":
            given = QueryParams(scope["query_string"]).get("token", "")
        elif path in FILES:
            return None
        else:
            given = headers.get("x-token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return _error(403, "the token is missing or old: open the address that socl annotate printed")
        return None

    def _is_here(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if name.lower() in self.names:
            return True
        with contextlib.suppress(ValueError):  # an address cannot be pointed elsewhere, as a name can
            return self.any_address and bool(ipaddress.ip_address(name.strip("[]")))
        return False


def create_app(session: AnnotationSession, token: str, host: str = "127.0.0.1") -> ASGIApp:
    """Returns the server of a session as an ASGI application."""

    def page(request: Request) -> Response:
        return FileResponse(HERE / "index.html", media_type="text/html")

    def file(request: Request) -> Response:
        return FileResponse(HERE / request.url.path[1:], media_type=FILES[request.url.path])

    def videos(request: Request) -> Response:
        chosen = session.choose(_browser(request))
        return JSONResponse({"videos": session.videos(), "every": session.every, "chosen": chosen})

    def frame(request: Request) -> Response:
        clip, number = session.frame(request.path_params["video"], request.path_params["frame"])
        kept = {"Cache-Control": "private, max-age=3600"}
        if clip.cut:
            return FileResponse(session.clips.frame_path(clip, number), media_type="image/jpeg", headers=kept)
        picture = jpeg_file(session.clips.load_frame(clip, number), SHOWN_QUALITY)
        return Response(picture, media_type="image/jpeg", headers=kept)

    def top(request: Request) -> Response:
        place = _float(request, "x"), _float(request, "y")
        size = (_float(request, "w"), _float(request, "h")) if "w" in request.query_params else None
        if size is not None and not all(1 <= side <= LARGEST_SIDE for side in size):
            raise ClickLogError(f"w and h must be from 1 to {LARGEST_SIDE:,} pixels")
        found = session.feedback(request.path_params["video"], request.path_params["frame"], place, size)
        box = ",".join(f"{value:.1f}" for value in found.box)
        return Response(found.picture, media_type="image/jpeg", headers={"X-Box": box})

    def open_video(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        return session.open(_browser(request), request.path_params["video"], _text(body, "author"))

    def click(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        return session.store(_browser(request), request.path_params["video"], body)

    def proposals(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        target, number = check_name("target", body.get("target")), _whole(body, "frame")
        on = body.get("on") is True
        return session.propose(_browser(request), request.path_params["video"], target, number, on)

    def ask(request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        target = check_name("target", body.get("target"))
        return session.ask(request.path_params["video"], target, body.get("begin") is True)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        session.close()

    routes = [
        Route("/", page),
        *(Route(path, file) for path in FILES),
        Route("/api/videos", videos),
        Route("/api/videos/{video:int}", _put(open_video), methods=["PUT"]),
        Route("/api/videos/{video:int}/frames/{frame:int}", frame),
        Route("/api/videos/{video:int}/frames/{frame:int}/top", top),
        Route("/api/videos/{video:int}/clicks", _put(click), methods=["PUT"]),
        Route("/api/videos/{video:int}/proposals", _put(proposals), methods=["PUT"]),
        Route("/api/videos/{video:int}/asking", _put(ask), methods=["PUT"]),
    ]
    handlers: dict[Any, Callable[[Request, Any], Response]] = {
        HTTPException: lambda request, error: _error(error.status_code, error.detail),
        NotFoundError: lambda request, error: _error(404, str(error)),
        ClickLogError: lambda request, error: _error(422, str(error)),
        ImageError: lambda request, error: _error(500, str(error)),
        VideoFileError: lambda request, error: _error(500, str(error)),
        ValueError: lambda request, error: _error(422, str(error)),
        OSError: lambda request, error: _error(507, f"not stored: {error.strerror or error}"),
    }
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)
    return Guard(app, token, host)


def _put(answer: Callable[[Request, Mapping[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
    """Returns an endpoint that reads a JSON object of limited size and answers in a thread: answers touch files."""

    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "the body must be application/json")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY:
                raise HTTPException(413, f"the body has more than {LARGEST_BODY} bytes")
        try:
            values = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, f"the body is no JSON: {error}") from error
        if not isinstance(values, dict):
            raise HTTPException(400, "the body must be a JSON object")
        return JSONResponse(await run_in_threadpool(answer, request, values))

    return endpoint


def _error(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


def _browser(request: Request) -> str:
    return request.headers.get("x-browser", "")[:64]


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > 64:
        raise ClickLogError(f"{name} must be a text of at most 64 characters")
    return value


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LARGEST_NUMBER:
        raise ClickLogError(f"{name} must be a whole number from 0 on")
    return value


def _float(request: Request, name: str) -> float:
    try:
        return float(request.query_params[name])
    except (KeyError, ValueError) as error:
        raise ClickLogError(f"{name} must be a number") from error
