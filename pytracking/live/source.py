"""Where frames come from: a video file, a folder of images, or a camera."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from ltr.dataset.video_sources import Source
from pytracking.evaluation.video_files import VideoError, open_capture

T = TypeVar("T")
USUAL_RATE = 25.0  # frames a second, where a source does not say


@dataclass(frozen=True)
class VideoSource:
    """Frames, one after the other.

    Attributes:
        name: of the file without its ending, or ``camera_0``.
        rate: frames for a second.
        announced: frames that the file says it has; 0 if that is unknown.
        where: the file or camera, for messages.
        capture: OpenCV's, opened.
    """

    name: str
    rate: float
    announced: int
    where: str
    capture: Any = field(repr=False)

    def frames(self) -> Generator[np.ndarray, None, None]:
        """Yields the frames, RGB uint8 (H, W, 3), and closes the source after the last one.

        Raises:
            VideoError: there is not even one.
        """
        count = 0
        try:
            while True:
                read, image = self.capture.read()
                if not read or image is None:
                    break
                count += 1
                yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        finally:
            self.capture.release()
        if not count:
            raise VideoError(f"{self.where} gives no frames")
        if count < 0.95 * self.announced:  # the number in a file's head is an estimate
            print(
                f"note: {self.where} says it has {self.announced} frames, but {count} could be read: is it cut off?",
                file=sys.stderr,
            )


class FolderSource(VideoSource):
    """The images of a folder; ``capture`` is their :class:`ltr.dataset.video_sources.Source`."""

    def frames(self) -> Generator[np.ndarray, None, None]:
        """Yields the frames, RGB uint8 (H, W, 3)."""
        yield from self.capture.frames()


def open_source(source: Source) -> VideoSource:
    """Returns the frames of a video that was found by its path.

    Raises:
        VideoError: it is a file that OpenCV cannot read.
        ImageError: its frames are too large.
    """
    if source.images:
        return FolderSource(source.name, USUAL_RATE, len(source.images), str(source.path), source)
    return open_video(source.path)


def until_interrupted(images: Iterator[T], interrupted: Callable[[], None] = lambda: None) -> Generator[T, None, None]:
    """Yields the images until Ctrl-C or SIGTERM, which ends them in good order: what is recorded so far is kept.

    A second one stops the program as usual. ``interrupted`` is called at the first.
    """
    pressed = False

    def note(number: int, stack: Any) -> None:
        nonlocal pressed
        pressed = True
        restore()
        interrupted()

    def restore() -> None:
        for number, handler in usual.items():
            signal.signal(number, handler)

    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    usual = {number: handler for number, handler in usual.items() if handler != signal.SIG_IGN}  # it stays ignored
    for number in usual:
        signal.signal(number, note)
    try:
        for image in images:
            if pressed:
                return
            yield image
    finally:
        restore()


def open_video(path: Path) -> VideoSource:
    """Returns the frames of a video file.

    Raises:
        VideoError: there is no such file, or it is no video that OpenCV can read.
        ImageError: its frames are too large.
    """
    capture = open_capture(path)
    announced = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
    return VideoSource(path.stem, _rate(capture), announced, str(path), capture)


def open_camera(camera: str) -> VideoSource:
    """Returns the frames of a camera, by its number; anything but a number is a video file that stands for one.

    Raises:
        VideoError: there is no such camera, or file.
    """
    if not camera.isdecimal() or len(camera) > 9:
        return open_video(Path(camera))
    capture = cv2.VideoCapture(int(camera))
    if not capture.isOpened():
        raise VideoError(
            f"there is no camera {camera}, or another program uses it. Name another number with --camera, or a video "
            "file that stands for a camera"
        )
    return VideoSource(f"camera_{camera}", _rate(capture), 0, f"camera {camera}", capture)


def _rate(capture: Any) -> float:
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if 1 <= rate <= 240 else USUAL_RATE
