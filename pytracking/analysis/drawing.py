"""Boxes and words drawn on frames."""

from __future__ import annotations

import colorsys
from collections.abc import Container, Mapping, Sequence

import cv2
import numpy as np

TRUE_COLOUR = (60, 220, 60)
TRACKED_COLOUR = (255, 70, 50)  # RGB
# Told apart by people who see colours differently, too (M. Okabe & K. Ito, Color Universal Design), bright on video.
TARGET_COLOURS = ((240, 90, 20), (70, 180, 240), (255, 225, 60), (10, 190, 130), (225, 120, 190), (40, 110, 255))
LOST_COLOUR = (255, 200, 40)
DASHES = 7  # on each side of a dashed box
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
    """Returns the thickness of lines in pictures of that height, in pixels.

    Videos keep one colour for 2 x 2 pixels, so a line of a single pixel would lose half of its own.
    """
    return max(round(height / 150), 2)


def draw_box(canvas: np.ndarray, box: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    """Draws a box x, y, w, h."""
    # Boxes far outside would not fit into OpenCV's integers.
    limits = np.array([canvas.shape[1], canvas.shape[0]])
    first, last = (np.clip(corner, -limits, 2 * limits).round().astype(int) for corner in (box[:2], box[:2] + box[2:]))
    cv2.rectangle(canvas, tuple(map(int, first)), tuple(map(int, last)), colour, thickness, cv2.LINE_AA)


def target_colour(place: int) -> tuple[int, int, int]:
    """Returns the colour, RGB, of the target number ``place`` of a video, from 0."""
    if place < len(TARGET_COLOURS):
        return TARGET_COLOURS[place]
    hue = place * 0.381966 % 1  # a golden section of the circle on from the last one
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.55 if place % 2 else 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_targets(
    canvas: np.ndarray, boxes: Mapping[str, np.ndarray], names: Sequence[str], lost: Container[str] = ()
) -> None:
    """Draws the boxes x, y, w, h of targets, each in its colour and with its name above, or where there is room.

    Args:
        canvas: RGB uint8 (H, W, 3).
        boxes: by the targets' names.
        names: of all targets of the video, in the order of their colours.
        lost: names of those whose boxes are dashed.
    """
    thickness = line_width(canvas.shape[0])
    for place, name in enumerate(names):
        if name in boxes:
            draw = draw_lost_box if name in lost else draw_box
            draw(canvas, boxes[name], target_colour(place), thickness)
    for place, name in enumerate(names):  # above all boxes, so that each can be read
        if name in boxes:
            _draw_name(canvas, boxes[name], name, target_colour(place))


def _draw_name(canvas: np.ndarray, box: np.ndarray, name: str, colour: tuple[int, int, int]) -> None:
    scale = max(canvas.shape[0] / 1000, 0.35)
    text = name.encode("ascii", "replace").decode()  # OpenCV's letters
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, 1)
    tall = height + baseline + 2
    x, y, w, h = np.nan_to_num(box, posinf=1e6, neginf=-1e6).clip(-1e6, 1e6)
    if x >= canvas.shape[1] or y >= canvas.shape[0] or x + w <= 0 or y + h <= 0:
        return  # nothing of the box is in the picture
    left = int(np.clip(x, 0, max(canvas.shape[1] - width - 4, 0)))
    top = int(y) - tall if y >= tall else int(min(max(y + h, 0), canvas.shape[0] - tall))
    cv2.rectangle(canvas, (left, top), (left + width + 4, top + tall), colour, cv2.FILLED)
    dark = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2] < 128
    cv2.putText(
        canvas, text, (left + 2, top + height + 2), _FONT, scale, (255, 255, 255) if dark else (0, 0, 0), 1, cv2.LINE_AA
    )


def draw_lost_box(canvas: np.ndarray, box: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    """Draws a box x, y, w, h with dashed lines: where a tracker points that has lost its target."""
    drawn = canvas.copy()
    draw_box(drawn, box, colour, thickness)
    height, width = canvas.shape[:2]
    x, y, w, h = (float(value) for value in box)
    dashes = 2 * DASHES - 1  # lines and gaps, a line at both ends
    across = np.floor((np.arange(width) + 0.5 - x) / max(w / dashes, 1e-6)) % 2 == 0
    down = np.floor((np.arange(height) + 0.5 - y) / max(h / dashes, 1e-6)) % 2 == 0
    # A horizontal line is dashed by where it is across, a vertical one by where it is down.
    inside = (np.abs(np.arange(height) - y) <= thickness) | (np.abs(np.arange(height) - y - h) <= thickness)
    shown = np.where(inside[:, None], across[None], down[:, None])
    canvas[shown] = drawn[shown]


def draw_text(canvas: np.ndarray, text: str) -> None:
    """Writes a line on black into the left upper corner."""
    scale = max(canvas.shape[0] / 500, 0.35)
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, 1)
    cv2.rectangle(canvas, (0, 0), (width + 6, height + baseline + 4), (0, 0, 0), cv2.FILLED)
    cv2.putText(canvas, text, (3, height + 3), _FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)


def draw_legend(canvas: np.ndarray, lost: bool = False) -> None:
    """Writes on black in the left lower corner which colour is the true box, which the tracked, and the lost one."""
    scale = max(canvas.shape[0] / 500, 0.4)
    words = [("true", TRUE_COLOUR), ("tracked", TRACKED_COLOUR), *([("lost", LOST_COLOUR)] if lost else [])]
    widths = [cv2.getTextSize(f"{word} ", _FONT, scale, 1)[0][0] for word, _ in words]
    (_, height), baseline = cv2.getTextSize("true tracked", _FONT, scale, 1)
    bottom = canvas.shape[0] - 1
    cv2.rectangle(canvas, (0, bottom - height - baseline - 4), (sum(widths) + 3, bottom), (0, 0, 0), cv2.FILLED)
    left = 3
    for (word, colour), width in zip(words, widths):
        cv2.putText(canvas, word, (left, bottom - baseline), _FONT, scale, colour, 1, cv2.LINE_AA)
        left += width
