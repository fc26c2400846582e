"""Targets tracked through whole videos, and what is written of it: a video with their boxes, tables, exports."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from ltr.admin.files import check_keeps, check_writable, write_bytes_atomically
from ltr.admin.progress import progress_bar
from ltr.data.image_loader import ImageError
from ltr.dataset.video_sources import Source, SourceError
from ltr.registry import near_names
from pytracking.analysis.drawing import draw_targets, draw_text, fit
from pytracking.analysis.render import even_size, write_video
from pytracking.analysis.track_exports import (
    ONE_FILE,
    ExportedTrack,
    ExportError,
    TrackedVideo,
    exported,
    write_exports,
)
from pytracking.evaluation.tracker import Judgement, Tracker
from pytracking.live.session import StartError
from pytracking.live.source import USUAL_RATE, until_interrupted
from pytracking.live.targets import BACKWARDS, FORWARDS, Target, check_targets
from pytracking.live.tracks import TargetTracking, TrackedTargets, TrackLog
from pytracking.live.views import PlaybackCommand, View

TALLEST = 1080
"""Pixels on the shorter side of a video that is written, at most."""


@dataclass(frozen=True)
class VideoJob:
    """How targets are tracked through videos, and what is written.

    Attributes:
        tracker: and its parameter set.
        targets: with names (:func:`pytracking.live.targets.named`).
        out: folder of what is written.
        direction: ``forwards``, ``backwards`` or ``both``.
        click_method: makes boxes of clicks; None: the best there is.
        exports: formats that are written to ``<out>/<format>/``.
        video: write an MP4 with the boxes drawn in.
        views: show each frame.
        inputs: files that are read besides the videos.
    """

    tracker: Tracker
    targets: tuple[Target, ...]
    out: Path
    direction: str = FORWARDS
    click_method: str | None = None
    exports: tuple[str, ...] = ()
    video: bool = True
    views: Sequence[View] = field(default=(), repr=False)
    inputs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Outcome:
    video: TrackedVideo
    seconds: float  # in the tracker
    interrupted: bool
    error: StartError | SourceError | ImageError | None = None  # that ended it early


def track_videos(job: VideoJob, sources: Sequence[Source]) -> int:
    """Tracks the targets through each video, writes and prints what came of it, and returns the exit status.

    Of several videos, one that cannot be tracked is named, and the others go on. Where a frame cannot be read, or a
    target begins after the end, what was tracked until then is written, and so it is on Ctrl-C and SIGTERM.

    Raises:
        StartError, SourceError, ImageError: no frame of the only video can be tracked, or a target is of a video that
            is not there.
        ExportError: a format cannot hold what is asked for; nothing was tracked.
        WriteError: what is written would take the place of what is read; nothing was tracked.
        RegistryError, ParameterError, ...: the tracker cannot be made; nothing was tracked.
    """
    job.tracker.parameters()
    videos = [(name, source, _targets_of(job, source)) for name, source in _named_apart(sources)]
    _check_videos(job.targets, sources)
    for _, source, targets in videos:
        if len({target.name for target in targets}) < len(targets):  # a video may be named in two ways
            raise StartError(f"two targets of {source.path} have one name: give each its own")
    for name, _, targets in videos:
        _check_exports(job, name, targets)
    check_writable(job.out)
    written = [job.out / f"{name}{ending}" for name, _, _ in videos for ending in (".mp4", ".csv", ".txt")]
    check_keeps(written, [*job.inputs, *(source.path for source in sources)])
    done: list[TrackedVideo] = []
    failures = 0
    for name, source, targets in videos:
        try:
            outcome = _VideoRun(job, name, source, targets).track()
        except (StartError, SourceError, ImageError) as error:
            if len(videos) == 1:
                raise
            failures += 1
            print(f"left out: {error}", file=sys.stderr)
            continue
        if outcome.video.tracks:
            done.append(outcome.video)
            _write(job, done, outcome.interrupted)
            print(_summary(outcome))
        if outcome.error is not None:
            failures += 1
            print(f"error: {outcome.error}; what was tracked until then is kept", file=sys.stderr)
        if outcome.interrupted:
            print("interrupted: what was tracked until then is kept", file=sys.stderr)
            return 130
    return 1 if failures else 0


class _VideoRun:
    """One video: a pass backwards where that is asked for, and one forwards, in which it is also drawn."""

    def __init__(self, job: VideoJob, name: str, source: Source, targets: Sequence[Target]) -> None:
        if not targets:
            raise StartError(f"no target is named for {source.path}: give --click X Y or --box X Y W H")
        self.job, self.name, self.source, self.targets = job, name, source, targets
        self.names = [target.name for target in targets]
        self.where = str(source.path)
        create = partial(job.tracker.create, job.tracker.parameters())
        self.tracking = TargetTracking(create, targets, self.where, job.click_method, bool(job.views))
        self.log = TrackLog(self.names)
        self.interrupted = False
        self.error: StartError | SourceError | ImageError | None = None
        self.seconds = 0.0
        self.done = 0  # frames with a tracked target
        self.size = (0, 0)
        self.frames = source.announced() or 0  # of the video, as far as is known
        self.last = max(target.frame for target in targets)
        # How many frames a file has is known at its end.
        check_targets(targets, self.frames if source.images else self.last + 2, job.direction, self.where)

    def track(self) -> _Outcome:
        """Tracks the video, writes it with its boxes if that is asked for, and returns the tracks."""
        direction = self.job.direction
        back = 0 if direction == FORWARDS else self.last + 1
        total = self._frames_to_do(back) or None
        with progress_bar(desc=self.name, total=total, unit="frame", disable=bool(self.job.views)) as self.bar:
            if back:
                for _ in self._tracked(self.source.backwards(self.last)):
                    pass
            shown = self._forwards() if direction != BACKWARDS and not self.interrupted else self._again()
            if self.job.video:
                self._write_video(shown)
            elif direction != BACKWARDS:
                for _ in shown:
                    pass
        tracks = [
            ExportedTrack(
                name,
                track.first,
                track.boxes,
                None if np.isnan(track.scores).all() else track.scores,
                None if np.isnan(track.confidence).all() else Judgement(track.confidence, track.lost),
            )
            for name, track in self.log.tracks().items()
        ]
        rate = self.source.frame_rate()
        video = TrackedVideo(self.name, self.frames, *self.size, rate, 1, tracks)
        return _Outcome(video, self.seconds, self.interrupted, self.error)

    @property
    def _ended(self) -> bool:
        return self.interrupted or self.error is not None

    def _frames_to_do(self, back: int) -> int:
        """Returns how many frames are gone through, backwards and then forwards; 0 if that is unknown."""
        if self.job.direction == BACKWARDS:
            return 2 * back if self.job.video else back
        first = 0 if back else min(target.frame for target in self.targets)
        return back + self.frames - first if self.frames else 0

    def _forwards(self) -> Iterator[TrackedTargets]:
        """Yields the frames from the first one with a target to the video's end, tracked."""
        first = self.log.first
        number = first = min(target.frame for target in self.targets) if first is None else first
        for tracked in self._tracked(self.source.numbered(first)):
            number = tracked.index
            yield tracked
        if self._ended:
            self.frames = max(self.frames, number + 1)
            return
        self.frames = number + 1
        try:
            check_targets(self.targets, self.frames, self.job.direction, self.where)  # a file's head is an estimate
        except StartError as error:
            self._fail(error)

    def _again(self) -> Iterator[TrackedTargets]:
        """Yields the frames that were tracked backwards once more, forwards, to be drawn."""
        first = self.log.first
        self.frames = max(self.frames, self.last + 1)
        if first is None:
            return
        images = until_interrupted(self.source.numbered(first), self._stop)
        with contextlib.closing(images):
            try:
                for number, image in images:
                    yield TrackedTargets(number, image, {})
                    self.bar.update()
                    if number == self.last:
                        return
            except (SourceError, ImageError) as error:
                self._fail(error)

    def _tracked(self, frames: Iterator[tuple[int, np.ndarray]]) -> Iterator[TrackedTargets]:
        """Yields the frames after each is tracked, noted and shown, until Ctrl-C, or a view asks to stop."""
        images = until_interrupted(frames, self._stop)
        with contextlib.closing(images):
            try:
                for tracked in self.tracking.through(images):
                    self.log.add(tracked)
                    self.size = tracked.image.shape[1], tracked.image.shape[0]
                    self.done += bool(tracked.found)
                    self.seconds += sum(frame.seconds for frame in tracked.found.values())
                    self.bar.update()
                    if PlaybackCommand.STOP in self._show(tracked):
                        self._stop()
                    yield tracked
                    if self.interrupted:
                        return
            except (StartError, SourceError, ImageError) as error:
                self._fail(error)

    def _fail(self, error: StartError | SourceError | ImageError) -> None:
        """Notes what ends the video early; raises it where nothing was tracked beyond a target's first frame."""
        if self.done < 2:
            raise error
        self.error = error

    def _stop(self) -> None:
        self.interrupted = True

    def _show(self, tracked: TrackedTargets) -> set[PlaybackCommand]:
        """Shows the first target's frame, with the other targets drawn into its image."""
        if not self.job.views or not tracked.found:
            return set()
        name, frame = next(iter(tracked.found.items()))
        others = {other: found.box for other, found in tracked.found.items() if other != name}
        if others:
            image = tracked.image.copy()
            draw_targets(image, others, self.names, {other for other in others if tracked.found[other].lost})
            frame = replace(frame, image=image)
        return {view.show(frame) for view in self.job.views}

    def _write_video(self, shown: Iterator[TrackedTargets]) -> None:
        first = next(shown, None)
        if first is None:
            return
        size = video_size(first.image)
        rate = self.source.frame_rate()
        pictures = (
            targets_picture(
                tracked.image,
                self.log.boxes(tracked.index),
                self.names,
                f"frame {tracked.index}",
                size,
                self.log.lost(tracked.index),
            )
            for tracked in chain([first], shown)
        )
        file = self.job.out / f"{self.name}.mp4"
        write_video(file, pictures, size, rate if 1 <= rate <= 240 else USUAL_RATE)
        print(file)


def targets_picture(
    image: np.ndarray,
    boxes: Mapping[str, np.ndarray],
    names: Sequence[str],
    caption: str,
    size: tuple[int, int],
    lost: Container[str] = (),
) -> np.ndarray:
    """Returns the frame as RGB uint8 of ``size`` (width, height), with the targets' boxes and names, and a caption.

    The boxes of those that are ``lost`` are dashed.
    """
    canvas, scale = fit(image, size)
    draw_targets(canvas, {name: box * scale for name, box in boxes.items()}, names, lost)
    draw_text(canvas, caption)
    return canvas


def video_size(image: np.ndarray) -> tuple[int, int]:
    """Returns width and height, both even, of a video of such frames: theirs, or 1080 pixels on the shorter side."""
    height, width = image.shape[:2]
    return even_size(image, round(height * min(1.0, TALLEST / min(height, width))))


def _named_apart(sources: Sequence[Source]) -> Iterator[tuple[str, Source]]:
    """Yields each video with a name that no other one has, also where a file system does not tell cases apart."""
    taken: set[str] = set()
    for source in sources:
        number, name = 1, source.name
        while name.lower() in taken:
            number += 1
            name = f"{source.name}_{number}"
        taken.add(name.lower())
        yield name, source


def _targets_of(job: VideoJob, source: Source) -> list[Target]:
    return [target for target in job.targets if target.video in ("", source.name, source.path.name)]


def _check_videos(targets: Sequence[Target], sources: Sequence[Source]) -> None:
    names = {name for source in sources for name in (source.name, source.path.name)}
    for target in targets:
        if target.video and target.video not in names:
            raise StartError(
                f"target {target.name!r} is in the video {target.video!r}, which is not among those given."
                f"{near_names(target.video, names)}"
            )


def _check_exports(job: VideoJob, name: str, targets: Sequence[Target]) -> None:
    """Raises ExportError unless each format can hold tracks of these targets."""
    tracks = [
        ExportedTrack(target.name, target.frame if job.direction == FORWARDS else 0, np.empty((0, 4)))
        for target in targets
    ]
    for form in job.exports:
        exported(form, [TrackedVideo(name, 0, 0, 0, 0.0, 1, tracks)])


def _write(job: VideoJob, done: Sequence[TrackedVideo], interrupted: bool) -> None:
    """Writes the table and the exports of the last video, and anew those files that hold all videos."""
    video = done[-1]
    forms = list(job.exports)
    if interrupted and "boxes" in forms and not _is_bare(video):
        forms.remove("boxes")  # a pass backwards that did not come to the first frame
        print("note: no boxes are exported, since not every frame from the first on has one", file=sys.stderr)
    if _is_bare(video):
        table = job.out / f"{video.name}.txt"
        write_bytes_atomically(table, exported("boxes", [video])[table.name])
        print(table)
    elif "csv" not in forms:
        table = job.out / f"{video.name}.csv"
        write_bytes_atomically(table, exported("csv", [video])[table.name])
        print(table)
    single = [form for form in forms if form not in ONE_FILE]
    for folder in write_exports(single, [video], job.out) + write_exports(
        [form for form in forms if form in ONE_FILE], done, job.out
    ):
        print(folder)


def _is_bare(video: TrackedVideo) -> bool:
    try:
        exported("boxes", [video])
    except ExportError:
        return False
    return True


def _summary(outcome: _Outcome) -> str:
    video = outcome.video
    count = len(video.tracks)
    boxes = sum(len(track.boxes) for track in video.tracks)
    speed = f", {boxes / outcome.seconds:.1f} boxes/s in the tracker" if outcome.seconds > 0 else ""
    return f"{video.name}: {count} target{'s'[: count != 1]}, {boxes} boxes{speed}"
