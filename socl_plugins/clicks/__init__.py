"""What a person gives (clicks, with or without noise, sparse boxes, up to a budget), and what it costs.

Whatever is computed from labels lives elsewhere.
"""

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
