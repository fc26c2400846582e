"""A folder of clips: videos in GOT-10k's layout, and ``clips.json``, which says where each came from.

``<clips>/train`` and ``<clips>/val`` hold a folder for each video, with its frames ``00000001.jpg`` ..., its
``clicks.jsonl``, and what is compiled from that for training. Frame n, from 0, is the file of number n + 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ltr.admin.files import write_bytes_atomically
from ltr.data.image_loader import load_image
from ltr.dataset.video_file import VIDEO_FILE, VideoFrames, read_video_file
from socl_plugins.clicks.log import LOG_NAME, ClickLog, ClickLogError, ClicksError, check_name

CLIPS_FILE = "clips.json"
FORMAT = 1
SPLITS = ("train", "val")


class ClipsError(ClicksError):
    """A folder that is no folder of clips, or whose parts do not belong together."""


@dataclass(frozen=True)
class Clip:
    """A video of a folder of clips.

    Attributes:
        name: of its folder.
        split: ``train`` or ``val``.
        source: the file or folder that it was made from.
        sha256: of the source's content.
        fps: frames of the clip for a second, on the average; 0 if unknown.
        every: each so many frames of the source are one of the clip.
        width, height: of the clip's frames in pixels.
        source_width, source_height: of the source's, upright.
        frames: number of the clip's frames.
        cut: they are image files; else they stay in the source, which ``video.json`` in the video's folder names.
    """

    name: str
    split: str
    source: str
    sha256: str
    fps: float
    every: int
    width: int
    height: int
    source_width: int
    source_height: int
    frames: int
    cut: bool = True

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the clip for one of the source, in x and in y."""
        return self.width / self.source_width, self.height / self.source_height


@dataclass
class Clips:
    """The videos of a folder of clips.

    Attributes:
        root: the folder.
        videos: in the order in which they were prepared.
    """

    root: Path
    videos: list[Clip] = field(default_factory=list)

    def __iter__(self) -> Iterator[Clip]:
        return iter(self.videos)

    def __len__(self) -> int:
        return len(self.videos)

    def folder(self, clip: Clip) -> Path:
        """Returns the folder of a video's frames."""
        return self.root / clip.split / clip.name

    def frame_path(self, clip: Clip, frame: int) -> Path:
        """Returns the image file of a frame, numbered from 0."""
        return self.folder(clip) / frame_name(frame)

    def load_frame(self, clip: Clip, frame: int) -> np.ndarray:
        """Returns a frame, numbered from 0, RGB (H, W, 3) uint8.

        Raises:
            ImageError, VideoFileError: it cannot be read.
        """
        if clip.cut:
            return load_image(self.frame_path(clip, frame))
        return self._file(clip).read(frame)

    def holds_frames(self, clip: Clip) -> bool:
        """Returns whether a video's folder holds, or names, as many frames as ``clips.json`` says."""
        if clip.cut:
            folder = self.folder(clip)
            images = sum(path.suffix == ".jpg" for path in folder.iterdir()) if folder.is_dir() else 0
            return images == clip.frames and self.frame_path(clip, clip.frames - 1).is_file()
        file = read_video_file(self.folder(clip))
        return file is not None and file.frames == clip.frames

    def _file(self, clip: Clip) -> VideoFrames:
        if clip.name not in self._files:
            file = read_video_file(self.folder(clip))
            if file is None:
                raise ClipsError(f"there is no {self.folder(clip) / VIDEO_FILE}: prepare the video again")
            self._files[clip.name] = file
        return self._files[clip.name]

    @cached_property
    def _files(self) -> dict[str, VideoFrames]:
        return {}

    def log(self, clip: Clip) -> ClickLog:
        """Returns the clicks of a video, always the same object.

        Raises:
            ClickLogError: the file is broken, or its clicks are those of another video.
        """
        if clip.name not in self._logs:
            log = ClickLog(self.folder(clip) / LOG_NAME)
            foreign = next((click for click in log.clicks if click.video != clip.name), None)
            if foreign is not None:
                raise ClickLogError(
                    f"{log.path} holds clicks of the video {foreign.video!r}, not of {clip.name!r}: it was copied "
                    "here; move it back"
                )
            beyond = next((click for click in log.clicks if click.frame >= clip.frames), None)
            if beyond is not None:
                raise ClickLogError(
                    f"{log.path} holds a click on frame {beyond.frame}, but the video has the frames 0 to "
                    f"{clip.frames - 1}: it belongs to another preparation of this video"
                )
            self._logs[clip.name] = log
        return self._logs[clip.name]

    @cached_property
    def _logs(self) -> dict[str, ClickLog]:
        return {}

    def write(self) -> None:
        """Writes ``clips.json``."""
        content = {"format": FORMAT, "videos": [asdict(clip) for clip in self.videos]}
        write_bytes_atomically(
            self.root / CLIPS_FILE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
        )


def frame_name(frame: int) -> str:
    """Returns the name of the image file of a frame, numbered from 0."""
    return f"{frame + 1:08d}.jpg"


def jpeg_file(image: np.ndarray, quality: int) -> bytes:
    """Returns an image, RGB (H, W, 3) uint8, as a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def open_clips(root: Path) -> Clips:
    """Returns the videos of a folder of clips.

    Raises:
        ClipsError: the folder, or its ``clips.json``, is missing or broken, or does not fit the folders beside it.
    """
    clips = read_clips(root)
    if not clips.videos:
        raise ClipsError(f"{root / CLIPS_FILE} names no video; add some: socl prepare VIDEOS... --out {root}")
    for clip in clips:
        if not clips.holds_frames(clip):
            raise ClipsError(
                f"{clips.folder(clip)} does not hold the {clip.frames} frames that {root / CLIPS_FILE} names: it was "
                "changed, or comes from another preparation. Put it back, or prepare the video into another folder"
            )
    known = {(clip.split, clip.name) for clip in clips}
    for split in SPLITS:
        for folder in sorted((root / split).glob("*/")):
            name = folder.name.partition("@")[0]
            if folder.is_dir() and not name.startswith(".") and (split, name) not in known:
                raise ClipsError(
                    f"{root / CLIPS_FILE} does not name {folder}: it comes from another preparation. Move it away; "
                    f"its source can be added with socl prepare ... --out {root}"
                )
    return clips


def read_clips(root: Path) -> Clips:
    """Returns what ``clips.json`` says; nothing else is looked at.

    Raises:
        ClipsError: it is missing or broken.
    """
    path = root / CLIPS_FILE
    if not path.is_file():
        raise ClipsError(f"there is no {path}; make the folder with: socl prepare VIDEOS... --out {root}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ClipsError(f"its format is {content['format']!r}, and this program reads {FORMAT}")
        clips = Clips(root, [_clip(values) for values in content["videos"]])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ClipsError(f"{path} is not what socl prepare writes: {error}") from error
    names = [clip.name for clip in clips]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ClipsError(f"{path} names the video {twice[0]!r} twice")
    return clips


def _clip(values: dict[str, Any]) -> Clip:
    clip = Clip(**values)
    check_name("video", clip.name)
    if clip.split not in SPLITS:
        raise ClipsError(f"{clip.name}: the split is {clip.split!r}, not one of {', '.join(SPLITS)}")
    if not isinstance(clip.cut, bool):
        raise ClipsError(f"{clip.name}: cut is {clip.cut!r}, neither true nor false")
    for name in (known.name for known in fields(Clip) if known.type == "int"):
        if not isinstance(getattr(clip, name), int) or getattr(clip, name) < 1:
            raise ClipsError(f"{clip.name}: {name} is {getattr(clip, name)!r}, not a whole number from 1 on")
    return clip
