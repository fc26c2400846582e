"""From videos to a folder of clips (:mod:`socl_plugins.clicks.clips`): frames cut, splits made, nothing done twice."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ltr.admin.files import WriteError
from ltr.admin.ownership import FILES, own
from ltr.data.image_loader import ImageError
from ltr.dataset.video_file import named_frames, reduced
from ltr.dataset.video_sources import Source, SourceError, find_sources
from socl_plugins.clicks.clips import CLIPS_FILE, SPLITS, Clip, Clips, ClipsError, frame_name, jpeg_file, read_clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.log import LOG_NAME, LONGEST_NAME

PARTIAL = ".partial"


@dataclass(frozen=True)
class Cutting:
    """How frames are cut.

    Attributes:
        every: keep one of so many frames.
        max_side: larger frames are reduced to so many pixels on the longer side; None: none is.
        max_frames: keep at most so many of a video; None: all.
        quality: of the JPEG files, up to 100.
        val: the part of the videos that is kept for scoring, in [0, 1).
        cut: write frames as image files; else those of video files stay there, and are decoded when they are needed.
    """

    every: int = 1
    max_side: int | None = None
    max_frames: int | None = None
    quality: int = 95
    val: float = 0.2
    cut: bool = True

    def __post_init__(self) -> None:
        for name, least in (("every", 1), ("max_side", 32), ("max_frames", 2), ("quality", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ClipsError(f"{name} is {value}, but must be at least {least}")
        if self.quality > 100:
            raise ClipsError(f"quality is {self.quality}, but must be at most 100")
        if not 0 <= self.val < 1:
            raise ClipsError(f"val is {self.val}; it is a part of the videos, from 0 to below 1")


@dataclass(frozen=True)
class Prepared:
    """What came of a preparation: the clips that are new, how many were there, and which sources could not be read."""

    clips: Clips
    new: tuple[Clip, ...]
    known: int
    failed: tuple[str, ...]


def prepare(
    names: Iterable[str],
    root: Path,
    cutting: Cutting = Cutting(),
    progress: Callable[[str, int, int | None], None] = lambda name, done, of: None,
) -> Prepared:
    """Cuts videos into the folder ``root`` and returns what was done; what is there already is left alone.

    A video that cannot be read does not stop the others.

    Args:
        names: paths of video files and folders, and globs.
        root: the folder of clips; made if need be, or added to.
        cutting: how.
        progress: called with a video's name, the number of its frames so far, and how many there will be, if known.

    Raises:
        SourceError: a name stands for nothing, or none of the new videos can be read.
        OwnershipError: another preparation writes to ``root``.
        ClipsError: ``root`` is another kind of folder, or holds one of the videos, cut in another way.
        WriteError: a file cannot be written; the videos that were finished stay.
    """
    sources = find_sources(names)
    if not (root / CLIPS_FILE).exists() and root.is_dir() and any(path.name not in FILES for path in root.iterdir()):
        raise ClipsError(f"{root} holds other files and no {CLIPS_FILE}; give a new folder, or one of clips")
    with own(root, "choose another --out"):
        return _prepare(sources, root, cutting, progress)


def _prepare(
    sources: Sequence[Source], root: Path, cutting: Cutting, progress: Callable[[str, int, int | None], None]
) -> Prepared:
    path = root / CLIPS_FILE
    clips = read_clips(root) if path.exists() else Clips(root)
    clips.write()  # from now on the folder is one of clips, also where the first video is not finished
    new: list[Clip] = []
    known, failed = 0, []
    splits = _splits(len(clips), len(sources), cutting.val)
    try:
        for source in sources:
            try:
                digest = source.digest()
            except OSError as error:
                failed.append(f"{source.path} cannot be read: {error.strerror or error}")
                continue
            there = next((clip for clip in clips if clip.sha256 == digest), None)
            if there is not None:
                _check_cut_alike(there, source, cutting, root)
                known += 1
                continue
            split = splits[len(new)]
            name = _free_name(source.name, {clip.name for clip in clips})
            try:
                clip = _cut(source, root / split / name, cutting, progress)
            except (SourceError, ImageError) as error:
                failed.append(str(error))
                continue
            clip = replace(clip, name=name, split=split, sha256=digest)
            clips.videos.append(clip)
            clips.write()
            new.append(clip)
        if failed and not new and not known:
            raise SourceError("; ".join(failed))
    except (SourceError, WriteError):
        if not clips.videos:  # nothing came of it: the folder is as it was
            for split in SPLITS:
                with contextlib.suppress(OSError):
                    (root / split).rmdir()
            if not any((root / split).exists() for split in SPLITS):
                path.unlink(missing_ok=True)
        raise
    compile_clips(clips)
    return Prepared(clips, tuple(new), known, tuple(failed))


def _splits(there: int, more: int, share: float) -> list[str]:
    """Returns the split of each new video: evenly mixed, and at least one for scoring where there are two or more."""
    splits = ["val" if round((n + 1) * share) > round(n * share) else "train" for n in range(there, there + more)]
    if share and not there and more > 1 and "val" not in splits:
        splits[-1] = "val"
    return splits


def _check_cut_alike(clip: Clip, source: Source, cutting: Cutting, root: Path) -> None:
    longest = max(clip.source_width, clip.source_height)
    wanted = min(cutting.max_side or longest, longest)
    uncut = not cutting.cut and not source.images
    if clip.every != cutting.every or max(clip.width, clip.height) != wanted or clip.cut == uncut:
        raise ClipsError(
            f"{clip.source} lies in {root} already, as {clip.name}, with --every {clip.every}"
            f"{'' if clip.cut else ', --uncut'} and frames of {clip.width} x {clip.height} pixels: its "
            "clicks would not fit another cut. Use the same options, or another --out"
        )


def _free_name(wanted: str, taken: set[str]) -> str:
    """Returns a name that can be a folder's and is not taken."""
    base = re.sub(r"[^\w.-]+", "_", wanted).strip("._-")[: LONGEST_NAME - 4] or "video"
    number, name = 1, base
    while name.lower() in {other.lower() for other in taken}:
        number += 1
        name = f"{base}_{number}"
    return name


def _cut(source: Source, folder: Path, cutting: Cutting, progress: Callable[[str, int, int | None], None]) -> Clip:
    """Writes the frames of a source to a new folder, all or none, and returns the clip, without name and split."""
    partial = folder.with_name(f".{folder.name}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    announced = source.announced()
    total = None if announced is None else -(-announced // cutting.every)
    total = min(total, cutting.max_frames) if total and cutting.max_frames else total
    first: np.ndarray | None = None
    size = (0, 0)
    kept = 0
    cut = cutting.cut or bool(source.images)
    times: list[int | None] = []
    try:
        partial.mkdir(parents=True)
        for number, (time, image) in enumerate(source.timed_frames()):
            if first is None:
                first = image
            if image.shape != first.shape:
                raise SourceError(
                    f"{source.path}: frame {number} has {image.shape[1]} x {image.shape[0]} pixels, and the first "
                    f"{first.shape[1]} x {first.shape[0]}; a video has frames of one size"
                )
            times.append(time)
            if number % cutting.every:
                continue
            small = reduced(image, cutting.max_side)
            size = small.shape[1], small.shape[0]
            if cut:
                (partial / frame_name(kept)).write_bytes(jpeg_file(small, cutting.quality))
            kept += 1
            progress(folder.name, kept, total)
            if kept == cutting.max_frames:
                break
        if first is None or kept < 2:
            raise SourceError(f"{source.path} gives {kept} frame{'s'[: kept != 1]}; a clip needs 2 at the least")
        if not cut:
            named_frames(source.path, times, kept, cutting.every, cutting.max_side).write(partial)
        if (folder / LOG_NAME).exists():
            raise ClipsError(f"{folder} holds clicks, but {CLIPS_FILE} does not name it: move it away")
        if folder.exists():  # of a preparation that was stopped before clips.json named it
            shutil.rmtree(folder)
        partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise WriteError(error.errno or 5, f"cannot write {folder}: {error.strerror or error}") from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Clip(
        name=folder.name,
        split="train",
        source=str(source.path),
        sha256="",
        fps=source.frame_rate() / cutting.every,
        every=cutting.every,
        width=size[0],
        height=size[1],
        source_width=first.shape[1],
        source_height=first.shape[0],
        frames=kept,
        cut=cut,
    )
