"""Objectness of a window: the cues combined by naive Bayes, with likelihoods fitted on annotated boxes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ltr.admin.files import write_bytes_atomically
from pytracking.metrics.boxes import iou
from socl_plugins.top_map.cues import Cues

DEFAULT_TABLE = Path(__file__).with_name("likelihoods.json")
PRIOR = 0.08  # of a window to hold an object, close to Alexe et al.
COLUMNS = ("saliency_16", "saliency_24", "saliency_32", "saliency_48", "saliency_64", "contrast", "edges")
SALIENCY_COLUMNS = 5


@dataclass(frozen=True)
class Likelihoods:
    """For each cue, how much more likely its value is in a window on an object than in one beside it.

    Attributes:
        edges: (7, B - 1) inner bin edges of each cue; values beyond fall in the outer bins.
        log_ratio: (7, B) log p(bin | object) - log p(bin | background).
        source: how the table was made.
    """

    edges: np.ndarray
    log_ratio: np.ndarray
    source: str

    def objectness(self, cues: Cues, saliency: bool = True, contrast: bool = True, edges: bool = True) -> np.ndarray:
        """Returns p(object | cues) (N,) in [0, 1]; a cue can be left out.

        The five scales of saliency see the same thing, so they count as one cue: the mean of their log ratios.
        """
        used = np.repeat([saliency / SALIENCY_COLUMNS, contrast, edges], [SALIENCY_COLUMNS, 1, 1])
        evidence = np.full(len(cues.contrast), np.log(PRIOR / (1 - PRIOR)))
        for values, bins, ratio, weight in zip(cues.columns().T, self.edges, self.log_ratio, used):
            if weight:
                # Counting the few edges that a value has passed is faster than a search among them.
                passed = (values >= bins[:, None]).view(np.uint8)
                evidence += weight * ratio.take(passed.sum(axis=0, dtype=np.uint8 if len(bins) < 256 else np.intp))
        return 1 / (1 + np.exp(-evidence))

    def save(self, path: Path) -> None:
        """Writes the table as JSON."""
        content = {
            "source": self.source,
            "columns": COLUMNS,
            "edges": self.edges.tolist(),
            "log_ratio": self.log_ratio.tolist(),
        }
        write_bytes_atomically(path, (json.dumps(content) + "\n").encode())


@lru_cache(maxsize=8)
def load_likelihoods(path: Path = DEFAULT_TABLE) -> Likelihoods:
    """Returns the table stored at ``path``.

    Raises:
        ValueError: the file is not such a table.
    """
    try:
        content = json.loads(path.read_text())
        table = Likelihoods(np.array(content["edges"]), np.array(content["log_ratio"]), content["source"])
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a table of likelihoods ({error}); fit a new one") from error
    bins = table.log_ratio.shape[-1]
    if table.edges.shape != (len(COLUMNS), bins - 1) or table.log_ratio.shape != (len(COLUMNS), bins):
        raise ValueError(f"{path}: edges {table.edges.shape} and log_ratio {table.log_ratio.shape} do not fit together")
    if not (np.isfinite(table.edges).all() and np.isfinite(table.log_ratio).all()):
        raise ValueError(f"{path} holds numbers that are not finite; fit a new table")
    if (np.diff(table.edges) < 0).any():
        raise ValueError(f"{path} is damaged: the edges of its bins do not rise; fit a new table")
    return table


def fit_likelihoods(
    samples: Iterable[tuple[Cues, np.ndarray, np.ndarray]], source: str, bins: int = 32, smoothing: float = 20.0
) -> Likelihoods:
    """Returns likelihoods fitted on annotated frames; a window with IoU >= 0.5 is on the object.

    Args:
        samples: for each frame, the cues of its windows, the windows (N, 4) and the annotated box (4,).
        source: how and on what, for whoever finds the table.
        bins: bins of equal population for each cue.
        smoothing: counts added to each bin.

    Raises:
        ValueError: no window is on an object, or none is beside one; or there are fewer than two bins.
    """
    if bins < 2:
        raise ValueError(f"bins is {bins}; a likelihood needs at least 2")
    columns, positive = [], []
    for cues, boxes, target in samples:
        columns.append(cues.columns())
        positive.append(iou(target, boxes) >= 0.5)
    values = np.concatenate(columns) if columns else np.zeros((0, len(COLUMNS)))
    labels = np.concatenate(positive) if positive else np.zeros(0, bool)
    if not labels.any() or labels.all():
        raise ValueError("likelihoods need windows on annotated objects and windows beside them")
    quantiles = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.stack([np.quantile(values[:, i], quantiles) for i in range(values.shape[1])])
    log_ratio = []
    for i, cue_edges in enumerate(edges):
        index = np.searchsorted(cue_edges, values[:, i], side="right")
        # The added counts are shared as the labels are, so a bin that was never seen says nothing: ratio one.
        on, beside = (np.bincount(index[mask], minlength=bins) + smoothing * mask.mean() for mask in (labels, ~labels))
        log_ratio.append(np.log(on / on.sum()) - np.log(beside / beside.sum()))
    return Likelihoods(edges, np.stack(log_ratio), source)
