"""Pictures of a tracked sequence: a video, or a strip of frames, with the true and the tracked boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ltr.admin.files import write_atomically, write_bytes_atomically
from pytracking.analysis.metrics import iou
from pytracking.evaluation.sequence import Sequence

TRUE_COLOUR = (60, 220, 60)
TRACKED_COLOUR = (255, 70, 50)  # RGB
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class RenderError(OSError):
    """A picture that could not be made."""


def draw_frame(sequence: Sequence, boxes: np.ndarray, index: int, size: tuple[int, int], label: str = "") -> np.ndarray:
    """Returns frame ``index`` as RGB uint8 of ``size`` (width, height), with its boxes and their overlap.

    The frame keeps its aspect ratio; what remains is black. The true box is green, the tracked one red.
    """
    image = sequence.frame(index)
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    fitted = (max(round(width * scale), 1), max(round(height * scale), 1))
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[: fitted[1], : fitted[0]] = cv2.resize(image, fitted, interpolation=interpolation)
    truth = sequence.ground_truth_rect[index]
    visible = sequence.target_visible is None or bool(sequence.target_visible[index])
    thickness = max(round(size[1] / 150), 1)
    if visible and np.isfinite(truth).all() and (truth[2:] > 0).all():
        _rectangle(canvas, truth * scale, TRUE_COLOUR, thickness)
        overlap = f"IoU {float(iou(boxes[index], truth)):.2f}"
    else:
        overlap = "not visible"
    _rectangle(canvas, boxes[index] * scale, TRACKED_COLOUR, thickness)
    _text(canvas, f"{label}{' ' if label else ''}#{index + 1} {overlap}")
    _legend(canvas)
    return canvas


def render_strip(
    sequence: Sequence, boxes: np.ndarray, path: Path, columns: int = 6, rows: int = 1, height: int = 240
) -> Path:
    """Writes a picture (PNG) of frames evenly spread over the sequence, and returns its path.

    Args:
        sequence: the sequence.
        boxes: (T, 4) the tracked boxes.
        path: the file to write.
        columns: frames in a row.
        rows: rows of frames.
        height: of each frame in pixels.

    Raises:
        ValueError: another number of boxes than frames.
        WriteError: the file cannot be written.
    """
    _check(sequence, boxes)
    size = _size(sequence, height)
    indices = np.linspace(0, len(sequence) - 1, min(columns * rows, len(sequence))).round().astype(int)
    pictures = [draw_frame(sequence, boxes, int(index), size) for index in indices]
    columns = min(columns, len(pictures))
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % columns)
    lines = [np.hstack(pictures[start : start + columns]) for start in range(0, len(pictures), columns)]
    encoded = cv2.imencode(".png", cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR))[1]
    write_bytes_atomically(path, encoded.tobytes())
    return path


def render_video(sequence: Sequence, boxes: np.ndarray, path: Path, rate: float = 25.0, height: int = 480) -> Path:
    """Writes a video (MP4) of the whole sequence, and returns its path.

    Args:
        sequence: the sequence.
        boxes: (T, 4) the tracked boxes.
        path: the file to write, ending in .mp4.
        rate: frames of the video for a second.
        height: of the video in pixels at most; smaller frames keep their own.

    Raises:
        ValueError: another number of boxes than frames, or another ending.
        RenderError: this OpenCV cannot write such a video.
        WriteError: the file cannot be written.
    """
    _check(sequence, boxes)
    if path.suffix != ".mp4":
        raise ValueError(f"a video must end in .mp4: {path}")
    size = _size(sequence, min(height, sequence.frame(0).shape[0]))

    def write(partial: Path) -> None:
        # OpenCV chooses the container by the ending, which the temporary name does not have.
        temporary = partial.with_name(f"{partial.name}.mp4")
        try:
            _encode((draw_frame(sequence, boxes, index, size) for index in range(len(sequence))), temporary, size, rate)
            temporary.replace(partial)
        finally:
            temporary.unlink(missing_ok=True)

    write_atomically(path, write)
    return path


def _encode(frames: Iterator[np.ndarray], file: Path, size: tuple[int, int], rate: float) -> None:
    """Writes RGB frames of ``size`` to an MP4 file."""
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    try:
        if not writer.isOpened():
            raise RenderError(
                f"OpenCV {cv2.__version__} cannot write the video {file}: is its directory writable, and does this "
                "OpenCV have FFmpeg (cv2.getBuildInformation() says so)?"
            )
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    finally:
        writer.release()


def _size(sequence: Sequence, height: int) -> tuple[int, int]:
    """Returns width and height, both even as video encoders want them, in the first frame's aspect ratio."""
    shape = sequence.frame(0).shape
    return max(round(shape[1] * height / shape[0] / 2), 1) * 2, max(round(height / 2), 1) * 2


def _check(sequence: Sequence, boxes: np.ndarray) -> None:
    if boxes.shape != (len(sequence), 4):
        raise ValueError(f"{sequence.name} has {len(sequence)} frames, but the boxes have the shape {boxes.shape}")


def _rectangle(canvas: np.ndarray, box: np.ndarray, colour: tuple[int, int, int], thickness: int) -> None:
    # Boxes far outside would not fit into OpenCV's integers.
    limits = np.array([canvas.shape[1], canvas.shape[0]])
    first, last = (np.clip(corner, -limits, 2 * limits).round().astype(int) for corner in (box[:2], box[:2] + box[2:]))
    cv2.rectangle(canvas, tuple(map(int, first)), tuple(map(int, last)), colour, thickness, cv2.LINE_AA)


def _text(canvas: np.ndarray, text: str) -> None:
    scale = max(canvas.shape[0] / 500, 0.35)
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, 1)
    cv2.rectangle(canvas, (0, 0), (width + 6, height + baseline + 4), (0, 0, 0), cv2.FILLED)
    cv2.putText(canvas, text, (3, height + 3), _FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)


def _legend(canvas: np.ndarray) -> None:
    scale = max(canvas.shape[0] / 700, 0.35)
    left = 3
    for word, colour in (("true", TRUE_COLOUR), ("tracked", TRACKED_COLOUR)):
        position = (left, canvas.shape[0] - 5)
        cv2.putText(canvas, word, position, _FONT, scale, (0, 0, 0), 3, cv2.LINE_AA)  # a dark rim
        cv2.putText(canvas, word, position, _FONT, scale, colour, 1, cv2.LINE_AA)
        left += cv2.getTextSize(f"{word} ", _FONT, scale, 1)[0][0]
