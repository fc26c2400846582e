"""A view in a browser, through a visdom server: the frame with its boxes, and the tracker's score map."""

from __future__ import annotations

import re
import sys
import time
from typing import Any

import numpy as np

from ltr.admin.visdom import connect, server_address, server_answers
from pytracking.analysis.render import even_size
from pytracking.evaluation.tracker import TrackedFrame
from pytracking.live.views import KEYS_HELP, Keys, PlaybackCommand, heat_map, picture

FRAME, SCORE_MAP = "frame", "score map"
"""The windows' names."""
TALLEST = 480  # pixels; more would only cost time on the way to the browser
QUALITY = 85  # of the JPEGs
_LOOK_EVERY = 0.03  # seconds from one look for a key to the next, while paused
_PING_EVERY = 1.0  # seconds from one look for the server to the next, while paused


class VisdomView:
    """Shows frames on a visdom server. Its keys are heard where the frame's window is selected in the browser.

    A server that is lost costs one warning and the view, not the tracking.

    Args:
        client: of :func:`ltr.admin.visdom.connect`, listening.
    """

    def __init__(self, client: Any) -> None:
        self._client: Any | None = client
        self.keys = Keys()
        client.register_event_handler(self._heard, FRAME)

    def show(self, frame: TrackedFrame, true_box: np.ndarray | None = None) -> PlaybackCommand:
        """Draws the frame, and the score map where there is one; waits while it is paused."""
        if self._client is None:
            return PlaybackCommand.GO_ON
        size = even_size(frame.image, min(frame.image.shape[0], TALLEST))
        try:
            self._image(FRAME, picture(frame, size, true_box), KEYS_HELP)
            if frame.score_map is not None:
                lowest, highest = float(np.nanmin(frame.score_map)), float(np.nanmax(frame.score_map))
                self._image(SCORE_MAP, heat_map(frame.score_map, size[1] // 2), f"{lowest:.3g} to {highest:.3g}")
        except Exception as error:  # a lost server shows in many ways, and none may stop the tracking
            return self._lost(type(error).__name__)
        return self._wait()

    def close(self) -> None:
        """Stops listening; the windows stay in the browser."""
        if self._client is not None:
            self._client.use_socket = False
            self._client = None

    def _image(self, window: str, image: np.ndarray, caption: str) -> None:
        assert self._client is not None
        options = {"title": window, "caption": caption, "jpgquality": QUALITY}
        self._client.image(image.transpose(2, 0, 1), win=window, opts=options)

    def _wait(self) -> PlaybackCommand:
        asked = time.monotonic()
        while (command := self.keys.take()) is None:
            time.sleep(_LOOK_EVERY)
            if time.monotonic() - asked > _PING_EVERY:
                if not server_answers(*server_address()):
                    return self._lost("it no longer answers")
                asked = time.monotonic()
        return command

    def _lost(self, why: str) -> PlaybackCommand:
        self.close()
        print(f"warning: the visdom server is lost ({why}); tracking goes on without it", file=sys.stderr)
        return PlaybackCommand.GO_ON

    def _heard(self, event: dict[str, Any]) -> None:
        if event.get("event_type") == "KeyPress":
            self.keys.press(str(event.get("key", "")))


def environment_name(*words: str) -> str:
    """Returns visdom's name for the windows of what the words name.

    >>> environment_name("siamfc/socl_res18", "my video")
    'tracking_siamfc_socl_res18_my_video'
    """
    return "_".join(["tracking", *(re.sub(r"\W+", "_", word) for word in words)])


def visdom_view(environment: str) -> VisdomView | None:
    """Returns a view on the server that answers, or None, and says so, if there is none or no visdom package."""
    client = connect(environment, listen=True)
    if client is None:
        host, port = server_address()
        print(
            f"no visdom server at {host}:{port}, so nothing is shown (pip install visdom; python -m visdom.server; "
            "VISDOM_SERVER and VISDOM_PORT name another)",
            file=sys.stderr,
        )
        return None
    host, port = server_address()
    print(f"watch in a browser: http://{host}:{port}/env/{environment}  ({KEYS_HELP})", file=sys.stderr)
    return VisdomView(client)
