"""A picture of mini-batches: an anchor and its neighbours, an anchor and others at random (PUL, figures 1 and 2)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

TILE, GAP, CAPTION = 96, 4, 26  # pixels
TITLES = "an anchor and its nearest neighbours (AHM)", "the same anchor and patches at random"
ANCHOR_COLOUR = (255, 150, 0)


def draw_groups(hard: Sequence[np.ndarray], random: Sequence[np.ndarray], columns: int = 6) -> np.ndarray:
    """Returns a picture (H, W, 3) uint8 RGB of two mini-batches side by side, each with its anchor at the top left.

    Args:
        hard: patches (Z, Z, 3) uint8 RGB of the anchor's neighbours, the anchor first.
        random: as many patches, of the random mini-batch.
        columns: patches in a row.
    """
    blocks = [_block(patches, columns, title) for patches, title in zip((hard, random), TITLES)]
    return np.hstack([blocks[0], np.full((len(blocks[0]), 6 * GAP, 3), 255, np.uint8), blocks[1]])


def _block(patches: Sequence[np.ndarray], columns: int, title: str) -> np.ndarray:
    rows = -(-len(patches) // columns)
    step = TILE + GAP
    picture = np.full((CAPTION + rows * step + GAP, columns * step + GAP, 3), 255, np.uint8)
    cv2.putText(picture, title, (GAP, CAPTION - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    for number, patch in enumerate(patches):
        top, left = CAPTION + number // columns * step, GAP + number % columns * step
        tile = cv2.resize(patch, (TILE, TILE), interpolation=cv2.INTER_AREA)
        picture[top : top + TILE, left : left + TILE] = tile
        if number == 0:
            cv2.rectangle(picture, (left, top), (left + TILE - 1, top + TILE - 1), ANCHOR_COLOUR, 3)
    return picture
