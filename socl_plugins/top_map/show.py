"""Pictures of TOP maps: the frame with its click, the kept proposals, and the map."""

from __future__ import annotations

import cv2
import numpy as np

from pytracking.analysis.pictures import Shown
from socl_plugins.top_map.map import render
from socl_plugins.top_map.proposals import Proposals

HEIGHT = 290  # pixels of each picture: three of 4:3 fill a page
BOXES = 12  # proposals that are drawn: all of them hide the frame
GAP, SCALE_WIDTH = 6, 12  # pixels between pictures, and of the colour scale
GREY = 128  # seen on light pages and on dark ones
CLICK_COLOUR, WEAK_COLOUR, STRONG_COLOUR = (255, 230, 0), np.array([70, 110, 190]), np.array([255, 70, 40])  # RGB
MAPS_TEXT = (
    f"Left: the click. Middle: the {BOXES} most object-like of the kept proposals, the best in red. Right: the map, "
    "and its colours from 0 (below) to its largest value (above)."
)


def draw(name: str, image: np.ndarray, point: tuple[float, float], proposals: Proposals) -> Shown:
    """Returns the pictures of a frame.

    Args:
        name: of the frame.
        image: (H, W, 3) uint8, RGB.
        point: the click, x, y.
        proposals: in pixels of the frame.
    """
    scale = HEIGHT / image.shape[0]
    size = max(round(image.shape[1] * scale), 1), HEIGHT
    frame = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    clicked, boxed = frame.copy(), frame.copy()
    spot = round(point[0] * scale), round(point[1] * scale)
    cv2.circle(clicked, spot, 5, (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(clicked, spot, 4, CLICK_COLOUR, -1, cv2.LINE_AA)
    strength = np.linspace(1, 0, BOXES)  # by rank: scores differ by little
    for box, share in reversed(list(zip(proposals.boxes[:BOXES] * scale, strength))):  # the best on top
        colour = (WEAK_COLOUR + (STRONG_COLOUR - WEAK_COLOUR) * share).astype(int).tolist()
        first, last = np.rint(box[:2]).astype(int).tolist(), np.rint(box[:2] + box[2:]).astype(int).tolist()
        cv2.rectangle(boxed, first, last, colour, 1, cv2.LINE_AA)
    top = render(Proposals(proposals.boxes * np.float32(scale), proposals.scores), (HEIGHT, size[0]))
    heat = cv2.applyColorMap(np.rint(top / top.max() * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    mapped = cv2.addWeighted(frame, 0.35, np.ascontiguousarray(heat), 0.65, 0)
    gap = np.full((HEIGHT, GAP, 3), GREY, np.uint8)
    ramp = np.repeat(np.linspace(255, 0, HEIGHT).astype(np.uint8)[:, None], SCALE_WIDTH, axis=1)
    scale_bar = cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[..., ::-1]
    title = f"{name}: {len(proposals)} proposals, best {proposals.scores[0]:.2f}"
    return Shown(title, np.hstack([clicked, gap, boxed, gap, mapped, gap, scale_bar]))
