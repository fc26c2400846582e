"""A tracker behind the TraX protocol, which VOT's official toolkit speaks: L. Cehovin, TraX, Neurocomputing 2017.

The protocol itself is the business of the package ``vot-trax``; it is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ltr.data.image_loader import load_image
from pytracking.evaluation.tracker import Tracker, TrackingError, seed_run

LONGEST_LINE = 1 << 20  # bytes of a message
START = b"@@TRAX:initialize"
STARTS_WITH_REGION = re.compile(START + rb'\s+"?[-+.\d]+(,[-+.\d]+){3,}"?(\s|$)')


def serve(tracker: Tracker) -> int:
    """Answers a TraX client until it leaves, and returns the number of frames that were tracked.

    The client gives paths of images and a box; it gets a box, and the tracker's ``confidence`` where it has one. What
    the tracker prints goes to standard error, since standard output may carry the protocol.

    Raises:
        TrackingError: the package ``vot-trax`` is not installed, no client is there or it sends no image of a known
            kind, or the tracker gives no box of four finite numbers.
    """
    try:
        import trax
    except ImportError as error:
        raise TrackingError("TraX needs the package vot-trax: pip install 'pytracking-socl[vot]'") from error
    with (
        contextlib.redirect_stdout(sys.stderr),
        _whole_lines(),
        trax.Server([trax.Region.RECTANGLE], [trax.Image.PATH], tracker_name=tracker.run_name) as server,
    ):
        try:
            return _answer(server, tracker)
        except trax.TraxException as error:
            cause: Exception = error
            failure: Exception = TrackingError(
                "no TraX client speaks to this tracker, or none that keeps to the protocol: VOT's toolkit starts this "
                "command and does; to run without it, name a data set, such as --dataset vot2018"
            )
        except Exception as error:
            cause = failure = error
    # Out here: of what is raised in there, the server prints the traceback.
    raise failure from (None if failure is cause else cause)


def _answer(server: Any, tracker: Tracker) -> int:
    import trax

    params = tracker.parameters()
    frames = starts = 0
    running, output = None, {}
    while True:
        request = server.wait()
        if request.type == trax.TraxStatus.QUIT:
            return frames
        image = load_image(request.image["color"].path())
        if request.type == trax.TraxStatus.INITIALIZE:
            starts += 1
            seed_run(params, tracker.run_id or 0, f"start {starts}")
            box = np.array(request.objects[0][0].bounds())
            running = tracker.create(params)
            output = running.initialize(image, {"init_bbox": box.tolist()}) or {}
        elif running is None:
            raise TrackingError("the client sent a frame before it started the tracker")
        else:
            output = running.track(image, {"previous_output": output})
            box = _box(output)
        frames += 1
        score = output.get("score")
        properties = {} if score is None else {"confidence": float(score)}
        server.status([(trax.Rectangle.create(*box.tolist()), properties)])


@contextlib.contextmanager
def _whole_lines() -> Iterator[None]:
    """Lets through only whole lines of standard input, while open.

    The TraX library waits for the end of a line for ever where the client has gone in the middle of one, and takes up
    all memory while it waits. A start without a region would end the process by a segmentation fault: from
    there on nothing is let through, as if the client had gone.
    """
    client = os.dup(0)
    reading, writing = os.pipe()
    os.dup2(reading, 0)
    os.close(reading)

    def copy() -> None:
        line = b""
        with contextlib.suppress(OSError), os.fdopen(writing, "wb", buffering=0) as lines:
            while len(line) < LONGEST_LINE and (part := os.read(client, 1 << 16)):
                *whole, line = (line + part).split(b"\n")
                if any(each.startswith(START) and not STARTS_WITH_REGION.match(each) for each in whole):
                    return
                lines.write(b"".join(each + b"\n" for each in whole))

    threading.Thread(target=copy, daemon=True).start()
    try:
        yield
    finally:
        os.dup2(client, 0)


def _box(output: Mapping[str, Any]) -> np.ndarray:
    box = np.asarray(output.get("target_bbox", ()), np.float64).reshape(-1)
    if box.shape != (4,) or not np.isfinite(box).all():
        raise TrackingError(f"target_bbox must be four finite numbers, not {output.get('target_bbox')!r}")
    return box
