"""The noise-robust loss against the cross-entropy, and AHM against random mini-batches, over seeds (PUL, figure 6).

    python benchmarks/noise_robust.py --out runs                        the whole grid
    python benchmarks/noise_robust.py --out runs --parts noise --noise 20 --seeds 0      two cells of it

Each cell trains in a process of its own and tracks benchmark sequences with the averaged weights after the last epoch,
so that no cell gains by choosing among epochs. Finished cells are kept in ``results.json``, and the same command goes
on with those that are missing. With the default schedule a cell takes one or two minutes on a free core.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.checkpoint import load_network
from ltr.admin.files import write_bytes_atomically
from ltr.registry import HELD_OUT_SCORES, load_plugins
from pytracking.evaluation import get_dataset

ROOT = Path(__file__).resolve().parents[1]
# One score, after the last epoch, so that its network is the one that is kept.
SHORT = {"num_workers": "0", "score_interval": "1000", "held_out_videos": "1", "held_out_frames": "2"}
SCHEDULES = {
    "noise": {"epochs": "3", "samples_per_epoch": "240"},
    "selection": {"epochs": "2", "samples_per_epoch": "240", "rounds": ""},  # telling patches apart, alone
}
RECIPES = {"noise": "noisy_box_res18", "selection": "alex_pul"}


@dataclass(frozen=True)
class Cell:
    """One run: what is compared in it, and what is set for it."""

    part: str
    name: str
    seed: int
    settings: dict[str, str]


def cells(options: argparse.Namespace) -> Iterator[Cell]:
    """Yields the runs that are asked for, the seeds outermost, so that a grid cut short is fair."""
    for seed in options.seeds:
        if "noise" in options.parts:
            for noise in options.noise:
                for loss in options.losses:
                    # Without label noise the loss is given what the paper blames: that people err by some pixels.
                    believed = max(noise, options.least_belief) if loss != "bce" else 0
                    settings = {"noise_px": str(noise), "noise_robust": str(believed)}
                    if loss != "bce":
                        settings["noise_expansion"] = loss
                    yield Cell("noise", f"{loss}, {noise:g} px", seed, settings)
        if "selection" in options.parts:
            for selection in ("neighbours", "random"):
                yield Cell("selection", selection, seed, {"selection": selection})


def run(cell: Cell, workspace: Path, overrides: list[str], score: Any) -> dict[str, Any]:
    """Trains, tracks, and returns the row of a cell."""
    words = [sys.executable, str(ROOT / "ltr" / "run_training.py"), "pul", RECIPES[cell.part]]
    words += ["--seed", str(cell.seed), "--workspace", str(workspace)]
    chosen = SHORT | SCHEDULES[cell.part] | cell.settings
    for override in [*(f"{key}={value}" for key, value in chosen.items()), *overrides]:
        words += ["--set", override]
    start = time.perf_counter()
    subprocess.run(words, check=True)
    seconds = time.perf_counter() - start
    path = next((workspace / "checkpoints" / "ltr" / "pul" / RECIPES[cell.part]).glob("*_best.pth.tar"))
    results = score.per_sequence(load_network(path))
    return {
        "part": cell.part,
        "name": cell.name,
        "seed": cell.seed,
        "set": chosen,
        "training_seconds": round(seconds, 1),
        "auc": float(np.mean([result.auc for result in results.values()])),
        "dp20": float(np.mean([result.dp20 for result in results.values()])),
    }


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for workspaces and results.json")
    parser.add_argument("--parts", nargs="+", choices=tuple(RECIPES), default=list(RECIPES))
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 10.0, 20.0, 50.0], help="label noise in pixels")
    parser.add_argument(
        "--losses", nargs="+", choices=("bce", "centred", "taylor", "exact"), default=["bce", "centred"]
    )
    parser.add_argument(
        "--least-belief", type=float, default=2.0, help="noise believed in where there is less (pixels)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--benchmark", default="synthetic", help="a benchmark of pytracking (default: synthetic)")
    parser.add_argument("--max-frames", type=int, default=30, help="tracked of each sequence (default: 30)")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="KEY=VALUE, as for training")
    options = parser.parse_args()
    load_plugins()
    score = HELD_OUT_SCORES["tracking_auc"](get_dataset(options.benchmark), max_frames=options.max_frames)
    path = options.out / "results.json"
    same = {"benchmark": options.benchmark, "max_frames": options.max_frames, "overrides": options.overrides}
    content = json.loads(path.read_text()) if path.is_file() else {**same, "runs": []}
    if {key: content[key] for key in same} != same:
        parser.error(f"{path} holds runs with other options: name another --out")
    for cell in cells(options):
        chosen = SHORT | SCHEDULES[cell.part] | cell.settings
        if any((row["part"], row["seed"], row["set"]) == (cell.part, cell.seed, chosen) for row in content["runs"]):
            continue
        workspace = options.out / f"{cell.part} {cell.name} {cell.seed}".replace(", ", "_").replace(" ", "_")
        row = run(cell, workspace, options.overrides, score)
        content["runs"].append(row)
        options.out.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(path, json.dumps(content, indent=1).encode())
        print(f"{cell.part}, {cell.name}, seed {cell.seed}: AUC {row['auc']:.3f}, DP@20 {row['dp20']:.3f}", flush=True)
    for part, name in dict.fromkeys((row["part"], row["name"]) for row in content["runs"]):
        values = [row["auc"] for row in content["runs"] if (row["part"], row["name"]) == (part, name)]
        spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
        print(f"{part}: {name}: mean AUC {np.mean(values):.3f}{spread}, {len(values)} seeds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
