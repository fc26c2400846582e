"""Starting and ending the page's server."""

from __future__ import annotations

import contextlib
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from socl_plugins.clicks.clips import open_clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.log import ClicksError

if TYPE_CHECKING:
    from pytracking.tracker.base import BaseTracker

FALLBACK_TRACKER = "siamfc/untrained_res18"


class ServeError(ClicksError):
    """The page cannot be served."""


def serve(
    root: Path, every: int, tracker: str, host: str = "127.0.0.1", port: int = 8765, open_browser: bool = False
) -> int:
    """Serves the page for a folder of clips until Ctrl-C, and returns the number of clicks that are then stored.

    Args:
        root: the folder of clips.
        every: the page asks for a click on each so many frames, from 1 on.
        tracker: the parameter set that proposes, such as ``siamfc/socl_res18``.
        host: to listen on.
        port: to listen on; 0: any that is free.
        open_browser: show the page in the user's browser.

    Raises:
        ServeError: a package is missing, or the port is taken.
        ClipsError, ClickLogError: the folder is broken.
    """
    try:
        import uvicorn

        from socl_plugins.clicks.page.server import create_app
        from socl_plugins.clicks.page.session import AnnotationSession
    except ImportError as error:
        raise ServeError(f"the page needs the package {error.name}: pip install starlette uvicorn") from error
    if every < 1:
        raise ServeError(f"--every is {every}: the page asks for a click on one of so many frames, from 1 on")
    clips = open_clips(root)
    compile_clips(clips)
    token = secrets.token_urlsafe(18)
    app = create_app(AnnotationSession(clips, every, tracker_maker(tracker)), token, host)
    with contextlib.closing(_listen(host, port)) as listener:
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        address = f"http://{shown}:{listener.getsockname()[1]}/?token={token}"
        if host not in ("127.0.0.1", "localhost", "::1"):
            print(f"note: whoever reaches {host} and knows this address can click, too", file=sys.stderr)
        print(f"{len(clips)} videos. Click at: {address}")
        print("Ctrl-C ends; every click is stored as it is made.", flush=True)
        threading.Thread(target=_import_what_clicks_need, daemon=True).start()
        if open_browser:
            webbrowser.open(address)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30)
        config.timeout_graceful_shutdown = 2
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
    return compile_clips(clips)


def _import_what_clicks_need() -> None:
    """Imports what the first click would wait for, while the person looks at the page."""
    import socl_plugins.clicks.page.feedback  # noqa: F401


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(64)
    except (OSError, OverflowError) as error:  # a port above 65535 overflows
        listener.close()
        why = getattr(error, "strerror", None) or error
        raise ServeError(
            f"cannot listen on {host}, port {port}: {why}; is the page open already? Else choose another with --port "
            "(0: any that is free)"
        ) from error
    return listener


def tracker_maker(name: str) -> Callable[[], BaseTracker]:
    """Returns a function that makes the tracker of a parameter set, or, where it has no network yet, an untrained one.

    The network is looked for when the first tracker is made, so that the page opens at once.
    """

    def create() -> BaseTracker:
        from ltr.admin.checkpoint import CheckpointError
        from ltr.registry import load_plugins
        from pytracking.registry import PARAMETERS, TRACKERS

        load_plugins()
        try:
            return TRACKERS[name.partition("/")[0]](PARAMETERS[name]())
        except CheckpointError as error:
            print(f"note: {error}; an untrained network proposes in its place", file=sys.stderr)
            return TRACKERS[FALLBACK_TRACKER.partition("/")[0]](PARAMETERS[FALLBACK_TRACKER]())

    return create
