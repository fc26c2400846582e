"""Curves for a visdom server, when one answers."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import socket
from typing import Any

ANSWER_WITHIN = 0.5
"""Seconds that a server has to accept the first connection."""
DRAW_WITHIN = 3.0
"""Seconds that it has for anything later."""


def server_address() -> tuple[str, int]:
    """Returns host and port of the visdom server: ``VISDOM_SERVER`` and ``VISDOM_PORT``, or localhost and 8097."""
    port = os.environ.get("VISDOM_PORT", "")
    return os.environ.get("VISDOM_SERVER") or "localhost", int(port) if port.isdecimal() and len(port) < 6 else 8097


def server_answers(host: str, port: int) -> bool:
    """Returns whether something accepts connections there, within half a second."""
    try:
        with socket.create_connection((host, port), timeout=ANSWER_WITHIN):
            return True
    except (OSError, OverflowError):
        return False


def connect(environment: str, listen: bool = False) -> Any | None:
    """Returns a visdom client that draws in ``environment``, or none if there is no server or no visdom package.

    Args:
        environment: visdom's name for a set of windows.
        listen: also hear of the keys that are pressed there.
    """
    host, port = server_address()
    if not server_answers(host, port) or importlib.util.find_spec("visdom") is None:
        return None
    visdom: Any = importlib.import_module("visdom")

    class Client(visdom.Visdom):
        """visdom's client waits for ever for a server that hangs, and takes an error page for success."""

        def _handle_post(self, url: str, data: Any = None) -> str:
            answer = self.session.post(url, data=data or {}, timeout=DRAW_WITHIN)
            answer.raise_for_status()
            return answer.text

    logging.getLogger("visdom").setLevel(logging.ERROR)  # it warns of its own normal start
    try:
        client = Client(
            server=f"http://{host}", port=port, env=environment, raise_exceptions=True, use_incoming_socket=listen
        )
        return client if isinstance(client.get_env_list(), list) else None
    except Exception:  # what answers there is no visdom server
        return None


class VisdomCurves:
    """Draws numbers by epoch; every number has its window.

    Nothing is drawn and nothing said without a server. A server that is lost later costs one warning, not the training.

    Args:
        environment: visdom's name for a set of windows.
        go_on: continue the curves of an earlier run, which is resumed, and do not begin them anew.
    """

    def __init__(self, environment: str, go_on: bool = False) -> None:
        self._client = connect(environment)
        self._go_on = go_on
        self._drawn: set[str] = set()

    @property
    def connected(self) -> bool:
        """Whether there is a server to draw on."""
        return self._client is not None

    def add(self, name: str, epoch: int, value: float, curve: str) -> str | None:
        """Adds one point to ``curve`` in the window ``name``; returns a warning if the server is lost by that."""
        if self._client is None:
            return None
        begins = name not in self._drawn and not self._go_on
        self._drawn.add(name)
        try:
            self._client.line(
                X=[epoch],
                Y=[value],
                win=name,
                name=curve,
                update=None if begins else "append",
                opts={"title": name, "xlabel": "epoch", "showlegend": True},
            )
        except Exception as error:  # a lost server shows in many ways, and none may stop training
            self._client = None
            return f"warning: the visdom server is lost ({type(error).__name__}); training goes on without it"
        return None
