"""Tracking of a folder of clips from their first clicks, and export of what came of it: ``socl track | export``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ltr.admin.files import check_keeps
from ltr.dataset.got10k import Got10k
from pytracking.analysis.render import render_strip, render_video
from pytracking.analysis.track_exports import ExportedTrack, TrackedVideo, write_exports
from pytracking.api import named_tracker
from pytracking.evaluation import Sequence, Tracker, load_result, run_dataset
from pytracking.evaluation.results import MissingResultError, ResultError
from pytracking.evaluation.sequence import SequenceError
from pytracking.evaluation.tracker import SequenceResult
from socl_plugins.clicks.click_precision import CLICKS, clicked_sequences, score_clicks
from socl_plugins.clicks.clips import Clips, open_clips
from socl_plugins.clicks.compiled import compile_clips, sequence_answers
from socl_plugins.clicks.log import FIRST_TARGET, ClicksError
from socl_plugins.clicks.points import PointAnnotated


def track_clips(options: argparse.Namespace) -> int:
    """Tracks every target of every clip, prints how well the clicks were kept to, and writes what is asked for."""
    clips, tracker, sequences = _opened(options)
    every = [sequence for split in sequences.values() for sequence in split]
    report = run_dataset(every, [tracker], int(options.debug), options.jobs, overwrite=True)
    failed = {failure.sequence for failure in report.failures}
    results = {s.name: load_result(tracker, s) for s in every if s.name not in failed}
    for split, members in sequences.items():
        _print_scores(split, [(s, results[s.name]) for s in members if s.name in results])
    out = _out(options, tracker, clips)
    if options.render:
        check_keeps([out / f"{sequence.name}.mp4" for sequence in every], [Path(clip.source) for clip in clips])
    for sequence in every:
        if sequence.name in results and options.render:
            boxes, judged = results[sequence.name].boxes, results[sequence.name].judged
            print(render_video(sequence, boxes, out / f"{sequence.name}.mp4", judged=judged))
            print(render_strip(sequence, boxes, out / f"{sequence.name}.png", rows=2, judged=judged))
    _write(clips, results, options.export, out)
    return 1 if failed else 0


def export_clips(options: argparse.Namespace) -> int:
    """Writes the boxes of an earlier ``socl track`` in other tools' formats; nothing is tracked."""
    clips, tracker, sequences = _opened(options)
    every = [sequence for split in sequences.values() for sequence in split]
    results = {}
    for sequence in every:
        try:
            results[sequence.name] = load_result(tracker, sequence)
        except MissingResultError as error:
            print(f"left out: {error}", file=sys.stderr)
        except ResultError as error:
            print(f"left out: {error} (has its first click changed? socl track again)", file=sys.stderr)
    if not results:
        raise ClicksError(f"{options.tracker} has no results on {clips.root}: socl track {clips.root} first")
    _write(clips, results, options.format, _out(options, tracker, clips))
    return 0 if len(results) == len(every) else 1


def _opened(options: argparse.Namespace) -> tuple[Clips, Tracker, dict[str, list[Sequence]]]:
    clips = open_clips(options.clips)
    compile_clips(clips)
    tracker = named_tracker(options.tracker, overrides=dict(options.overrides))
    tracker.parameters()  # an unknown name is told before anything is tracked
    sequences = {split: _sequences(clips, split) for split in ("train", "val")}
    if not any(sequences.values()):
        raise ClicksError(f"no video of {clips.root} has a click: socl annotate {clips.root}")
    return clips, tracker, sequences


def _out(options: argparse.Namespace, tracker: Tracker, clips: Clips) -> Path:
    folder: Path = options.out or tracker.results_dir / "clips" / clips.root.resolve().name
    return folder


def _write(clips: Clips, results: dict[str, SequenceResult], forms: list[str], out: Path) -> None:
    videos = _tracked_videos(clips, results) if forms else []
    for folder in write_exports(forms, videos, out):
        print(folder)


def _sequences(clips: Clips, split: str) -> list[Sequence]:
    if not any(clip.split == split for clip in clips):
        return []
    try:
        found = clicked_sequences(PointAnnotated(Got10k(clips.root, split)), least=1)
    except SequenceError as error:
        print(f"note: {error}", file=sys.stderr)
        return []
    for sequence in found:
        sequence.dataset = clips.root.resolve().name
    return list(found)


def _print_scores(split: str, tracked: list[tuple[Sequence, SequenceResult]]) -> None:
    """Prints how well the clicks were kept to; of a target with one click, which it began from, nothing is known."""
    if not tracked:
        return
    title = "videos to learn from" if split == "train" else "held-out videos"
    print(f"\n{title:40}{'clicks':>8}{'DP@20':>8}{'precision':>11}{'until lost':>12}{'frames':>8}")
    scores = []
    for sequence, result in tracked:
        if np.isfinite(sequence.meta[CLICKS]).all(axis=1).sum() < 2:
            print(f"{sequence.name[:39]:40}{1:8}{'-':>8}{'-':>11}{'-':>12}{len(sequence):8}")
            continue
        score = score_clicks(result.boxes, sequence)
        scores.append(score)
        numbers = f"{score.clicks:8}{score.dp20:8.3f}{score.precision:11.3f}{score.until_lost:12}{score.frames:8}"
        print(f"{sequence.name[:39]:40}{numbers}")
    if scores:
        means = [np.mean([getattr(score, name) for score in scores]) for name in ("dp20", "precision")]
        print(f"{'mean':40}{sum(score.clicks for score in scores):8}{means[0]:8.3f}{means[1]:11.3f}")


def _tracked_videos(clips: Clips, results: dict[str, SequenceResult]) -> list[TrackedVideo]:
    """Returns the tracks of each video, in frames and pixels of its source."""
    found = []
    for clip in clips:
        tracks = []
        scale = np.tile(clip.scale, 2)
        for name, frames in sequence_answers(clips, clip).items():
            if name not in results:
                continue
            first = min(frame for frame, click in frames.items() if click.state == "visible")
            result = results[name]
            target = next((click.target for click in frames.values()), FIRST_TARGET)
            tracks.append(ExportedTrack(target, first, result.boxes / scale, result.scores, result.judged))
        if tracks:
            size = clip.source_width, clip.source_height
            frames_of_source = clip.frames * clip.every
            found.append(TrackedVideo(clip.name, frames_of_source, *size, clip.fps * clip.every, clip.every, tracks))
    return found
