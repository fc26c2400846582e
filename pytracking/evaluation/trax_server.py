"""A tracker behind the TraX protocol, which VOT's official toolkit speaks: L. Cehovin, TraX, Neurocomputing 2017.

The protocol itself is the business of the package ``vot-trax``; it is imported when it is needed.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from ltr.data.image_loader import load_image
from pytracking.evaluation.tracker import Tracker, TrackingError, seed_run


def serve(tracker: Tracker) -> int:
    """Answers a TraX client until it leaves, and returns the number of frames that were tracked.

    The client gives paths of images and a box; it gets a box, and the tracker's ``confidence`` where it has one. What
    the tracker prints goes to standard error, since standard output may carry the protocol.

    Raises:
        ImportError: the package ``vot-trax`` is not installed.
        TrackingError: the tracker gives no box of four finite numbers, or the client sends no image of a known kind, or
            what TraX does not know, or there is none.
    """
    try:
        import trax
    except ImportError as error:
        raise ImportError("TraX needs the package vot-trax: pip install 'pytracking-socl[vot]'") from error
    params = tracker.parameters()
    frames = starts = 0
    running, output = None, {}
    stopped: Exception | None = None
    with (
        contextlib.redirect_stdout(sys.stderr),
        trax.Server([trax.Region.RECTANGLE], [trax.Image.PATH], tracker_name=tracker.run_name) as server,
    ):
        while True:
            try:
                request = server.wait()
            except trax.TraxException as error:  # not through `with`: leaving it by an error prints a traceback
                stopped = error
                break
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
    raise TrackingError(
        f"no TraX client speaks to this program ({stopped}): VOT's toolkit starts it; to track here, name a data set "
        "with --dataset"
    ) from stopped


def _box(output: Mapping[str, Any]) -> np.ndarray:
    box = np.asarray(output.get("target_bbox", ()), np.float64).reshape(-1)
    if box.shape != (4,) or not np.isfinite(box).all():
        raise TrackingError(f"target_bbox must be four finite numbers, not {output.get('target_bbox')!r}")
    return box
