from .budget import FewerFrames, WithinBudget, dataset_labels
from .costs import Cost, LabelCounts, annotation_cost, count_labels
from .points import PointAnnotated, write_points
from .sparse import SparseBoxAnnotated

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
