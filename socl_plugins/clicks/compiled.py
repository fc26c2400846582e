"""From click logs to the files that training reads: ``points.txt``, ``absence.label``, ``cover.label``, ``list.txt``.

Where a second click told the target's size, ``sizes.txt`` holds it.

A frame that nobody was asked about is ``nan,nan``, as is one without the target; only the second is marked absent. An
occluded target is not learned from: its place is kept, and its cover is 0. A video with several targets is a sequence
for each: the first is the video's own folder, the others are ``<video>@<target>``, whose frames are hard links.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ltr.admin.files import write_bytes_atomically
from ltr.dataset.video_file import VIDEO_FILE
from socl_plugins.clicks.clips import SPLITS, Clip, Clips, frame_name
from socl_plugins.clicks.log import Click, answers

POINTS, SIZES, ABSENCE, COVER = "points.txt", "sizes.txt", "absence.label", "cover.label"
META, LIST = "meta_info.ini", "list.txt"
WHOLLY_SEEN = 8  # of GOT-10k's cover labels


def compile_clips(clips: Clips) -> int:
    """Writes the files of all videos and the lists of the splits; returns the number of clicks on visible targets."""
    total = 0
    names: dict[str, list[str]] = {split: [] for split in SPLITS}
    for clip in clips:
        for name, frames in compile_clip(clips, clip).items():
            names[clip.split].append(name)
            total += sum(click.state == "visible" for click in frames.values())
    for split, listed in names.items():
        if listed:
            _write(clips.root / split / LIST, "".join(f"{name}\n" for name in listed))
    return total


def compile_clip(clips: Clips, clip: Clip) -> dict[str, dict[int, Click]]:
    """Writes the files of a video, and returns the answers of each of its sequences by the sequence's name."""
    sequences = sequence_answers(clips, clip)
    for name, frames in sequences.items():
        folder = clips.root / clip.split / name
        if name != clip.name:
            _link_frames(clips, clip, folder)
        _write_labels(folder, clip, frames)
    for stale in (clips.root / clip.split).glob(f"{clip.name}@*"):  # of targets whose clicks were all taken back
        if stale.name not in sequences:
            shutil.rmtree(stale)
    return sequences


def sequence_answers(clips: Clips, clip: Clip) -> dict[str, dict[int, Click]]:
    """Returns the answers about each target of a video, by the name of the sequence that it is in training."""
    targets = answers(clips.log(clip).clicks)
    if not targets:
        return {clip.name: {}}
    return {clip.name if not n else f"{clip.name}@{target}": targets[target] for n, target in enumerate(targets)}


def _write_labels(folder: Path, clip: Clip, frames: Mapping[int, Click]) -> None:
    points, sizes, absence, cover = [], [], [], []
    for frame in range(clip.frames):
        click = frames.get(frame)
        state = "skipped" if click is None else click.state
        place = None if click is None or state not in ("visible", "occluded") else click.place
        points.append("nan,nan\n" if place is None else f"{place[0]!r},{place[1]!r}\n")
        size = None if click is None else click.size
        sizes.append("nan,nan\n" if size is None else f"{size[0]!r},{size[1]!r}\n")
        absence.append(f"{int(state == 'absent')}\n")
        cover.append(f"{0 if state in ('absent', 'occluded') else WHOLLY_SEEN}\n")
    for name, lines in ((POINTS, points), (ABSENCE, absence), (COVER, cover)):
        _write(folder / name, "".join(lines))
    if any(click.size for click in frames.values()):
        _write(folder / SIZES, "".join(sizes))
    else:
        (folder / SIZES).unlink(missing_ok=True)
    meta = f"[METAINFO]\nobject_class: unknown\nresolution: ({clip.width}, {clip.height})\nanno_fps: {clip.fps:g}\n"
    _write(folder / META, meta)


def _write(path: Path, text: str) -> None:
    content = text.encode()
    if not (path.is_file() and path.read_bytes() == content):  # a data set's files keep their times
        write_bytes_atomically(path, content)


def _link_frames(clips: Clips, clip: Clip, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if not clip.cut:
        _write(folder / VIDEO_FILE, (clips.folder(clip) / VIDEO_FILE).read_text(encoding="utf-8"))
        return
    for frame in range(clip.frames):
        link = folder / frame_name(frame)
        if link.exists():
            continue
        try:
            os.link(clips.frame_path(clip, frame), link)
        except OSError:  # the file system has no hard links
            shutil.copyfile(clips.frame_path(clip, frame), link)
