"""What each idea adds to the box of a click: ``python benchmarks/click_ideas.py otb got10k_val VIDEOS/ --help``.

On first frames of videos with boxes, as ``python -m socl_plugins.click_box measure`` takes them: mean IoU with the true
box for exact clicks, the part of these above .3, and mean IoU for clicks some pixels off. Then, over all videos, each
idea less ``proposal``, the one that fits the learned estimate best, with the 95% interval of a paired bootstrap over
videos. ``proposal, GrabCut`` is the learned box as it is. It must have been fitted: ``python -m socl_plugins.click_box
fit``. Ideas that look at later frames have those of ``LATER``; the ways back are tried for exact clicks only, since a
tracker takes seconds for each.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.click_motion import moving_with  # noqa: E402
from ltr.registry import load_plugins  # noqa: E402
from pytracking.evaluation import get_dataset  # noqa: E402
from pytracking.evaluation.sequence import Sequence  # noqa: E402
from pytracking.evaluation.tracker import track_frames  # noqa: E402
from pytracking.metrics import iou  # noqa: E402
from pytracking.registry import PARAMETERS, TRACKERS  # noqa: E402
from pytracking.tracker.base import BaseTracker  # noqa: E402
from socl_plugins.click_box.cut_out import cut_out  # noqa: E402
from socl_plugins.click_box.estimate import (  # noqa: E402
    CANDIDATES,
    FRAME_SIDE,
    Estimate,
    agreement,
    box_of,
    estimate_of_click,
    fits,
)
from socl_plugins.click_box.measures import DIRECTIONS, GOOD, TWO_CLICKS, two_click_boxes  # noqa: E402
from socl_plugins.click_box.network import fitted  # noqa: E402
from socl_plugins.top_map.box import top_map_box  # noqa: E402
from socl_plugins.top_map.propose import ProposalSettings, ScoredWindows, reduce_frame, score_windows  # noqa: E402

TRACKER = "siamfc/imagenet_res18"  # of one size: a candidate's is what is tried
LATER = (1, 2, 4, 8)  # frames after the first that an idea may look at
SCALES = (0.5, 0.71, 1.0, 1.41, 2.0)  # of the sides, where boxes around one are tried
ASPECTS = (0.6, 1.67)
RETURN = 3.0  # weight of the way back, the logarithm of an overlap, beside the distance in errors
SAMPLES = 10_000  # of the bootstrap


class Clicked:
    """A click on the first frame of a video; what several ideas need of it is computed once.

    Attributes:
        frames: first and later ones, reduced.
        clicks: (T, 2) in them: a person's who clicks them, too, with the same error in another direction.
        truth: (4,) the box in the first frame.
    """

    def __init__(self, frames: list[np.ndarray], clicks: np.ndarray, truth: np.ndarray, tracker: BaseTracker) -> None:
        size = np.array(frames[0].shape[1::-1])
        self.frames, self.clicks, self.truth = frames, np.clip(clicks, 0, size - 0.01), truth
        self.tracker = tracker

    @cached_property
    def click(self) -> tuple[float, float]:
        return float(self.clicks[0, 0]), float(self.clicks[0, 1])

    @cached_property
    def windows(self) -> ScoredWindows:
        return score_windows(self.frames[0], self.click)

    @cached_property
    def proposals(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) and their objectness (N,)."""
        found = self.windows.best(CANDIDATES)
        return found.boxes.astype(np.float64), found.scores

    @cached_property
    def top_map(self) -> np.ndarray:
        return top_map_box(self.windows.best(ProposalSettings()))

    @cached_property
    def said(self) -> tuple[Estimate, np.ndarray]:
        """What the learned box's squares say, and their centre."""
        return estimate_of_click(fitted(), self.frames[0], self.click)

    @cached_property
    def estimate(self) -> np.ndarray:
        estimate, center = self.said
        return box_of(estimate, center)

    @cached_property
    def nearest(self) -> np.ndarray:
        """The proposal that fits the estimate best."""
        return self.best(*self.said)

    @cached_property
    def cut(self) -> np.ndarray:
        """How well each proposal agrees with what GrabCut makes of the estimate (N,)."""
        return agreement(self.proposals[0], cut_out(self.frames[0], self.click, self.estimate))

    def best(self, estimate: Estimate, center: np.ndarray, more: np.ndarray | float = 0.0) -> np.ndarray:
        """Returns the proposal that fits an estimate best, with more (N,) that speaks for each."""
        boxes, scores = self.proposals
        box: np.ndarray = boxes[int(np.argmax(fits(boxes, scores, estimate, center) + more))]
        return box

    @cached_property
    def tracked(self) -> np.ndarray:
        """The boxes (T, 4) of a tracker that starts from the learned one."""
        start = {"init_bbox": self.nearest.tolist()}
        return np.array([frame.box for frame in track_frames(self.tracker, self.frames, start, "a video")])

    @cached_property
    def moving(self) -> np.ndarray:
        """What motion says for each proposal (N,)."""
        return moving_with(self.frames[0], self.frames[1:], self.click, self.proposals[0])


def by_objectness(seen: Clicked, centred: float = 2.0) -> np.ndarray:
    """Returns the proposal with the largest log objectness, less how far its centre is from the click, in its sides."""
    boxes, scores = seen.proposals
    away = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - seen.click) / boxes[:, 2:]
    box: np.ndarray = boxes[int(np.argmax(np.log(np.maximum(scores, 1e-4)) - centred * away.sum(axis=1)))]
    return box


def agreed(seen: Clicked, clicks: np.ndarray) -> Estimate:
    """Returns the first frame's estimate with the sizes that the frames say together: their logarithms' mean."""
    all_said = [
        estimate_of_click(fitted(), image, (float(x), float(y)))[0]
        for image, (x, y) in zip(seen.frames[1:], clicks[1:])
    ]
    first = seen.said[0]
    sizes = torch.cat([first.values[:, :2], *(each.values[:, :2] for each in all_said)])
    return Estimate(torch.cat([sizes.mean(dim=0, keepdim=True), first.values[:, 2:]], dim=1), first.errors)


def around(box: np.ndarray) -> np.ndarray:
    """Returns boxes (N, 4) about the same centre: of other sizes, narrower and wider."""
    factors = np.array([(s, s) for s in SCALES] + [(a**0.5, a**-0.5) for a in ASPECTS])
    size = box[2:] * factors
    return np.hstack([box[:2] + box[2:] / 2 - size / 2, size])


def way_back(seen: Clicked, box: np.ndarray) -> float:
    """Returns the log overlap of a box with the one that a tracker comes back to, through all frames and back.

    To it is added how much of its score the tracker keeps, as a logarithm.
    """
    try:
        there = list(track_frames(seen.tracker, [seen.frames[0], *seen.frames], {"init_bbox": box.tolist()}, "a video"))
        back = list(track_frames(seen.tracker, seen.frames[::-1], {"init_bbox": there[-1].box.tolist()}, "a video"))
    except ValueError:
        return -10.0  # the box left the frame
    kept = np.mean([frame.score for frame in there[2:]]) / there[1].score if len(there) > 2 else 1.0
    return float(np.log(max(float(iou(back[-1].box, box)), 1e-3)) + np.log(max(kept, 1e-3)))


def by_way_back(seen: Clicked, box: np.ndarray, learned: bool) -> np.ndarray:
    """Returns the box around one from which the tracker comes back best, and that fits the estimate best if learned."""
    boxes = around(box)
    values = np.array([way_back(seen, each) for each in boxes])
    if learned:
        values = RETURN * values + fits(boxes, np.ones(len(boxes)), *seen.said)
    best: np.ndarray = boxes[int(np.argmax(values))]
    return best


def by_motion(seen: Clicked) -> np.ndarray:
    """Returns the proposal with the largest log objectness and contrast in motion."""
    boxes, scores = seen.proposals
    box: np.ndarray = boxes[int(np.argmax(np.log(np.maximum(scores, 1e-4)) + seen.moving))]
    return box


def best_proposal(seen: Clicked) -> np.ndarray:
    """Returns the proposal that overlaps the true box most: no choice among these can be better."""
    box: np.ndarray = seen.proposals[0][int(np.argmax(iou(seen.truth, seen.proposals[0])))]
    return box


def tracked_centers(seen: Clicked) -> np.ndarray:
    """Returns where a tracker takes the target to be in each frame (T, 2)."""
    return seen.tracked[:, :2] + seen.tracked[:, 2:] / 2


Idea = Callable[[Clicked], np.ndarray]
PROPOSAL = "proposal"
SLOW = ("TOP map, way back", "proposal, way back")
IDEAS: dict[str, Idea] = {
    "TOP map": lambda seen: seen.top_map,
    "TOP map, GrabCut": lambda seen: cut_out(seen.frames[0], seen.click, seen.top_map),
    "TOP map, way back": lambda seen: by_way_back(seen, seen.top_map, learned=False),
    "objectness": by_objectness,
    "objectness, motion": by_motion,
    "estimate": lambda seen: seen.estimate,
    "estimate, GrabCut": lambda seen: cut_out(seen.frames[0], seen.click, seen.estimate),
    PROPOSAL: lambda seen: seen.nearest,
    "proposal, GrabCut": lambda seen: seen.best(*seen.said, seen.cut),
    "proposal, frames clicked": lambda seen: seen.best(agreed(seen, seen.clicks), seen.said[1]),
    "proposal, frames tracked": lambda seen: seen.best(agreed(seen, tracked_centers(seen)), seen.said[1]),
    "proposal, way back": lambda seen: by_way_back(seen, seen.nearest, learned=True),
    "proposal, motion": lambda seen: seen.best(*seen.said, seen.moving),
    "proposal, GrabCut, motion": lambda seen: seen.best(*seen.said, seen.cut + seen.moving),
    "best of 300 proposals": best_proposal,
}


@dataclass
class Found:
    """Overlaps of one idea on some videos: of the exact click (V,), means of those that are off (V,), and seconds."""

    exact: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self) -> str:
        """Returns its numbers for a table."""
        off = f"{np.mean(self.off):9.3f}" if self.off else " " * 9
        good = np.mean(np.array(self.exact) > GOOD)
        return f"{np.mean(self.exact):9.3f}{good:9.2f}{off}{1000 * np.median(self.seconds or [0]):9.0f}"


def clicks_on(video: Sequence, tracker: BaseTracker, shift: float, count: int) -> Iterator[Clicked]:
    """Yields the exact click on the first frame, then some that are off, each with what is clicked in later frames."""
    numbers = [number for number in (0, *LATER) if number < len(video)]
    reduced = [reduce_frame(video.frame(number), FRAME_SIDE) for number in numbers]
    frames, scale = [frame for frame, _ in reduced], reduced[0][1]
    boxes = video.ground_truth_rect[numbers]
    seen = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)  # only then a person can click it
    frames, boxes = [frame for frame, shown in zip(frames, seen) if shown], boxes[seen] * np.tile(scale, 2)
    centers = boxes[:, :2] + boxes[:, 2:] / 2
    yield Clicked(frames, centers, boxes[0], tracker)
    for turn in range(count):
        ways = DIRECTIONS[(turn + np.arange(len(boxes))) % len(DIRECTIONS)]
        yield Clicked(frames, centers + shift * ways * scale, boxes[0], tracker)


def measure(videos: Iterable[Sequence], ideas: Mapping[str, Idea], shift: float, count: int) -> dict[str, Found]:
    """Returns what each idea finds on the first frames of videos, and what two clicks tell."""
    tracker_name, parameters = TRACKER.split("/")
    tracker = TRACKERS[tracker_name](replace(PARAMETERS[f"{tracker_name}/{parameters}"](), scale_num=1))  # type: ignore[call-arg]
    found = {name: Found() for name in (*ideas, TWO_CLICKS)}
    for video in videos:
        off: dict[str, list[float]] = defaultdict(list)
        for number, seen in enumerate(clicks_on(video, tracker, shift, count)):
            for name, idea in ideas.items():
                if number and name in SLOW:
                    continue
                start = time.perf_counter()
                overlap = float(iou(idea(seen), seen.truth))
                found[name].seconds.append(time.perf_counter() - start)
                (off[name] if number else found[name].exact).append(overlap)
            boxes = two_click_boxes(seen.truth, seen.clicks[0])
            overlap = float(np.mean([iou(box, seen.truth) for box in boxes]))
            (off[TWO_CLICKS] if number else found[TWO_CLICKS].exact).append(overlap)
        for name, overlaps in off.items():
            found[name].off.append(float(np.mean(overlaps)))
    return found


def interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Returns the mean of differences (V,) of videos, and the 95% interval of it, by the bootstrap."""
    rng = np.random.default_rng(0)
    means = differences[rng.integers(0, len(differences), (SAMPLES, len(differences)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="a benchmark, such as otb, or a folder of videos")
    parser.add_argument("--idea", action="append", choices=list(IDEAS), help="only this one (repeat for more)")
    parser.add_argument("--every", type=int, default=1, help="of so many videos, the first (default: 1)")
    parser.add_argument("--limit", type=int, help="videos of each data set (default: all)")
    parser.add_argument("--shift", type=float, default=10.0, help="of clicks that are off, pixels (default: 10)")
    parser.add_argument(
        "--off", type=int, default=4, choices=range(5), help="clicks that are off, a video (default: 4)"
    )
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    load_plugins()
    ideas = {name: idea for name, idea in IDEAS.items() if options.idea is None or name in (*options.idea, PROPOSAL)}
    every: dict[str, Found] = defaultdict(Found)
    for data in options.data:
        videos = list(get_dataset(data))[:: options.every][: options.limit]
        print(f"{data[-26:]:26}{'IoU':>9}{'> .3':>9}{f'{options.shift:g} px off':>9}{'ms':>9}   {len(videos)} videos")
        for name, found in measure(videos, ideas, options.shift, options.off).items():
            print(f"{name:26}{found.row()}", flush=True)
            every[name].exact += found.exact
            every[name].off += found.off
    print(f"\n{'less the proposal':26}{'exact click':>24}{'off':>24}")
    for name, found in every.items():
        pairs = (found.exact, every[PROPOSAL].exact), (found.off, every[PROPOSAL].off)
        shown = [interval(np.array(own) - np.array(other)) for own, other in pairs if own]
        print(f"{name:26}" + "".join(f"   {mean:+.3f} [{low:+.3f}, {high:+.3f}]" for mean, low, high in shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
