"""Videos in which a target is lost, made of videos in which it is not: covered for a while, or moved by a cut.

Videos with boxes seldom show what a tracker does without its target, and a confidence has to be fitted on that, too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from pytracking.evaluation.sequence import Frame, Sequence

MARGIN = 0.15  # of a target's sides that is covered beyond each edge of its box
TRIES = 64  # places in the frame that are looked at for a piece of background


def covered(sequence: Sequence, first: int, count: int) -> Sequence:
    """Returns the video with its target hidden in some frames, by a piece of the same frame's background.

    The frames are made when they are asked for; in those, ``target_visible`` is false. The piece is the same place's in
    all frames, drawn by the sequence's name. A target whose box is not known in a frame is not covered there.

    Args:
        sequence: the video.
        first: index of the first frame that is covered, 1 or more.
        count: how many are.

    Raises:
        ValueError: the frames are not in the video, or the first frame is among them.
    """
    if not 0 < first < len(sequence) or count < 1:
        raise ValueError(
            f"{sequence.name} has {len(sequence)} frames; frames {first} to {first + count - 1} do not fit"
        )
    hidden = np.zeros(len(sequence), bool)
    hidden[first : first + count] = True
    shown = np.ones(len(sequence), bool) if sequence.target_visible is None else sequence.target_visible
    boxes = sequence.ground_truth_rect
    frames: list[Frame] = [
        partial(_covered_frame, sequence, index) if hidden[index] and _is_box(boxes[index]) else frame
        for index, frame in enumerate(sequence.frames)
    ]
    return replace(sequence, name=f"{sequence.name}-covered", frames=frames, target_visible=shown & ~hidden)


def with_cut(sequence: Sequence, first: int, count: int) -> Sequence:
    """Returns the video without some frames in its middle, so that the target jumps.

    Raises:
        ValueError: no frame would be left before or after.
    """
    if not 0 < first < first + count < len(sequence):
        raise ValueError(
            f"{sequence.name} has {len(sequence)} frames; a cut from {first} to {first + count} leaves none"
        )
    kept = np.r_[0:first, first + count : len(sequence)]
    visible = None if sequence.target_visible is None else sequence.target_visible[kept]
    meta = {
        key: value[kept] if isinstance(value, np.ndarray) and len(value) == len(sequence) else value
        for key, value in sequence.meta.items()
    }
    return replace(
        sequence,
        name=f"{sequence.name}-cut",
        frames=[sequence.frames[int(index)] for index in kept],
        ground_truth_rect=sequence.ground_truth_rect[kept],
        target_visible=visible,
        meta=meta,
    )


def cover(image: np.ndarray, box: np.ndarray, seed: int) -> np.ndarray:
    """Returns a copy of the frame (H, W, 3) with the box x, y, w, h, and a margin, hidden by some of its background.

    Where the frame has no such piece beside the box, its largest strip of background is stretched.
    """
    height, width = image.shape[:2]
    grown = np.array([*(box[:2] - MARGIN * box[2:]), *(box[2:] * (1 + 2 * MARGIN))])
    corners = np.r_[grown[:2], grown[:2] + grown[2:]].round().astype(int)
    left, top, right, bottom = np.clip(corners, 0, [width, height, width, height]).tolist()
    if right - left < 1 or bottom - top < 1:
        return image.copy()
    piece = cv2.resize(_background(image, (left, top, right, bottom), seed), (right - left, bottom - top))
    mask = np.zeros((height, width), np.float32)
    mask[top:bottom, left:right] = 1
    blur = max(min(right - left, bottom - top) / 16, 0.5)
    soft = cv2.GaussianBlur(mask, (0, 0), blur)[top:bottom, left:right, None]
    soft = np.maximum(soft, 0.5) * 2 - 1  # 1 inside, 0 on the edge
    hidden = image.copy()
    seen = image[top:bottom, left:right]
    hidden[top:bottom, left:right] = (soft * piece.reshape(seen.shape) + (1 - soft) * seen).round().astype(np.uint8)
    return hidden


def _background(image: np.ndarray, box: tuple[int, int, int, int], seed: int) -> np.ndarray:
    height, width = image.shape[:2]
    left, top, right, bottom = box
    w, h = right - left, bottom - top
    for x, y in np.random.default_rng(seed).random((TRIES, 2)) * [width - w, height - h]:
        x, y = int(x), int(y)
        if x >= right or x + w <= left or y >= bottom or y + h <= top:
            return image[y : y + h, x : x + w]
    strips = [image[:top], image[bottom:], image[:, :left], image[:, right:]]
    largest = max(strips, key=lambda strip: strip.shape[0] * strip.shape[1])
    return largest if largest.size else np.full((1, 1, image.shape[2]), 128, np.uint8)


def _covered_frame(sequence: Sequence, index: int) -> np.ndarray:
    return cover(sequence.frame(index), sequence.ground_truth_rect[index], zlib.crc32(sequence.name.encode()))


def _is_box(box: np.ndarray) -> bool:
    return bool(np.isfinite(box).all() and (box[2:] > 0).all())


Change = Callable[[Sequence], Sequence]
