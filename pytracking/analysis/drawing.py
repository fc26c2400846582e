"""Boxes and words drawn on frames."""

from __future__ import annotations

import cv2
import numpy as np

TRUE_COLOUR = (60, 220, 60)
TRACKED_COLOUR = (255, 70, 50)  # RGB
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def fit(image: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Returns a copy of the frame as RGB uint8 of ``size`` (width, height), and pixels of it for one of the frame.

    The frame keeps its aspect ratio; what remains is black.
    """
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    fitted = (max(round(width * scale), 1), max(round(height * scale), 1))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[: fitted[1], : fitted[0]] = cv2.resize(image, fitted, interpolation=interpolation)
    return canvas, scale


def line_width(height: int) -> int:
    """Returns the thickness of lines in pictures of that height, in pixels."""
    return max(round(height / 150), 1)


def draw_box(canvas: np.ndarray, box: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    """Draws a box x, y, w, h."""
    # Boxes far outside would not fit into OpenCV's integers.
    limits = np.array([canvas.shape[1], canvas.shape[0]])
    first, last = (np.clip(corner, -limits, 2 * limits).round().astype(int) for corner in (box[:2], box[:2] + box[2:]))
    cv2.rectangle(canvas, tuple(map(int, first)), tuple(map(int, last)), colour, thickness, cv2.LINE_AA)


def draw_text(canvas: np.ndarray, text: str) -> None:
    """Writes a line on black into the left upper corner."""
    scale = max(canvas.shape[0] / 500, 0.35)
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, 1)
    cv2.rectangle(canvas, (0, 0), (width + 6, height + baseline + 4), (0, 0, 0), cv2.FILLED)
    cv2.putText(canvas, text, (3, height + 3), _FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)


def draw_legend(canvas: np.ndarray) -> None:
    """Writes on black in the left lower corner which colour is the true box and which the tracked one."""
    scale = max(canvas.shape[0] / 500, 0.4)
    words = [("true", TRUE_COLOUR), ("tracked", TRACKED_COLOUR)]
    widths = [cv2.getTextSize(f"{word} ", _FONT, scale, 1)[0][0] for word, _ in words]
    (_, height), baseline = cv2.getTextSize("true tracked", _FONT, scale, 1)
    bottom = canvas.shape[0] - 1
    cv2.rectangle(canvas, (0, bottom - height - baseline - 4), (sum(widths) + 3, bottom), (0, 0, 0), cv2.FILLED)
    left = 3
    for (word, colour), width in zip(words, widths):
        cv2.putText(canvas, word, (left, bottom - baseline), _FONT, scale, colour, 1, cv2.LINE_AA)
        left += width
