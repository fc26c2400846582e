"""A tracker's process: it reads a question as a line of JSON, and answers with a line of JSON.

A question is ``{"frame": FILE}``, with ``"box": [x, y, w, h]`` where tracking begins; the answer ``{"ms": TIME, "box":
[x, y, w, h]}``. Files are read and decoded before the clock starts. The first line is the process's own, without a
question: ``{"ready": true, "weights": {NAME: CHECKSUM}}``.

Nothing of this project is imported here: the originals' processes use it, too, beside packages of the same names.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

import cv2
import numpy as np


class Served(Protocol):
    """What a process tracks with. Frames are RGB (H, W, 3) uint8; boxes x, y, w, h, the first pixel at 0."""

    def start(self, frame: np.ndarray, box: list[float]) -> None:
        """Begins on a frame, whatever was tracked before."""

    def track(self, frame: np.ndarray) -> list[float]:
        """Returns the box in the next frame."""


def claim_answers() -> TextIO:
    """Returns where answers go. What the tracker itself prints then goes to the standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def serve(tracker: Served, weights: Mapping[str, int], answers: TextIO) -> None:
    """Answers questions until there are no more."""
    _answer(answers, {"ready": True, "weights": dict(weights)})
    for line in sys.stdin:
        _answer(answers, _asked(tracker, json.loads(line)))


def _asked(tracker: Served, question: Mapping[str, Any]) -> dict[str, Any]:
    pixels = cv2.imread(question["frame"], cv2.IMREAD_COLOR)
    if pixels is None:
        raise SystemExit(f"{question['frame']}: OpenCV cannot read this picture")
    frame = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    begin = time.perf_counter()
    if "box" in question:
        tracker.start(frame, question["box"])
        box = question["box"]
    else:
        box = tracker.track(frame)
    took = 1000 * (time.perf_counter() - begin)
    return {"ms": took, "box": [float(value) for value in box]}


def _answer(answers: TextIO, content: Mapping[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()
