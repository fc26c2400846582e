"""What the labels behind a result cost: read from the checkpoint that the result was made with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ltr.admin.records import RecordError, read_record
from pytracking.evaluation.results import RUN_FILE
from pytracking.evaluation.tracker import Tracker
from socl_plugins.clicks.costs import Cost

LOADER_NAME = "labels"  # where training keeps the cost among its numbers: labels/hours, labels/dollars


def label_cost(tracker: Tracker) -> Cost | None:
    """Returns what the labels cost that the network of the saved results was trained with, or None if that is unknown.

    It is unknown if the network came from no checkpoint of this project's training, if the training recorded no cost,
    or if the checkpoint is gone or was replaced since: then its cost may be another.
    """
    try:
        parameters = dict(read_record(tracker.results_dir / RUN_FILE)["parameters"])
    except RecordError as error:
        print(f"the cost of the labels is unknown: {error}", file=sys.stderr)
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    for entry in parameters.values():
        if isinstance(entry, Mapping) and "checkpoint" in entry:
            return _of_checkpoint(str(entry["checkpoint"]), str(entry.get("digest")))
    return None


def _of_checkpoint(name: str, digest: str) -> Cost | None:
    from ltr.admin.checkpoint import CheckpointError, content_digest, find_checkpoint, load_checkpoint

    try:
        path = find_checkpoint(name)
        if content_digest(path) != digest:
            return None
        content = load_checkpoint(path)
    except (CheckpointError, OSError):
        return None
    return recorded_cost(content)


def label_cost_columns(tracker: Tracker) -> dict[str, float]:
    """Returns the columns of reports on what labels cost, by their heads; none if that is unknown."""
    cost = label_cost(tracker)
    return {} if cost is None else {"label hours": cost.hours, "label dollars": cost.dollars}


def recorded_cost(checkpoint: Mapping[str, Any]) -> Cost | None:
    """Returns what the labels of a checkpoint's run cost, or None if the run did not record it."""
    stats = checkpoint.get("stats")
    recorded: Any = stats.get(LOADER_NAME) if isinstance(stats, Mapping) else None
    try:
        # One value an epoch; labels that were bought earlier are never given back.
        return Cost(max(recorded["hours"].values()), max(recorded["dollars"].values()))
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
