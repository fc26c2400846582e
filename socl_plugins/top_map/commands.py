"""What each command of ``python -m socl_plugins.top_map`` does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ltr.admin.environment import load_environment
from ltr.admin.files import check_file_writable
from ltr.admin.settings import apply_overrides
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.named import open_dataset
from pytracking.analysis.figures import check_figure_path, write_line_plot
from pytracking.analysis.pictures import Shown, check_pictures_path, write_pictures
from socl_plugins.clicks import PointAnnotated
from socl_plugins.stores import StoreError, check_stores
from socl_plugins.top_map.annotated import ObjectnessAnnotated
from socl_plugins.top_map.build import store_proposals
from socl_plugins.top_map.fit import annotated_windows, fewer_random
from socl_plugins.top_map.measures import COUNTS, LabelledFrame, TopMapMeasures, measure_top_maps, recall_curve
from socl_plugins.top_map.objectness import fit_likelihoods
from socl_plugins.top_map.propose import ProposalSettings
from socl_plugins.top_map.show import MAPS_TEXT, draw
from socl_plugins.top_map.store import build_command, open_reader, proposal_writer, store_name, store_path


def build(options: argparse.Namespace) -> int:
    """Fills the store, and says what is in it."""
    dataset = _clicks(options, options.noise_px)
    path = store_path(_store(options), store_name(dataset), dataset.settings)
    with proposal_writer(path, store_name(dataset), dataset.settings, options.noise_px) as store:
        return store_proposals(dataset, store, options.jobs, options.backend).print(store, "frame")


def check(options: argparse.Namespace) -> int:
    """Verifies every record of stores."""
    return check_stores(options.files, _store(options), build_command)


def show(options: argparse.Namespace) -> int:
    """Draws frames with their clicks, proposals and maps, from the store where it has them."""
    from ltr.admin.progress import progress_bar

    check_pictures_path(options.out)
    dataset = _clicks(options, options.noise_px)
    try:
        dataset.store = open_reader(_store(options), store_name(dataset), dataset.settings, options.noise_px)
    except StoreError as error:
        print(f"computed anew, since {error}", file=sys.stderr)
    frames = [(video, frame) for video in range(len(dataset)) for frame in dataset.visible_frames(video)]
    if not frames:
        raise ValueError(f"{options.dataset} has no frame with a click on a target that can be seen")
    shown: list[Shown] = []
    chosen = np.unique(np.linspace(0, len(frames) - 1, max(options.frames, 1)).astype(int))
    for index in progress_bar(chosen, desc="TOP maps", unit="frame"):
        video, frame = frames[index]
        images, annotation, _ = dataset.get_frames(video, [frame])
        x, y = annotation["point"][0].tolist()
        shown.append(draw(dataset.frame_name(video, frame), images[0], (x, y), annotation["proposals"][0]))
    write_pictures(options.out, shown, f"TOP maps of {options.dataset}", MAPS_TEXT)
    print(options.out)
    return 0


def stats(options: argparse.Namespace) -> int:
    """Prints the measures, a column for each noise of the clicks."""
    if options.plot:
        check_figure_path(options.plot)
    settings = apply_overrides(ProposalSettings(), dict(options.overrides))
    columns: list[TopMapMeasures] = []
    curves: list[np.ndarray] = []
    counts = sorted({*COUNTS, 2, 8, 32, settings.keep})
    for noise in options.noise_px:
        dataset = _clicks(options, noise)
        frames = list(_labelled(dataset, options))
        columns.append(measure_top_maps(frames, options.eta, options.temperature))
        curves.append(recall_curve(frames, counts))
    _print_measures(options.noise_px, columns)
    if options.plot:
        lines = {_click(noise): list(zip(counts, curve)) for noise, curve in zip(options.noise_px, curves)}
        write_line_plot(options.plot, lines, "proposals kept", "recall at IoU 0.5", counts, (0, 1))
        print(options.plot)
    return 0


def fit(options: argparse.Namespace) -> int:
    """Fits the likelihoods on annotated frames and writes the table."""
    check_file_writable(options.out)
    settings = apply_overrides(ProposalSettings(), dict(options.overrides))
    dataset = open_dataset(options.dataset, load_environment(), options.root)
    videos = range(options.start, len(dataset), max(options.step, 1))
    source = (
        f"fitted on {len(videos)} of the {len(dataset)} annotated videos of {options.dataset} (from {options.start}, "
        f"step {options.step}), on one frame in {options.every}, with the proposals around the box's centre and around "
        f"a point 20 px off, {options.windows} random ones and EdgeBoxes; {options.bins} bins; "
        + (f"with {dict(options.overrides)}" if options.overrides else "default settings")
    )
    samples = annotated_windows(dataset, videos, max(options.every, 1), fewer_random(settings, options.windows))
    fit_likelihoods(samples, source, options.bins).save(options.out)
    print(f"{options.out}: {source}")
    return 0


def _clicks(options: argparse.Namespace, noise_px: float) -> ObjectnessAnnotated:
    dataset = open_dataset(options.dataset, load_environment(), options.root)
    settings = apply_overrides(ProposalSettings(), dict(options.overrides))
    settings.digest()  # a file of the settings that cannot be read is told before a frame is
    return ObjectnessAnnotated(PointAnnotated(dataset, noise_px), settings)


def _store(options: argparse.Namespace) -> Path:
    return options.store or load_environment().workspace_dir / "top_maps"


def _labelled(dataset: ObjectnessAnnotated, options: argparse.Namespace) -> Iterator[LabelledFrame]:
    from ltr.admin.progress import progress_bar

    boxes: BaseVideoDataset = dataset.dataset.dataset  # type: ignore[attr-defined]  # below the clicks
    videos = range(options.start, len(dataset), max(options.step, 1))
    for video in progress_bar(videos, desc="measuring", unit="video"):
        info = boxes.get_sequence_info(video)
        if "bbox" not in info:
            raise ValueError(f"{boxes.name}, video {boxes.sequence_name(video)}: stats needs boxes to compare with")
        for frame in dataset.visible_frames(video)[:: max(options.every, 1)]:
            images, annotation, _ = dataset.get_frames(video, [frame])
            x, y = annotation["point"][0].tolist()
            box = info["bbox"][frame].double().numpy()
            yield LabelledFrame(annotation["proposals"][0], (x, y), box, images[0].shape[:2])


def _click(noise: float) -> str:
    return "exact click" if noise == 0 else f"{noise:g} px off"


def _print_measures(noises: list[float], columns: list[TopMapMeasures]) -> None:
    heads = [_click(noise) for noise in noises]
    rows = [(f"recall at IoU 0.5, {count} kept", [m.recall[i] for m in columns]) for i, count in enumerate(COUNTS)]
    rows += [
        ("mass of the map in the box", [m.mass for m in columns]),
        ("  of a Gaussian at the click", [m.gaussian_mass for m in columns]),
        ("correlation of spread and size", [m.spread_correlation for m in columns]),
        ("mean proposal centre off by (px)", [m.center_error for m in columns]),
    ]
    print(f"{columns[0].frames} frames".ljust(34) + "".join(f"{head:>14}" for head in heads))
    for title, values in rows:
        print(title.ljust(34) + "".join(f"{value:14.3f}" for value in values))
    sigmas = ", ".join(f"{m.gaussian_sigma:.1f}" for m in columns)
    print(f"The Gaussian is as wide as the maps are on average (sigma {sigmas} px); its spread says nothing of size.")
