"""Pictures of a tracked sequence: a video, or a strip of frames, with the true and the tracked boxes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from ltr.admin.files import PARTIAL_SUFFIX, write_atomically, write_bytes_atomically
from pytracking.analysis.drawing import (
    LOST_COLOUR,
    TRACKED_COLOUR,
    TRUE_COLOUR,
    draw_box,
    draw_legend,
    draw_lost_box,
    draw_text,
    fit,
    line_width,
)
from pytracking.analysis.encode import EncodeError, encode
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Judgement
from pytracking.metrics import iou

PROBE_SIZE = 1 << 20  # bytes that are written to tell whether a disk is full


class RenderError(RuntimeError):
    """A picture that could not be made."""


def draw_frame(
    sequence: Sequence,
    boxes: np.ndarray,
    index: int,
    size: tuple[int, int],
    label: str = "",
    judged: Judgement | None = None,
) -> np.ndarray:
    """Returns frame ``index`` as RGB uint8 of ``size`` (width, height), with its boxes and their overlap.

    The frame keeps its aspect ratio; what remains is black. The true box is green, the tracked one red, or, where the
    tracker has lost its target, yellow and dashed.
    """
    canvas, scale = fit(sequence.frame(index), size)
    thickness = line_width(size[1])
    overlap = "not visible"
    if has_true_box(sequence, index):
        truth = sequence.ground_truth_rect[index]
        draw_box(canvas, truth * scale, TRUE_COLOUR, thickness)
        overlap = f"IoU {float(iou(boxes[index], truth)):.2f}"
    sure = ""
    if judged is not None:
        sure = f" confidence {judged.confidence[index]:.2f}{' LOST' if judged.lost[index] else ''}"
    if judged is not None and judged.lost[index]:
        draw_lost_box(canvas, boxes[index] * scale, LOST_COLOUR, thickness)
    else:
        draw_box(canvas, boxes[index] * scale, TRACKED_COLOUR, thickness)
    draw_text(canvas, f"{label}{' ' if label else ''}#{index + 1} {overlap}{sure}")
    draw_legend(canvas, lost=judged is not None)
    return canvas


def has_true_box(sequence: Sequence, index: int) -> bool:
    """Returns whether the target is visible in a frame and its box is known and not empty."""
    truth = sequence.ground_truth_rect[index]
    visible = sequence.target_visible is None or bool(sequence.target_visible[index])
    return visible and bool(np.isfinite(truth).all() and (truth[2:] > 0).all())


def render_strip(
    sequence: Sequence,
    boxes: np.ndarray,
    path: Path,
    columns: int = 6,
    rows: int = 1,
    height: int = 240,
    judged: Judgement | None = None,
) -> Path:
    """Writes a picture (PNG) of frames evenly spread over the sequence, and returns its path.

    Args:
        sequence: the sequence.
        boxes: (T, 4) the tracked boxes.
        path: the file to write.
        columns: frames in a row.
        rows: rows of frames.
        height: of each frame in pixels.
        judged: how sure the tracker was.

    Raises:
        ValueError: another number of boxes than frames.
        WriteError: the file cannot be written.
    """
    _check(sequence, boxes)
    size = even_size(sequence.frame(0), height)
    indices = np.linspace(0, len(sequence) - 1, min(columns * rows, len(sequence))).round().astype(int)
    pictures = [draw_frame(sequence, boxes, int(index), size, judged=judged) for index in indices]
    columns = min(columns, len(pictures))
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % columns)
    lines = [np.hstack(pictures[start : start + columns]) for start in range(0, len(pictures), columns)]
    encoded = cv2.imencode(".png", cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR))[1]
    write_bytes_atomically(path, encoded.tobytes())
    return path


def render_video(
    sequence: Sequence,
    boxes: np.ndarray,
    path: Path,
    rate: float = 25.0,
    height: int = 480,
    judged: Judgement | None = None,
) -> Path:
    """Writes a video (MP4) of the whole sequence, and returns its path.

    Args:
        sequence: the sequence.
        boxes: (T, 4) the tracked boxes.
        path: the file to write, ending in .mp4.
        rate: frames of the video for a second.
        height: of the video in pixels at most; smaller frames keep their own.
        judged: how sure the tracker was.

    Raises:
        ValueError: another number of boxes than frames, or another ending.
        RenderError: this machine cannot write such a video.
        WriteError: the file cannot be written.
    """
    _check(sequence, boxes)
    size = even_size(sequence.frame(0), min(height, sequence.frame(0).shape[0]))
    frames = (draw_frame(sequence, boxes, index, size, judged=judged) for index in range(len(sequence)))
    write_video(path, frames, size, rate)
    return path


def write_video(path: Path, frames: Iterable[np.ndarray], size: tuple[int, int], rate: float = 25.0) -> None:
    """Writes a video (MP4) of RGB frames, whole or not at all; they may be made while it is written.

    It is coded in H.264 where this machine has an encoder for that, else in MPEG-4 (``encode.py``).

    Args:
        path: the file to write, ending in .mp4.
        frames: RGB uint8, each of ``size``.
        size: width and height in pixels, both even.
        rate: frames of the video for a second.

    Raises:
        ValueError: another ending.
        RenderError: this machine cannot write such a video, or what it wrote cannot be read.
        WriteError: the file cannot be written, such as because the disk is full.
    """
    if path.suffix != ".mp4":
        raise ValueError(f"a video must end in .mp4: {path}")

    def write(partial: Path) -> None:
        # OpenCV chooses the container by the ending, which the temporary name does not have.
        temporary = partial.with_name(f"{partial.name}.mp4")
        try:
            _check_video(temporary, _encoded(frames, temporary, size, rate))
            temporary.replace(partial)
        finally:
            temporary.unlink(missing_ok=True)

    write_atomically(path, write)


def _encoded(frames: Iterable[np.ndarray], file: Path, size: tuple[int, int], rate: float) -> int:
    try:
        return encode(frames, file, size, rate)
    except EncodeError as error:
        raise RenderError(str(error)) from error


def _check_video(file: Path, count: int) -> None:
    """Raises OSError or RenderError unless a video has this many frames that can be read: the writer tells no error."""
    reader = cv2.VideoCapture(str(file))
    readable = 0
    while reader.grab():
        readable += 1
    reader.release()
    if readable == count:
        return
    with file.with_name(f"{file.name}{PARTIAL_SUFFIX}").open("wb") as probe:  # is the disk full?
        try:
            probe.write(bytes(PROBE_SIZE))
            probe.flush()
            os.fsync(probe.fileno())
        finally:
            Path(probe.name).unlink()
    raise RenderError(
        f"of the {count} frames of a video {readable} can be read by OpenCV {cv2.__version__} after it was written"
    )


def even_size(image: np.ndarray, height: int) -> tuple[int, int]:
    """Returns width and height, both even as video encoders want them, in the frame's aspect ratio."""
    shape = image.shape
    return max(round(shape[1] * height / shape[0] / 2), 1) * 2, max(round(height / 2), 1) * 2


def _check(sequence: Sequence, boxes: np.ndarray) -> None:
    if boxes.shape != (len(sequence), 4):
        raise ValueError(f"{sequence.name} has {len(sequence)} frames, but the boxes have the shape {boxes.shape}")
