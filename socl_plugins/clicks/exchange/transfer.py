"""Marks into a folder of clips and out of it: whose they are, which frame and pixel they mean, what is left out."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ltr.admin.files import write_bytes_atomically
from ltr.registry import near_names
from socl_plugins.clicks.clips import Clip, Clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.exchange.marks import ClickedVideo, ExchangeError, Format, Mark, Reading
from socl_plugins.clicks.exchange.table import AUTO, FORMATS, find_format
from socl_plugins.clicks.log import Click, answers, now


@dataclass
class ImportReport:
    """What became of the marks of a file.

    Attributes:
        form: the format's name.
        taken: clicks that were stored, by video.
        known: that were stored before.
        dropped: that were left out, by the reason.
    """

    form: str
    taken: Counter[str] = field(default_factory=Counter)
    known: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def import_clicks(clips: Clips, path: Path, form: str = AUTO, base: int = 0, video: str | None = None) -> ImportReport:
    """Stores the clicks of a file of another tool, and says what was taken and what was left out.

    Frames and pixels are those of the source video, unless the file names the clips' own images or has their size.
    What was imported before is not stored again.

    Args:
        clips: to whose logs they go.
        path: the file, or a folder of labelme's files.
        form: a format's name, or ``auto``.
        base: the number of the first frame, where the format leaves it open.
        video: that the marks belong to, where the file does not say.

    Raises:
        ExchangeError: the file cannot be read, or nothing of it belongs to these clips.
    """
    name, chosen = find_format(form, path)
    reading = chosen.read(path, base)
    report = ImportReport(name, dropped=Counter(reading.dropped))
    by_clip: dict[str, list[Click]] = {}
    seen: set[tuple[str, int, str]] = set()
    unknown: Counter[str] = Counter()
    for mark in reading.marks:
        clip = _clip_of(mark, clips, path, video)
        if clip is None:
            unknown[str(mark.video or video or path.stem)] += 1
            continue
        click = _click(mark, clip, reading, path, name, report)
        if click is None:
            continue
        key = (clip.name, click.frame, click.target)
        if key in seen:
            report.dropped[f"a second mark of the target {click.target!r} in one frame"] += 1
            continue
        seen.add(key)
        by_clip.setdefault(clip.name, []).append(click)
    for other, count in unknown.items():
        known = [clip.name for clip in clips]
        report.dropped[f"the video {other!r} is not among these clips.{near_names(other, known)}"] += count
    if not by_clip:
        reasons = "; ".join(f"{count} x {reason}" for reason, count in report.dropped.items()) or "it holds no marks"
        raise ExchangeError(f"nothing of {path} ({name}) could be taken: {reasons}")
    for clip in clips:
        if clip.name in by_clip:
            new = clips.log(clip).append(by_clip[clip.name])
            report.taken[clip.name] += new
            report.known += len(by_clip[clip.name]) - new
    compile_clips(clips)
    return report


def _clip_of(mark: Mark, clips: Clips, path: Path, video: str | None) -> Clip | None:
    wanted = video or mark.video or path.stem
    for clip in clips:
        if wanted in (clip.name, Path(clip.source).stem, Path(clip.source).name):
            return clip
    return clips.videos[0] if len(clips) == 1 and video is None and mark.video is None else None


def _click(mark: Mark, clip: Clip, reading: Reading, path: Path, form: str, report: ImportReport) -> Click | None:
    frame = mark.frame
    if mark.space != "clip":
        if frame % clip.every:
            report.dropped[f"a frame that the clip leaves out (it has one of {clip.every})"] += 1
            return None
        frame //= clip.every
    if not 0 <= frame < clip.frames:
        report.dropped[f"a frame that {clip.name} does not have (it has {clip.frames})"] += 1
        return None
    x, y = mark.x, mark.y
    if x is not None and y is not None:
        scale = _scale(mark, clip, reading, path)
        x, y = round(x * scale[0], 3), round(y * scale[1], 3)
        if not (0 <= x <= clip.width and 0 <= y <= clip.height):
            report.dropped["a place outside the frame"] += 1
            return None
    content = repr((form, clip.name, frame, mark.target, x, y, mark.state))
    identity = hashlib.sha256(content.encode()).hexdigest()[:16]
    author = f"{form}:{path.name}"[:64]
    return Click(clip.name, frame, mark.target, x, y, mark.state, None, "imported", now(), author, identity)


def _scale(mark: Mark, clip: Clip, reading: Reading, path: Path) -> tuple[float, float]:
    """Returns pixels of the clip for one unit of the mark, in x and in y."""
    if mark.space == "relative":
        return clip.width, clip.height
    size = reading.sizes.get(mark.video)
    own, source = (clip.width, clip.height), (clip.source_width, clip.source_height)
    if size is None:
        return (1.0, 1.0) if mark.space == "clip" else clip.scale
    if size == own:
        return 1.0, 1.0
    if size == source:
        return clip.scale
    raise ExchangeError(
        f"{path} was made on frames of {size[0]} x {size[1]} pixels, but {clip.name} has {own[0]} x {own[1]}, and its "
        f"source {source[0]} x {source[1]}: these are the marks of another video"
    )


def export_clicks(clips: Clips, out: Path, form: str) -> ImportReport:
    """Writes the clicks of all videos into the folder ``out`` and says what the format cannot hold.

    Raises:
        ExchangeError: an unknown format, one that cannot hold clicks, or no clicks.
    """
    if form not in FORMATS or FORMATS[form].write is None:
        known = [name for name, each in FORMATS.items() if each.write is not None]
        raise ExchangeError(f"clicks cannot be written as {form!r}.{near_names(form, known)} Known: {', '.join(known)}")
    chosen = FORMATS[form]
    report = ImportReport(form)
    videos = [_clicked(clips, clip, chosen, report) for clip in clips]
    videos = [video for video in videos if video.marks]
    if not videos:
        raise ExchangeError(f"{clips.root} holds no clicks that {form} can hold")
    assert chosen.write is not None
    for name, content in chosen.write(videos).items():
        write_bytes_atomically(out / name, content)
    return report


def _clicked(clips: Clips, clip: Clip, form: Format, report: ImportReport) -> ClickedVideo:
    marks = []
    every = 1 if form.of_images else clip.every
    scale = (1.0, 1.0) if form.of_images else clip.scale
    for target, frames in answers(clips.log(clip).clicks).items():
        for frame, click in sorted(frames.items()):
            if click.state not in form.states or (click.place is None and click.state != "absent"):
                report.dropped[f"{click.state}{'' if click.place else ', without a place'}"] += 1
                continue
            x, y = (None, None) if click.place is None else (click.place[0] / scale[0], click.place[1] / scale[1])
            marks.append(Mark(clip.name, frame * every, target, x, y, click.state))
            report.taken[clip.name] += 1
    width, height = (clip.width, clip.height) if form.of_images else (clip.source_width, clip.source_height)
    return ClickedVideo(clip.name, clip.frames * every, width, height, clip.fps * every, marks)
