"""Does half as many clicks serve training as well, where the page asks for them (Q)? Simulated clicks, real training.

    python benchmarks/asking_trains.py --tests got10k_val_starts otb_hard

Videos to learn from are those of ``got10k_dir``, whose true boxes say where a person would click: their centres with
2 px of noise. Three networks are trained for each seed, alike but for the clicks: on a quarter of the frames, those
that the page asks for; on a quarter, evenly spread; on half, evenly spread. The page asks in three rounds, each with
the clicks of the one before, and with a tracker that nobody trained. Printed are AUC and DP@20 of the averaged weights
after the last step, and by how much the asked clicks are above the others with the same seed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import ltr  # noqa: E402
from benchmarks.asking import Video, evenly  # noqa: E402
from ltr.admin.checkpoint import load_network  # noqa: E402
from ltr.admin.environment import load_environment  # noqa: E402
from ltr.admin.path_variables import using_paths  # noqa: E402
from ltr.dataset.got10k import Got10k  # noqa: E402
from ltr.registry import HELD_OUT_SCORES, load_plugins  # noqa: E402
from pytracking.evaluation.sequence import SequenceList, from_video_dataset  # noqa: E402
from pytracking.registry import PARAMETERS, TRACKERS  # noqa: E402
from pytracking.tracker.base import BaseTracker  # noqa: E402
from socl_plugins.studies.measure import videos_of_test  # noqa: E402
from socl_plugins.studies.schedules import FROM_IMAGENET  # noqa: E402

ARMS = ("a quarter, asked", "a quarter, evenly", "half, evenly")
SETTINGS = FROM_IMAGENET | {"optimizer.learning_rate": "1e-5", "network.normalise": "false"}


def choose(videos: list[Video], tracker: str) -> dict[str, list[list[int]]]:
    """Returns the frames that are clicked in each video, for each arm."""

    def create() -> BaseTracker:
        return TRACKERS[tracker.partition("/")[0]](PARAMETERS[tracker]())

    chosen: dict[str, list[list[int]]] = {arm: [] for arm in ARMS}
    for number, video in enumerate(videos):
        frames = len(video.frames)
        quarter = max(frames // 4, 2)
        rounds = tuple(sorted({max(quarter // 4, 2), max(quarter // 2, 2), quarter}))
        chosen[ARMS[0]].append(video.asked(create, rounds)[quarter])
        chosen[ARMS[1]].append(evenly(frames, quarter))
        chosen[ARMS[2]].append(evenly(frames, max(frames // 2, 2)))
        print(f"video {number + 1} of {len(videos)}", file=sys.stderr, flush=True)
    return chosen


def write_clicked(source: Got10k, videos: list[Video], frames: list[list[int]], train: Path) -> None:
    """Writes a folder of GOT-10k's layout whose videos have clicks on these frames, and no boxes."""
    train.mkdir(parents=True)
    names = [source.sequence_name(number) for number in range(len(source))]
    for name, video, asked in zip(names, videos, frames):
        (train / name).mkdir()
        for file in (source.folder / name).iterdir():
            if file.name != "groundtruth.txt":
                (train / name / file.name).symlink_to(file)
        known = video.places(asked).places
        lines = ["{!r},{!r}\n".format(*known.get(frame, (float("nan"),) * 2)) for frame in range(len(video.frames))]
        (train / name / "points.txt").write_text("".join(lines))
    (train / "list.txt").write_text("".join(f"{name}\n" for name in names))


def train_and_track(
    recipe: str, settings: dict[str, str], seed: int, workspace: Path, tests: Mapping[str, SequenceList]
) -> dict[str, tuple[float, float]]:
    """Returns AUC and DP@20 in percent of each test."""
    result = ltr.train(recipe, settings, schedule="short", workspace=workspace, seed=seed)
    assert result.checkpoint is not None
    network = load_network(result.checkpoint)
    found = {}
    for test, sequences in tests.items():
        score = HELD_OUT_SCORES["tracking_auc"](sequences, params=PARAMETERS["siamfc/socl_res18"]())
        scores = list(score.per_sequence(network).values())
        auc, dp20 = (float(np.mean([getattr(one, key) for one in scores])) for key in ("auc", "dp20"))
        found[test] = 100 * auc, 100 * dp20
    return found


def print_table(found: Mapping[tuple[str, str], list[tuple[float, float]]], clicks: Mapping[str, int]) -> None:
    """Prints mean and deviation over seeds, and the differences of one seed to the clicks that were asked for."""
    for (test, arm), rows in found.items():
        values, asked = np.array(rows), np.array(found[test, ARMS[0]])
        (auc, dp20), spread = values.mean(axis=0), values.std(axis=0, ddof=min(len(values) - 1, 1))
        row = f"{test}, {arm}, {clicks[arm]:,} clicks: AUC {auc:.1f} ± {spread[0]:.1f}"
        row += f", DP@20 {dp20:.1f} ± {spread[1]:.1f}"
        each = (asked - values)[:, 1]
        if arm != ARMS[0]:
            row += f"; asked, less this: {each.mean():+.1f} ({', '.join(f'{one:+.1f}' for one in each)})"
        print(row)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", nargs="+", default=["got10k_val_starts"], help="benchmarks, or folders of videos")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipe", default="socl/bce_siam_res18", help="a Siamese one")
    parser.add_argument("--asks", default="siamfc/imagenet_res18", help="the tracker by which the page asks")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="KEY=VALUE, as for training")
    options = parser.parse_args()
    load_plugins()
    directory = load_environment().got10k_dir
    if directory is None:
        parser.error("set got10k_dir, the videos to learn from")
    source = Got10k(directory, "train")
    videos = [Video(sequence, number) for number, sequence in enumerate(from_video_dataset(source, "train"))]
    chosen = choose(videos, options.asks)
    settings = SETTINGS | dict(override.split("=", 1) for override in options.overrides)
    tests = {name: videos_of_test(name) for name in options.tests}
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for number, arm in enumerate(ARMS):
            folder = Path(name) / str(number)
            write_clicked(source, videos, chosen[arm], folder / "train")
            with using_paths({"got10k_dir": folder}):
                for seed in options.seeds:
                    scores = train_and_track(options.recipe, settings, seed, folder / f"seed_{seed}", tests)
                    for test, values in scores.items():
                        found.setdefault((test, arm), []).append(values)
                        print(f"{test}, {arm}, seed {seed}: AUC {values[0]:.1f}, DP@20 {values[1]:.1f}", flush=True)
    print_table(found, {arm: sum(map(len, frames)) for arm, frames in chosen.items()})


if __name__ == "__main__":
    main()
