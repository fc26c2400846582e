"""A tracker behind the TraX protocol, which VOT's official toolkit speaks: L. Cehovin, TraX, Neurocomputing 2017.

The protocol itself is the business of the package ``vot-trax``; it is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

from ltr.data.image_loader import load_image
from pytracking.evaluation.tracker import Tracker, TrackingError
from pytracking.evaluation.vot_objects import NO_MASKS, TrackedObjects

LONGEST_LINE = 1 << 20  # bytes of a message
START = b"@@TRAX:initialize"
NO_CLIENT = (
    "no TraX client speaks to this tracker, or none that keeps to the protocol: VOT's toolkit starts this command and "
    "does; to run without it, name a data set, such as --dataset vot2018"
)
STARTS_WITH_MASK = re.compile(START + rb'\s+"?m\d')
STARTS_WITH_REGION = re.compile(START + rb'\s+"?[-+.\d]+(,[-+.\d]+){3,}"?(\s|$)')


def serve(tracker: Tracker, several_objects: bool = True) -> int:
    """Answers a TraX client until it leaves, and returns the number of frames that were tracked.

    The client gives paths of images and boxes, one for each object, in any frame; for each object it gets a box, and
    the tracker's ``confidence`` where it has one. Only boxes are announced, so VOT's toolkit turns masks and polygons
    into their bounding boxes. What the tracker prints goes to standard error, since standard output may carry the
    protocol.

    Args:
        tracker: by its name.
        several_objects: announce that there may be several; some clients know only one.

    Raises:
        TrackingError: the package ``vot-trax`` is not installed, no client is there or it sends no image of a known
            kind, it sends a mask, or the tracker gives no box of four finite numbers.
    """
    try:
        import trax
    except ImportError as error:
        raise TrackingError("TraX needs the package vot-trax: pip install 'pytracking-socl[vot]'") from error
    with (
        contextlib.redirect_stdout(sys.stderr),
        _whole_lines(several_objects) as refused,
        trax.Server(
            [trax.Region.RECTANGLE], [trax.Image.PATH], tracker_name=tracker.run_name, multiobject=several_objects
        ) as server,
    ):
        try:
            return _answer(server, tracker)
        except trax.TraxException as error:
            cause: Exception = error
            failure: Exception = TrackingError(refused[0] if refused else NO_CLIENT)
        except Exception as error:
            cause = failure = error
    # Out here: of what is raised in there, the server prints the traceback.
    raise failure from (None if failure is cause else cause)


def _answer(server: Any, tracker: Tracker) -> int:
    import trax

    objects = TrackedObjects(tracker)
    frames = 0
    while True:
        request = server.wait()
        if request.type == trax.TraxStatus.QUIT:
            return frames
        image = load_image(request.image["color"].path())
        boxes = [region.bounds() for region, _ in request.objects or ()]
        began = request.type == trax.TraxStatus.INITIALIZE
        answers = objects.start(image, boxes) if began else objects.frame(image, boxes)
        frames += 1
        server.status([(trax.Rectangle.create(*box), properties) for box, properties in answers])


class _Gate:
    """Which lines the TraX library is given: a start without a region would end the process by a segmentation fault.

    Where several objects can be tracked, one before those with regions says that a new video begins.

    Args:
        several_objects: whether that was announced.
    """

    def __init__(self, several_objects: bool) -> None:
        self.several_objects = several_objects
        self._held = b""

    def passed(self, line: bytes) -> bytes:
        """Returns what is let through now: the line, with one that was held; nothing, if it is held itself.

        Raises:
            TrackingError: it is a start with a mask, which was not announced, or without any region.
        """
        held, self._held = self._held, b""
        if STARTS_WITH_MASK.match(line):
            raise TrackingError(NO_MASKS)
        if line.startswith(START) and not STARTS_WITH_REGION.match(line):
            if held or not self.several_objects or line.strip() != START:
                raise TrackingError(NO_CLIENT)
            self._held = line + b"\n"
            return b""
        if held and not line.startswith(START):
            raise TrackingError(NO_CLIENT)
        return held + line + b"\n"


@contextlib.contextmanager
def _whole_lines(several_objects: bool) -> Iterator[list[str]]:
    """Lets through only whole lines of standard input, while open; yields a list of why a line was refused.

    The TraX library waits for the end of a line for ever where the client has gone in the middle of one, and takes up
    all memory while it waits. After a line that is refused nothing is let through, as if the client had gone.
    """
    gate = _Gate(several_objects)
    client = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)
    refused: list[str] = []

    def copy() -> None:
        line = b""
        with contextlib.suppress(OSError), os.fdopen(writing, "wb", buffering=0) as lines:
            while len(line) < LONGEST_LINE and (part := os.read(client, 1 << 16)):
                *whole, line = (line + part).split(b"\n")
                try:
                    lines.write(b"".join(map(gate.passed, whole)))
                except TrackingError as error:
                    refused.append(str(error))
                    return

    threading.Thread(target=copy, daemon=True).start()
    try:
        yield refused
    finally:
        os.dup2(client, 0)
