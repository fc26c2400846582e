"""Frames of a video file: in order, or any of them by its number, with the same pixels.

Frame n is the n-th that a decoder shows, from 0, whatever the frame rate does, and upright, whatever the camera's. A
folder of a data set may hold ``video.json`` instead of images: it says which file its frames are in.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ltr.admin.files import write_bytes_atomically
from ltr.data.image_loader import check_size
from ltr.dataset.text import DatasetError, read_json

VIDEO_FILE = "video.json"
OPEN_FILES = 8  # that a thread keeps open, each at its last frame


class VideoFileError(DatasetError):
    """A video file that is missing, has changed, or cannot be read."""


@dataclass(frozen=True)
class VideoFrames:
    """Frames of a video file, what ``video.json`` says.

    Attributes:
        source: the file.
        size: its bytes, by which a file that was exchanged is known.
        every: frame n here is the file's frame n * every.
        max_side: larger frames are reduced to so many pixels on the longer side; None: none is.
        frames: how many there are.
        times: presentation times of the file's frames up to the last one here, in the units of the file; empty where
            they do not rise, so that frames can only be found by counting from the start.
    """

    source: str
    size: int
    every: int
    max_side: int | None
    frames: int
    times: tuple[int, ...]

    def read(self, frame: int) -> np.ndarray:
        """Returns a frame, RGB (H, W, 3) uint8: the same pixels as decoding from the start gives.

        Raises:
            VideoFileError: the file is missing, has changed, or is broken.
        """
        if not 0 <= frame < self.frames:
            raise VideoFileError(f"{self.source} has no frame {frame} here; it has 0 to {self.frames - 1}")
        return reduced(_decoder(self).frame(frame * self.every), self.max_side)

    def write(self, folder: Path) -> None:
        """Writes ``video.json`` into a folder."""
        write_bytes_atomically(folder / VIDEO_FILE, (json.dumps(asdict(self)) + "\n").encode())


def read_video_file(folder: Path) -> VideoFrames | None:
    """Returns what a folder's ``video.json`` says, or None if it has none.

    Raises:
        VideoFileError: it is not what :meth:`VideoFrames.write` writes.
    """
    path = folder / VIDEO_FILE
    if not path.is_file():
        return None
    try:
        content = VideoFrames(**read_json(path))
        numbers = (content.size, content.every, content.frames, *content.times)
        sound = all(isinstance(number, int) for number in numbers) and min(content.every, content.frames) > 0
        sound = sound and isinstance(content.source, str) and (content.max_side is None or content.max_side > 0)
        if not sound or len(content.times) not in (0, (content.frames - 1) * content.every + 1):
            raise ValueError("its numbers do not fit together")
    except (TypeError, ValueError) as error:
        raise VideoFileError(f"{path} is not what socl prepare writes: {error}") from error
    return VideoFrames(**{**asdict(content), "times": tuple(content.times)})


def named_frames(
    path: Path, times: Sequence[int | None], frames: int, every: int = 1, max_side: int | None = None
) -> VideoFrames:
    """Returns where the frames of a video file are, given the presentation times of those that were decoded.

    Args:
        path: of the file.
        times: of its first frames, at least up to the last one that is wanted.
        frames: how many are wanted, one of ``every`` of the file's.
        every: see :class:`VideoFrames`, as ``max_side``.
        max_side: of the frames that are read.
    """
    last = (frames - 1) * every + 1
    known = tuple(time for time in times[:last] if time is not None)
    rising = len(known) == last and all(first < second for first, second in itertools.pairwise(known))
    path = path.resolve()
    return VideoFrames(str(path), path.stat().st_size, every, max_side, frames, known if rising else ())


def reduced(image: np.ndarray, max_side: int | None) -> np.ndarray:
    """Returns an image whose longer side is ``max_side`` at most."""
    longest = max(image.shape[:2])
    if max_side is None or longest <= max_side:
        return image
    height, width = (max(round(side * max_side / longest), 1) for side in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def open_container(path: Path) -> Any:
    """Returns PyAV's container of a file with a video stream whose codec is known.

    Raises:
        VideoFileError: it cannot be read, or PyAV is missing.
        ImageError: its frames are too large.
    """
    try:
        import av
    except ImportError as error:
        raise VideoFileError(f"{path} needs PyAV: pip install av. (A folder of images needs nothing)") from error
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise VideoFileError(f"{path} cannot be read as a video: {error}") from error
    found = container.streams.video
    problem = ""
    if not found:
        problem = f"holds no video, only {', '.join(s.type for s in container.streams) or 'nothing'}"
    elif getattr(found[0], "codec_context", None) is None:
        problem = f"is coded in a way that cannot be read here; convert it: ffmpeg -i {path} out.mp4"
    if problem:
        container.close()
        raise VideoFileError(f"{path} {problem}")
    check_size(found[0].codec_context.width, found[0].codec_context.height, f"the video {path}")
    return container


def decoded(path: Path) -> Iterator[tuple[int | None, np.ndarray]]:
    """Yields presentation time and image, RGB (H, W, 3) uint8, of all frames of a video file in order.

    Raises:
        VideoFileError: there is none, or one cannot be decoded.
    """
    import av

    count = 0
    with open_container(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        try:
            for frame in container.decode(stream):
                yield frame.pts, _image(frame)
                count += 1
        except av.FFmpegError as error:
            raise VideoFileError(f"{path} is broken after {count} frames: {error}") from error
    if not count:
        raise VideoFileError(f"{path} holds no frames")


def _image(frame: Any) -> np.ndarray:
    """Returns PyAV's frame as an image, turned as a player would show it."""
    turned = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90) % 4)
    return np.ascontiguousarray(turned)


class _Decoder:
    """An open file, at the frame that was read last."""

    def __init__(self, video: VideoFrames) -> None:
        self._path = Path(video.source)
        self._times = video.times
        if not self._path.is_file():
            raise VideoFileError(f"there is no video {self._path}: put it back, or prepare it anew")
        if self._path.stat().st_size != video.size:
            raise VideoFileError(f"{self._path} has changed since it was prepared: put the old one back")
        self._open()

    def _open(self) -> None:
        self._container = open_container(self._path)
        self._stream = self._container.streams.video[0]
        self._frames: Iterator[Any] = self._container.decode(self._stream)
        self._next: int | None = 0  # number of the next frame that is decoded; None: only its time tells

    def frame(self, number: int) -> np.ndarray:
        """Returns the frame of a number, counted in the file."""
        import av

        try:
            if self._times:
                found = self._by_time(number)
                if found is not None:
                    return _image(found)
            if self._next is None or self._next > number:
                self._container.close()
                self._open()
            assert self._next is not None
            for frame in self._frames:
                self._next += 1
                if self._next == number + 1:
                    return _image(frame)
        except av.FFmpegError as error:
            raise VideoFileError(f"{self._path}, frame {number}: {error}") from error
        raise VideoFileError(f"{self._path} ends before its frame {number}: has it changed?")

    def _by_time(self, number: int) -> Any:
        """Returns the frame that is shown at the time of a number, or None if it is not found that way."""
        wanted = self._times[number]
        near = self._next is not None and self._next <= number < self._next + 12  # soon reached without a jump
        if not near and not self._seek(wanted):
            return None
        for frame in self._frames:
            if frame.pts == wanted:
                self._next = number + 1
                return frame
            if frame.pts is None or frame.pts > wanted:
                break
        self._next = None
        return None

    def _seek(self, wanted: int) -> bool:
        """Goes to a key frame that is shown at ``wanted`` or before it; from there on, frames are decoded in full.

        A file's index counts in times of decoding. So the key frame that it names can be one that is shown later, after
        frames which need the one before.
        """
        import av

        at = wanted
        for _ in range(4):
            try:
                self._container.seek(at, stream=self._stream)
                packets = self._container.demux(self._stream)
                first = next(packets)
            except (av.FFmpegError, StopIteration):
                return False
            if first.pts is not None and first.is_keyframe and first.pts <= wanted:
                start = first.pts
                every = itertools.chain([first], packets)
                self._frames = (f for p in every for f in p.decode() if f.pts is None or f.pts >= start)
                self._next = None
                return True
            at = min(at, first.dts if first.dts is not None else at) - 1
        return False


_local = threading.local()


def _decoder(video: VideoFrames) -> _Decoder:
    """Returns this thread's decoder of a video; a process that was forked opens its own."""
    if getattr(_local, "process", None) != os.getpid():
        _local.process, _local.decoders = os.getpid(), OrderedDict()
    decoders: OrderedDict[tuple[str, int, int], _Decoder] = _local.decoders
    key = video.source, video.size, len(video.times)
    if key not in decoders:
        decoders[key] = _Decoder(video)
        if len(decoders) > OPEN_FILES:
            decoders.popitem(last=False)
    decoders.move_to_end(key)
    return decoders[key]
