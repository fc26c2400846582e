"""One cell of a study: trains its network, tracks the test videos with it, and says how well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ltr
from ltr.admin.checkpoint import load_checkpoint, load_network
from ltr.admin.devices import named_device
from ltr.admin.environment import load_environment
from ltr.admin.files import sha256_of
from ltr.admin.jobs import local_cores
from ltr.admin.provenance import commit
from ltr.config import Data
from ltr.config.data import open_videos
from ltr.dataset.synthetic import SyntheticVideo
from ltr.engine.random_state import seed_everything
from ltr.models.builder import build_network
from pytracking.analysis.scoring import score_sequence
from pytracking.api import named_tracker
from pytracking.evaluation import SequenceList, get_dataset, track_sequence
from pytracking.evaluation.sequence import SequenceError, from_video_dataset
from pytracking.registry import TRACKERS
from socl_plugins.clicks.label_cost import recorded_cost
from socl_plugins.pseudo_label.store import STORES
from socl_plugins.studies.study import Cell
from socl_plugins.studies.trained import Training, read_training
from socl_plugins.top_map.training_clicks import DEFAULT_STORE

HELD_OUT = "held_out_synthetic"
VALIDATION = "got10k_val_starts"


def measure_cell(
    cell: Cell, tests: Sequence[str], workspace: Path, device: str, precision: str | None = None
) -> dict[str, Any]:
    """Returns what one run gives: costs of labels, time, and for each test AUC and DP@20, in all and by sequence.

    Args:
        cell: the run.
        tests: see :func:`videos_of_test`.
        workspace: the folder of the run's checkpoints and logs: empty, or one where the same training has ended, whose
            network is then taken.
        device: ``auto``, ``cpu`` or ``cuda``.
        precision: of the network while it tracks, where the tracker can be told one; none: the parameter set's own.
    """
    result: dict[str, Any] = {
        "recipe": cell.recipe,
        "network": cell.network,
        "settings": dict(cell.settings),
        "tracker": cell.tracker,
        "tracking": dict(cell.tracking),
        "seed": cell.seed,
        "hours": None,
        "dollars": None,
        "commit": commit(),
    }
    chosen = named_device(device)
    cores = local_cores()
    cpu = f"{cores} CPU core{'s' * (cores != 1)}"
    result["machine"] = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else cpu
    network: torch.nn.Module | None = None
    if cell.recipe:
        trained = read_training(workspace) or _train(cell, workspace, device, result["machine"])
        result["training_seconds"] = trained.seconds
        for name, where in (("machine", trained.machine), ("commit", trained.commit)):  # it may have been kept
            result[name] = "; ".join(sorted({where, result[name]} - {""}))
        path = workspace / trained.checkpoint
        cost = recorded_cost(load_checkpoint(path))
        if cost is not None:
            result |= asdict(cost)
        network = load_network(path)
    elif cell.network:
        seed_everything(cell.seed)
        network = build_network(cell.network)
    family = cell.tracker.partition("/")[0]
    params = named_tracker(cell.tracker, overrides=dict(cell.tracking)).parameters()
    changes: dict[str, Any] = {}
    if network is not None:
        changes["network"] = network.to(chosen).eval()
    if hasattr(params, "device"):
        changes["device"] = str(chosen)
    if precision is not None and "precision" in params.names():
        changes["precision"] = precision
    result["precision"] = changes.get("precision", getattr(params, "precision", None))
    tracker = TRACKERS[family](replace(params, **changes))
    result["tests"] = {}
    for name in tests:
        found = {}
        videos = videos_of_test(name)
        for number, sequence in enumerate(videos, 1):
            score = found[sequence.name] = score_sequence(track_sequence(tracker, sequence).boxes, sequence)
            print(
                f"{name}: {number} of {len(videos)} videos tracked, {sequence.name} with AUC {score.auc:.3f}",
                flush=True,
            )
        result["tests"][name] = {
            "auc": float(np.mean([score.auc for score in found.values()])),
            "dp20": float(np.mean([score.dp20 for score in found.values()])),
            "per_sequence_auc": {sequence: round(float(score.auc), 4) for sequence, score in found.items()},
            "per_sequence_dp20": {sequence: round(float(score.dp20), 4) for sequence, score in found.items()},
        }
    return result


def training_set() -> str:
    """Returns what recipes learn from on this machine."""
    datasets = open_videos(Data(), load_environment()).datasets
    return ", ".join(f"{dataset.name}, {len(dataset)} videos" for dataset in datasets)


def videos_of_test(name: str) -> SequenceList:
    """Returns the videos of a test: a benchmark's, or one of two others.

    ``held_out_synthetic`` is 20 embedded videos of 40 frames, more than the benchmark ``synthetic`` has.
    ``got10k_val_starts`` is for tuning: GOT-10k's validation videos, each from the first frame, and from those a third
    and two thirds further on, since few videos say little.
    """
    if name == HELD_OUT:
        return from_video_dataset(SyntheticVideo(20, num_frames=40, seed=555), HELD_OUT)
    if name == VALIDATION:
        sequences = SequenceList()
        for sequence in get_dataset("got10k_val"):
            for part in range(3):
                try:
                    started = sequence.without_first(part * len(sequence) // 3)
                except SequenceError:  # there is no target in its first frame
                    continue
                sequences.append(replace(started, name=f"{sequence.name}+{part}"))
        return sequences
    return get_dataset(name)


def _train(cell: Cell, workspace: Path, device: str, machine: str) -> Training:
    start = time.perf_counter()
    for stores in (DEFAULT_STORE, STORES):  # what is stored is read, whatever the workspace of a run
        (workspace / stores).symlink_to((load_environment().workspace_dir / stores).absolute())
    result = ltr.train(
        cell.recipe, dict(cell.settings), schedule="short", workspace=workspace, seed=cell.seed, device=device
    )
    assert result.checkpoint is not None
    checkpoint = result.checkpoint.resolve().relative_to(workspace.resolve())
    seconds = round(time.perf_counter() - start, 1)
    training = Training(str(checkpoint), sha256_of(result.checkpoint), seconds, machine, commit(), training_set())
    training.write(workspace)
    return training
