"""What a click becomes: its TOP map and the box of it, as a small picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from socl_plugins.click_box.estimate import default_box
from socl_plugins.clicks.told_size import box_around
from socl_plugins.top_map.map import render
from socl_plugins.top_map.proposals import Proposals
from socl_plugins.top_map.propose import ProposalSettings, score_windows

PICTURE = (240, 180)  # width and height in pixels
CELLS = (90, 120)  # of the map on the picture: rows, columns
SEEN = 2.5  # sides of the picture's part of the frame, in those of the box
SMALLEST_VIEW = 80.0  # pixels of the frame
RED_GREEN = (255, 90, 40), (60, 230, 110)  # the map's, and the box's colour


@dataclass(frozen=True)
class Feedback:
    """What is learned from a click.

    Attributes:
        box: (4,) x, y, w, h in pixels of the frame: the one that a tracker would start from.
        picture: JPEG file of the frame around the box, the map laid over it in red, the box in green.
    """

    box: np.ndarray
    picture: bytes


def feedback(image: np.ndarray, click: tuple[float, float], size: tuple[float, float] | None = None) -> Feedback:
    """Returns what a click x, y on a frame (H, W, 3) RGB uint8 becomes; ``size`` w, h if a second click told it.

    Raises:
        ValueError: the click lies outside the frame.
    """
    windows = score_windows(image, click)
    box = default_box(image, click, windows) if size is None else box_around(click, size)
    return Feedback(box, _picture(image, click, windows.best(ProposalSettings()), box))


def _picture(image: np.ndarray, click: tuple[float, float], found: Proposals, box: np.ndarray) -> bytes:
    width, height = PICTURE
    scale = min(min(width / box[2], height / box[3]) / SEEN, width / SMALLEST_VIEW)  # pixels of the picture for one
    corner = box[:2] + box[2:] / 2 - np.array(PICTURE) / scale / 2
    matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    picture = cv2.warpAffine(image, matrix, PICTURE, flags=cv2.INTER_AREA, borderValue=(128, 128, 128))
    moved = Proposals(((found.boxes - [*corner, 0, 0]) * scale).astype(np.float32), found.scores)
    cells = render(moved, CELLS, width / CELLS[1])
    weight = cv2.resize(cells / cells.max(), PICTURE, interpolation=cv2.INTER_LINEAR)[..., None] * 0.6
    shown = (picture * (1 - weight) + np.array(RED_GREEN[0]) * weight).astype(np.uint8)

    def at(x: float, y: float) -> tuple[int, int]:
        return round((x - corner[0]) * scale), round((y - corner[1]) * scale)

    cv2.rectangle(shown, at(*box[:2]), at(*(box[:2] + box[2:])), RED_GREEN[1], 2, cv2.LINE_AA)
    cv2.drawMarker(shown, at(*click), (255, 255, 255), cv2.MARKER_CROSS, 15, 3, cv2.LINE_AA)
    cv2.drawMarker(shown, at(*click), (0, 0, 0), cv2.MARKER_CROSS, 13, 1, cv2.LINE_AA)
    return cv2.imencode(".jpg", cv2.cvtColor(shown, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
