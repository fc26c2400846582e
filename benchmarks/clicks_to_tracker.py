"""How much a network tracks better after learning from clicks: ``python benchmarks/clicks_to_tracker.py --help``.

For each seed it trains ``socl socl_res18`` in a workspace of its own, then tracks whole benchmark sequences with the
network as it was before the first step and with the best checkpoint, and writes both to a JSON file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import ltr
from ltr.admin.checkpoint import load_checkpoint, load_network, plain
from ltr.admin.files import write_bytes_atomically
from ltr.engine.random_state import seed_everything
from ltr.models.builder import build_network
from ltr.registry import HELD_OUT_SCORES, load_plugins
from pytracking.evaluation import get_dataset
from pytracking.registry import PARAMETERS


def train(seed: int, workspace: Path, overrides: list[str]) -> Path:
    """Trains and returns the best checkpoint."""
    settings = dict(override.split("=", 1) for override in overrides)
    result = ltr.train("socl/socl_res18", settings, schedule="short", seed=seed, workspace=workspace)
    assert result.checkpoint is not None
    return result.checkpoint


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--benchmark", default="synthetic", help="a benchmark of pytracking (default: synthetic)")
    parser.add_argument("--max-frames", type=int, help="track only so many frames of each sequence")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="KEY=VALUE, as for training")
    parser.add_argument("--out", type=Path, required=True, help="folder for workspaces and results.json")
    options = parser.parse_args()
    load_plugins()
    score = HELD_OUT_SCORES["tracking_auc"](
        get_dataset(options.benchmark), max_frames=options.max_frames, params=PARAMETERS["siamfc/socl_res18"]()
    )
    rows = []
    for seed in options.seeds:
        path = train(seed, options.out / f"seed_{seed}", options.overrides)
        checkpoint = load_checkpoint(path)
        config = checkpoint["settings"]["config"]
        seed_everything(seed)  # as the command line does before the recipe builds its network
        built = checkpoint["constructor"]
        before = build_network(built["network"], **built["kwargs"], pretrained=config["network.pretrained"])
        row: dict[str, object] = {"seed": seed, "best_epoch": checkpoint["epoch"], "held_out": checkpoint["score"]}
        for name, network in (("before", before.eval()), ("after", load_network(path))):
            results = score.per_sequence(network)
            row[name] = {
                "auc": float(np.mean([result.auc for result in results.values()])),
                "dp20": float(np.mean([result.dp20 for result in results.values()])),
                "per_sequence_auc": {sequence: round(result.auc, 4) for sequence, result in results.items()},
            }
            print(f"seed {seed}, {name}: AUC {row[name]['auc']:.3f}, DP@20 {row[name]['dp20']:.3f}", flush=True)  # type: ignore[index]
        rows.append(row)
        content = {"benchmark": options.benchmark, "set": options.overrides, "runs": plain(rows)}
        write_bytes_atomically(options.out / "results.json", json.dumps(content, indent=1).encode())
    for name in ("before", "after"):
        values = [row[name]["auc"] for row in rows]  # type: ignore[index]
        print(f"{name}: mean AUC {np.mean(values):.3f} over seeds {options.seeds}: {np.round(values, 3).tolist()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
