"""Edges: by Canny, and by OpenCV's structured forest where its file is given."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.dataset.synthetic import SyntheticVideo
from pytracking.metrics.boxes import iou
from socl_plugins.top_map import ProposalSettings, propose_target
from socl_plugins.top_map.edges import find_edges, forest_edges


def test_edges_are_thin_few_and_turned_as_their_gradient() -> None:
    image = np.full((80, 120, 3), 60, np.uint8)
    image[20:60, 30:90] = 180
    edges = find_edges(image)
    assert len(edges.x) < 2.2 * (40 + 60) and edges.strength.min() > 0
    upright = (np.abs(edges.x - 30) <= 1) & (edges.y > 25) & (edges.y < 55)
    np.testing.assert_allclose(np.minimum(edges.orientation[upright], np.pi - edges.orientation[upright]), 0, atol=0.05)
    level = (np.abs(edges.y - 20) <= 1) & (edges.x > 35) & (edges.x < 85)
    np.testing.assert_allclose(edges.orientation[level], np.pi / 2, atol=0.05)
    assert edges.orientation.min() >= 0 and edges.orientation.max() < np.pi


def write_forest_of_one_tree(path: Path) -> None:
    """Writes a structured forest in OpenCV's format that finds an edge where the gradient is strong, and nothing else.

    One tree of three nodes: the gradient's magnitude in a patch's middle, against a threshold; an edge there, or none.
    """
    patch, inner, shrink, color_channels = 32, 16, 2, 3
    cells = patch // shrink
    options = {
        "stride": 2, "shrinkNumber": shrink, "patchSize": patch, "patchInnerSize": inner,
        "numberOfGradientOrientations": 4, "gradientSmoothingRadius": 0, "regFeatureSmoothingRadius": 2,
        "ssFeatureSmoothingRadius": 8, "gradientNormalizationRadius": 4, "selfsimilarityGridSize": 5,
        "numberOfTrees": 1, "numberOfTreesToEvaluate": 1,
    }  # fmt: skip
    middle = cells // 2 * cells + cells // 2
    trees = {
        "childs": [2, 0, 0],  # of the root, counted from 1; a leaf has none
        "featureIds": [color_channels * cells**2 + middle, 0, 0],
        "thresholds": [0.3, 0.0, 0.0],
        "edgeBoundaries": [0, 0, 0, 100],  # the second leaf votes a hundred times ...
        "edgeBins": [inner // 2 * inner + inner // 2] * 100,  # ... for the middle of its patch
    }
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.startWriteStruct("options", cv2.FILE_NODE_MAP)
    for name, value in options.items():
        storage.write(name, value)
    storage.endWriteStruct()
    for name, tree in trees.items():
        storage.startWriteStruct(name, cv2.FILE_NODE_SEQ)
        storage.startWriteStruct("", cv2.FILE_NODE_SEQ)
        for number in tree:
            storage.write("", number)
        storage.endWriteStruct()
        storage.endWriteStruct()
    storage.release()


def test_a_structured_forest_gives_the_edges_that_proposals_are_made_of(tmp_path: Path) -> None:
    model = tmp_path / "model.yml.gz"
    write_forest_of_one_tree(model)
    image = np.full((80, 120, 3), 60, np.uint8)
    image[20:60, 30:90] = 180
    edges = forest_edges(image, model)
    sides = [abs(edges.x - 30), abs(edges.x - 89), abs(edges.y - 20), abs(edges.y - 59)]
    to_border = np.min(sides, axis=0)
    assert len(edges.x) > 150 and to_border.max() <= 3
    assert 0.1 < edges.strength.min() <= edges.strength.max() <= 1
    upright = (abs(edges.x - 30) <= 1) & (edges.y > 32) & (edges.y < 48)
    np.testing.assert_allclose(np.minimum(edges.orientation[upright], np.pi - edges.orientation[upright]), 0, atol=0.1)
    level = (abs(edges.y - 20) <= 1) & (edges.x > 42) & (edges.x < 78)
    np.testing.assert_allclose(edges.orientation[level], np.pi / 2, atol=0.1)
    found = propose_target(image, (60.0, 40.0), ProposalSettings(random_count=0, edge_model=model))
    assert iou(np.array([30.0, 20, 60, 40]), found.boxes.astype(np.float64)).max() > 0.7


@pytest.mark.parametrize("content", [None, b"not a forest"])
def test_a_structured_forest_that_is_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    model = tmp_path / "model.yml.gz"
    if content is not None:
        model.write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.yml\.gz"):
        forest_edges(SyntheticVideo(1, seed=0).load_frame(0, 0), model)
