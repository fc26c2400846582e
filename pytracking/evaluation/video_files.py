"""Opening of video files. Frames are read one after the other: OpenCV's seek misses frames where their rate varies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2

from ltr.data.image_loader import check_size

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm")


class VideoError(ValueError):
    """A video or a camera that gives no frames."""


def open_capture(path: Path) -> Any:
    """Returns OpenCV's ``VideoCapture`` of a video file, before its first frame.

    Raises:
        VideoError: there is no such file, or it is no video that OpenCV can read.
        ImageError: its frames are larger than :func:`ltr.data.image_loader.max_pixels` allows.
    """
    if not path.is_file():
        why = ": it is a directory" if path.is_dir() else ": it is a pipe or a device" if path.exists() else ""
        raise VideoError(f"there is no video {path}{why}")
    capture = cv2.VideoCapture(str(path.absolute()))  # FFmpeg takes what stands before a colon for a protocol
    if not capture.isOpened():
        raise VideoError(f"{path} cannot be read as a video: it is damaged, or of a kind that OpenCV does not know")
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    check_size(int(width), int(height), f"the video {path}")
    return capture
