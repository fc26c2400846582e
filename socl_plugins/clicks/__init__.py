"""What a person gives (clicks, with or without noise, sparse boxes, up to a budget), how it is made, and what it costs.

Whatever is computed from labels lives elsewhere. The names below are imported when they are asked for, so that whoever
only makes clicks does not wait for what learns from them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socl_plugins.clicks.budget import FewerFrames, WithinBudget, dataset_labels
    from socl_plugins.clicks.costs import Cost, LabelCounts, annotation_cost, count_labels
    from socl_plugins.clicks.points import PointAnnotated, write_points
    from socl_plugins.clicks.sparse import SparseBoxAnnotated

__all__ = [
    "Cost",
    "FewerFrames",
    "LabelCounts",
    "PointAnnotated",
    "SparseBoxAnnotated",
    "WithinBudget",
    "annotation_cost",
    "count_labels",
    "dataset_labels",
    "write_points",
]
_HOMES = {
    "budget": ("FewerFrames", "WithinBudget", "dataset_labels"),
    "costs": ("Cost", "LabelCounts", "annotation_cost", "count_labels"),
    "points": ("PointAnnotated", "write_points"),
    "sparse": ("SparseBoxAnnotated",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
