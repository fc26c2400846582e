"""Pictures of TOP maps: the frame with its click, the kept proposals, and the map."""

from __future__ import annotations

import cv2
import numpy as np

from pytracking.analysis.pictures import Shown
from socl_plugins.top_map.map import render
from socl_plugins.top_map.proposals import Proposals

HEIGHT = 220  # pixels of each picture
CLICK_COLOUR, WEAK_COLOUR, STRONG_COLOUR = (255, 230, 0), np.array([70, 110, 190]), np.array([255, 70, 40])  # RGB
MAPS_TEXT = "Left: the click. Middle: the kept proposals, the most object-like in red. Right: the map."


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
    strength = proposals.scores / max(float(proposals.scores.max()), 1e-6)
    for box, share in reversed(list(zip(proposals.boxes * scale, strength))):  # the best on top
        colour = (WEAK_COLOUR + (STRONG_COLOUR - WEAK_COLOUR) * share).astype(int).tolist()
        first, last = np.rint(box[:2]).astype(int).tolist(), np.rint(box[:2] + box[2:]).astype(int).tolist()
        cv2.rectangle(boxed, first, last, colour, 1, cv2.LINE_AA)
    top = render(Proposals(proposals.boxes * np.float32(scale), proposals.scores), (HEIGHT, size[0]))
    heat = cv2.applyColorMap(np.rint(top / top.max() * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    mapped = cv2.addWeighted(frame, 0.35, np.ascontiguousarray(heat), 0.65, 0)
    gap = np.full((HEIGHT, 6, 3), 255, np.uint8)
    title = f"{name}: {len(proposals)} proposals, best {proposals.scores[0]:.2f}"
    return Shown(title, np.hstack([clicked, gap, boxed, gap, mapped]))
