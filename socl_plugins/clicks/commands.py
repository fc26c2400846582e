"""What each command of ``python -m socl_plugins.clicks`` does."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from ltr.admin.environment import load_environment
from pytracking.analysis.figures import check_figure_path, write_line_plot
from socl_plugins.clicks.clips import open_clips
from socl_plugins.clicks.costs import DEFAULT_PRICES, Cost, LabelCounts, annotation_cost, count_labels, load_prices
from socl_plugins.clicks.measured import clips_time, measured_prices

PAPER_FRAMES = 1_400_000  # of GOT-10k
PAPER_TRAINING = (8.0, 24.0)  # GPU hours of SiamFC with boxes and of SoCL with clicks, section 4.5


def cost(options: argparse.Namespace) -> int:
    """Prints hours and dollars of three ways to label the same frames (SoCL, sections 3.3 and 4.5)."""
    prices = load_prices(options.prices or DEFAULT_PRICES)
    if options.measured:
        time = clips_time(open_clips(options.measured))
        paused = f"; {time.paused:,} that took over a minute are left out" if time.paused else ""
        print(
            f"a click: {time.seconds:.2f} s on the average of {time.clicks:,} (median {time.median:.2f} s){paused}; "
            f"the prices have {prices.click.seconds:.2f} s"
        )
        prices = measured_prices(time, prices)
    frames, training = options.frames, options.training_hours
    if options.root and not options.dataset:
        raise ValueError("--root is the folder of a data set: say which with --dataset")
    if options.dataset:
        from ltr.dataset.named import open_dataset
        from socl_plugins.clicks.budget import video_labels

        dataset = open_dataset(options.dataset, load_environment(), options.root)
        videos = [video_labels(dataset, video) for video in range(dataset.get_num_sequences())]
        lengths = [labels.clicks + labels.boxes for labels in videos]
    elif frames is None:
        lengths, training = [PAPER_FRAMES], training or PAPER_TRAINING
    else:
        lengths = [frames]

    def scheme_cost(scheme: str) -> Cost:
        counts = (count_labels(scheme, length, options.period) for length in lengths)
        return annotation_cost(sum(counts, LabelCounts()), prices)

    for_boxes, for_clicks = training or (0.0, 0.0)
    rows = [
        ("a box on each", scheme_cost("box"), for_boxes),
        ("a click on each", scheme_cost("point"), for_clicks),
        (f"a box on every {options.period}, clicks between", scheme_cost("sparse_box"), None),
    ]
    frames = sum(lengths)
    print(f"{frames:,} frames".ljust(34) + f"{'hours':>10}{'$ labels':>13}{'$ training':>12}{'$ in all':>13}")
    totals = []
    for title, labelled, hours in rows:
        digits = 1 if labelled.hours >= 10 else 2
        line = f"{title:34}{labelled.hours:10,.{digits}f}{labelled.dollars:13,.2f}"
        if hours is not None:
            spent = hours * prices.gpu_hour.dollars
            totals.append(labelled.dollars + spent)
            line += f"{spent:12,.2f}{totals[-1]:13,.2f}"
        print(line)
    boxes, clicks = rows[0][1], rows[1][1]
    if frames and clicks.hours and totals[1]:
        print(
            f"Clicks take {boxes.hours / clicks.hours:.1f} times less time than boxes, and {totals[0] / totals[1]:.2f} "
            f"times less money, training included ({1 - totals[1] / totals[0]:.1%} less)."
        )
    return 0


@dataclass(frozen=True)
class ScoredRun:
    """A run's name, what its labels cost in hours, and its best held-out score."""

    name: str
    hours: float
    score_name: str
    score: float


def plot(options: argparse.Namespace) -> int:
    """Draws the held-out score of each run against the hours of its labels, a line for each recipe."""
    check_figure_path(options.out)
    runs = [read_run(path) for path in options.runs]
    lines: dict[str, list[tuple[float, float]]] = {}
    for run in runs:
        print(f"{run.name:40}{run.hours:12,.2f} hours   {run.score_name} {run.score:.3f}")
        lines.setdefault(run.name, []).append((run.hours, run.score))
    write_line_plot(options.out, lines, "hours of annotation", f"held-out {runs[0].score_name}")
    print(options.out)
    return 0


def read_run(path: Path) -> ScoredRun:
    """Returns what the best checkpoint of a run, or in its folder, says of score and cost.

    Raises:
        CheckpointError: there is none, or it does not know what its labels cost or how well it tracks.
    """
    from ltr.admin.checkpoint import CheckpointError, load_checkpoint
    from socl_plugins.clicks.label_cost import recorded_cost

    if path.is_dir():
        found = sorted(path.glob("*_best.pth.tar"))
        if not found:
            raise CheckpointError(f"{path} holds no best checkpoint (*_best.pth.tar)")
        path = found[0]
    checkpoint = load_checkpoint(path)
    cost = recorded_cost(checkpoint)
    if cost is None or not checkpoint.get("score"):
        raise CheckpointError(f"{path} does not say what its labels cost or how well it tracks; train it again")
    score = checkpoint["score"]
    recipe = checkpoint["settings"]["project_path"]
    return ScoredRun(recipe.removeprefix("ltr/"), cost.hours, score["name"], score["value"])
