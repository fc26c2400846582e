"""What each command of ``python -m socl_plugins.click_box`` does."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from ltr.admin.environment import load_environment
from ltr.admin.files import check_file_writable
from ltr.admin.settings import apply_overrides
from ltr.dataset.named import open_dataset
from pytracking.evaluation import get_dataset
from pytracking.evaluation.own_videos import own_videos
from pytracking.evaluation.sequence import SequenceList, from_video_dataset
from pytracking.registry import CLICK_TO_BOX, PARAMETERS, TRACKERS
from socl_plugins.click_box.estimate import box_of_click
from socl_plugins.click_box.fit import FitSettings, gather, learn
from socl_plugins.click_box.measures import ClickToBox, measure_methods, tracked_from
from socl_plugins.click_box.network import ClickBoxNet, fitted, fitted_file, save


def fit(options: argparse.Namespace) -> int:
    """Fits the network on data with boxes and writes it to where clicks find it."""
    from ltr.admin.progress import progress_bar

    settings = apply_overrides(FitSettings(), dict(options.overrides))
    out = options.out or fitted_file()
    check_file_writable(out)
    videos = SequenceList()
    for name in options.data:
        videos = videos + _boxed_videos(name)
    torch.manual_seed(settings.seed)
    network = ClickBoxNet("imagenet", dropout=settings.dropout)
    with progress_bar(leave=False) as bar:

        def progress(what: str, done: int, of: int) -> None:
            bar.set_description(what, refresh=False)
            bar.total = of
            bar.update(done - bar.n)

        samples = gather(network, videos, settings, progress)
        learn(network, samples, settings, progress)
    source = f"{len(samples.boxes):,} clicks on {len(videos):,} videos of {', '.join(options.data)}"
    save(network, out, source)
    print(f"{out}: fitted on {source}")
    return 0


def measure(options: argparse.Namespace) -> int:
    """Prints how near each method's boxes come to the true ones, on the first frames of videos.

    Beside ``learned``, which takes a proposal, ``estimate`` is what the network says itself.
    """
    methods = _methods(options)
    if "learned" in methods:
        methods["estimate"] = lambda image, click: box_of_click(fitted(), image, click, choose=False)
    print(f"{'':32}{'method':12}{'IoU':>7}{'> .3':>7}{f'{options.shift:g} px off':>11}{'ms':>7}{'videos':>8}")
    for data in options.data:
        for name, found in measure_methods(get_dataset(data), methods, options.shift).items():
            numbers = f"{found.exact:7.3f}{found.good:7.2f}{found.shifted:11.3f}{1000 * found.seconds:7.0f}"
            print(f"{data[-31:]:32}{name:12}{numbers}{found.frames:8}", flush=True)
    return 0


def track(options: argparse.Namespace) -> int:
    """Prints how well a tracker does that starts from each method's box of an exact click, and from the true box."""
    name, slash, _ = options.tracker.partition("/")
    if not slash:
        raise ValueError(f"--tracker is {options.tracker!r}; it is TRACKER/PARAMETERS, such as siamfc/imagenet_res18")
    params = PARAMETERS[options.tracker]()
    starts: dict[str, ClickToBox | None] = {"true box": None, **_methods(options)}
    print(f"{'':32}{'first box':12}{'AUC':>7}{'DP@20':>8}{'videos':>8}")
    for data in options.data:
        videos = [video.shortened(options.max_frames) for video in get_dataset(data)]
        for method, box_of in starts.items():
            found = [tracked_from(video, box_of, TRACKERS[name](params)) for video in videos]
            auc, precise = np.mean([(each.auc, each.dp20) for each in found], axis=0)
            print(f"{data[-31:]:32}{method:12}{auc:7.3f}{precise:8.3f}{len(found):8}", flush=True)
    return 0


def _methods(options: argparse.Namespace) -> dict[str, ClickToBox]:
    names = options.method or [name for name in CLICK_TO_BOX.names() if name != "default"]
    return {name: CLICK_TO_BOX[name] for name in names}


def _boxed_videos(name: str) -> SequenceList:
    """Returns the videos of a folder, or of a training data set of that name."""
    path = Path(name).expanduser()
    if path.exists():
        return own_videos(path)
    return from_video_dataset(open_dataset(name, load_environment()))
