"""Videos that people name, by paths and globs: a video file, decoded frame by frame, or a folder of images.

Frame n is the n-th frame in order of presentation, whatever the frame rate does, and upright, whatever the camera's.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ltr.data.image_loader import load_image
from ltr.dataset.frames import numbered_images
from ltr.dataset.text import DatasetError
from ltr.dataset.video_file import VideoFileError, decoded, named_frames, open_container

VIDEO_SUFFIXES = (
    ".mp4",
    ".avi",
    ".mov",
    ".mkv",
    ".webm",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".flv",
    ".ts",
    ".mts",
    ".gif",
)


IMAGE_FOLDERS = ("img", "color", "frames")  # in a video's folder, where benchmarks have its images
BLOCK_BYTES = 1 << 28  # of frames that are kept at once while a video file is read backwards


class SourceError(DatasetError):
    """A video that is missing, or that cannot be read."""


@dataclass(frozen=True)
class Source:
    """A video: a file, or a folder of images.

    Attributes:
        path: of the file or folder.
        images: of a folder, in order; none of a video file.
    """

    path: Path
    images: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """What the video may be called; frames in ``<video>/img`` are those of the video."""
        if not self.images:
            return self.path.stem
        inner = self.path.name in IMAGE_FOLDERS
        return (self.path.absolute().parent.name if inner else self.path.absolute().name) or "video"

    def digest(self) -> str:
        """Returns the sha256 of the content, of a folder that of its images one after the other."""
        found = hashlib.sha256()
        for path in self.images or (self.path,):
            with open(path, "rb") as file:
                while block := file.read(1 << 20):
                    found.update(block)
        return found.hexdigest()

    def frame_rate(self) -> float:
        """Returns the average number of frames a second; 0 if the source does not say."""
        if self.images:
            return 0.0
        with _opened(self.path) as container:
            return float(container.streams.video[0].average_rate or 0)

    def announced(self) -> int | None:
        """Returns the number of frames that the source says it has, or None."""
        if self.images:
            return len(self.images)
        with _opened(self.path) as container:
            return container.streams.video[0].frames or None

    def frames(self) -> Iterator[np.ndarray]:
        """Yields the frames, RGB uint8 (H, W, 3), in order. Raises SourceError, see :meth:`timed_frames`."""
        return (image for _, image in self.timed_frames())

    def timed_frames(self) -> Iterator[tuple[int | None, np.ndarray]]:
        """Yields the frames, RGB uint8 (H, W, 3), in order, each after its presentation time, if it has one.

        Raises:
            SourceError: there is none, or one cannot be decoded.
        """
        if self.images:
            yield from ((None, load_image(path)) for path in self.images)
            return
        try:
            yield from decoded(self.path)
        except VideoFileError as error:
            raise SourceError(str(error)) from error

    def numbered(self, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """Yields number and image, RGB uint8 (H, W, 3), of the frames from number ``first`` on.

        Raises:
            SourceError: there are fewer frames, or one cannot be decoded.
        """
        if self.images:
            self._check_has(first, len(self.images))
            yield from ((number, load_image(self.images[number])) for number in range(first, len(self.images)))
            return
        number = -1
        for number, (_, image) in enumerate(self.timed_frames()):
            if number >= first:
                yield number, image
        self._check_has(first, number + 1)

    def backwards(self, last: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yields number and image, RGB uint8 (H, W, 3), of the frames from number ``last`` down to 0.

        A video file is decoded up to that frame first, since only decoding tells which frame is which, and then block
        by block from its end.

        Raises:
            SourceError: there are fewer frames, or one cannot be decoded.
        """
        if self.images:
            self._check_has(last, len(self.images))
            yield from ((number, load_image(self.images[number])) for number in range(last, -1, -1))
            return
        times, size = [], 1
        for time, image in islice(self.timed_frames(), last + 1):
            times.append(time)
            size = image.nbytes
        self._check_has(last, len(times))
        video = named_frames(self.path, times, last + 1)
        block = max(BLOCK_BYTES // size, 8)
        try:
            for end in range(last + 1, 0, -block):
                start = max(end - block, 0)
                images = [video.read(number) for number in range(start, end)]
                while images:
                    yield start + len(images) - 1, images.pop()
        except VideoFileError as error:
            raise SourceError(str(error)) from error

    def _check_has(self, frame: int, count: int) -> None:
        if frame >= count:
            raise SourceError(f"{self.path} has no frame {frame}: it has {count} frames, from 0 to {count - 1}")


def _opened(path: Path) -> Any:
    try:
        return open_container(path)
    except VideoFileError as error:
        raise SourceError(str(error)) from error


def find_sources(names: Iterable[str]) -> list[Source]:
    """Returns the videos that paths and globs name: files, folders of images, and folders of either.

    Raises:
        SourceError: a name stands for nothing, or a folder holds neither videos nor images.
    """
    found: dict[Path, Source] = {}
    for name in names:
        paths = (
            [Path(name)] if Path(name).exists() else [Path(path) for path in sorted(glob.glob(name, recursive=True))]
        )
        if not paths:
            raise SourceError(f"there is no video, folder or match of {name!r}")
        for path in paths:
            here = list(_sources_at(path))
            if not here and len(paths) == 1:
                raise SourceError(
                    f"{path} holds no video ({', '.join(VIDEO_SUFFIXES[:5])}, ...) and no numbered images"
                    if path.is_dir()
                    else f"{path} is no video file: its name ends in none of {', '.join(VIDEO_SUFFIXES)}"
                )
            found.update((source.path.resolve(), source) for source in here)
    if not found:
        raise SourceError("the names given stand for no video and no folder of images")
    return list(found.values())


def _sources_at(path: Path) -> Iterator[Source]:
    if path.is_file():
        if path.suffix.lower() in VIDEO_SUFFIXES:
            yield Source(path)
        return
    images = numbered_images(path)
    if images:
        yield Source(path, tuple(images.values()))
        return
    for inner in sorted(path.iterdir()):
        if not inner.name.startswith("."):
            yield from _sources_at(inner)
