"""The box of a click by colour: what GrabCut takes for the target, begun from a rough box.

C. Rother et al., "GrabCut: interactive foreground extraction using iterated graph cuts", SIGGRAPH 2004.
"""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 128  # pixels that the longer side of what is looked at is brought to
MOST_ENLARGED = 4.0
LOOKED_AT = 3.0  # sides of the rough box; what lies outside of twice the box is background
BEGUN_WITH = ((2.0, cv2.GC_PR_BGD), (1.0, cv2.GC_PR_FGD), (1 / 3, cv2.GC_FGD))  # sides of the rough box
ROUNDS = 5


def cut_out(image: np.ndarray, click: tuple[float, float], box: np.ndarray) -> np.ndarray:
    """Returns the box (4,) of what GrabCut takes for the target, around the click.

    Where the click is not on the target, or all that is looked at may be the target, it is the rough box itself.
    OpenCV's random numbers begin anew, so the same frame gives the same box.

    Args:
        image: (H, W, 3) uint8 RGB.
        click: x, y in pixels.
        box: (4,) x, y, w, h, the rough one. Its middle third is taken for target.
    """
    center = box[:2] + box[2:] / 2
    corner = np.floor(np.maximum(center - LOOKED_AT / 2 * box[2:], 0)).astype(int)
    far = np.ceil(np.minimum(center + LOOKED_AT / 2 * box[2:], image.shape[1::-1])).astype(int)
    part = image[corner[1] : far[1], corner[0] : far[0]]
    if part.size == 0:
        return box
    scale = min(SIDE / max(part.shape[:2]), MOST_ENLARGED)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=how)
    mask = np.full(part.shape[:2], cv2.GC_BGD, np.uint8)
    for share, label in BEGUN_WITH:
        low = (center - share / 2 * box[2:] - corner) * scale
        high = low + np.maximum(share * box[2:] * scale, 1)
        (left, top), (right, bottom) = np.maximum(np.rint(low), 0).astype(int), np.ceil(high).astype(int)
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = label
    has_target = bool(((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).any())
    if not has_target or not (mask == cv2.GC_BGD).any():
        return box
    cv2.setRNGSeed(0)
    cv2.grabCut(part, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    target = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    _, regions, found, _ = cv2.connectedComponentsWithStats(target, connectivity=4)
    last = np.array(part.shape[1::-1]) - 1
    column, row = np.clip(np.rint((np.array(click) - corner) * scale), 0, last).astype(int)
    region = int(np.asarray(regions)[row, column])
    if not region:
        return box
    cut: np.ndarray = np.asarray(found)[region, :4] / scale
    cut[:2] += corner
    return cut
