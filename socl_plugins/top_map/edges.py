"""Edge pixels: thin, few, and found without a model, or with OpenCV's structured forest where its file is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

EDGE_SHARE = 0.10  # of the pixels have a gradient above the upper threshold, so texture cannot make edges without bound
THRESHOLD_RATIO = 0.4  # lower over upper threshold of the hysteresis
LEAST_GRADIENT = 24.0  # |dx| + |dy| of Sobel's operator: what is below is noise, even in an image of nothing else
RIDGE_SIGMA = 2.0  # pixels, of the smoothing before the orientation of the structured forest's edges is taken
FOREST_LEAST = 0.1  # strength, in [0, 1], from which the structured forest's edges count


@dataclass(frozen=True)
class Edges:
    """The edge pixels of an image.

    Attributes:
        shape: the image's height and width.
        x, y: (E,) int, pixels, in the order of rows.
        strength: (E,) float32 in [0, 1].
        orientation: (E,) float32 in [0, pi): the direction across the edge, that of the gradient.
    """

    shape: tuple[int, int]
    x: np.ndarray
    y: np.ndarray
    strength: np.ndarray
    orientation: np.ndarray

    def mask(self) -> np.ndarray:
        """Returns (H, W) uint8: 1 on edge pixels."""
        mask = np.zeros(self.shape, np.uint8)
        mask[self.y, self.x] = 1
        return mask

    def dense(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns strength and orientation (H, W) float32, zero beside the edges, as OpenCV's functions take them."""
        strength, orientation = np.zeros(self.shape, np.float32), np.zeros(self.shape, np.float32)
        strength[self.y, self.x], orientation[self.y, self.x] = self.strength, self.orientation
        return strength, orientation


def find_edges(image: np.ndarray) -> Edges:
    """Returns the edges of an RGB uint8 image by Canny's method, with thresholds that follow the image's gradients."""
    gray = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 1.0)
    dx, dy = (cv2.Sobel(gray, cv2.CV_16S, *order) for order in ((1, 0), (0, 1)))
    sample = np.abs(dx[::4, ::4]) + np.abs(dy[::4, ::4])
    upper = max(float(np.quantile(sample, 1 - EDGE_SHARE)), LEAST_GRADIENT)
    crests = cv2.Canny(dx, dy, THRESHOLD_RATIO * upper, upper)
    place = np.flatnonzero(crests.astype(bool))  # of bytes it would take thrice as long
    across, down = (derivative.ravel().take(place).astype(np.float32) for derivative in (dx, dy))
    strength = np.minimum(np.hypot(across, down) / (2 * upper), 1)
    orientation = np.arctan2(down, across)
    orientation[orientation < 0] += np.float32(np.pi)
    orientation[orientation >= np.float32(np.pi)] = 0  # float32 rounding can reach pi
    y = place // gray.shape[1]
    return Edges(gray.shape, place - y * gray.shape[1], y, strength.astype(np.float32), orientation.astype(np.float32))


def forest_edges(image: np.ndarray, model: Path) -> Edges:
    """Returns the edges of an RGB uint8 image by OpenCV's structured forest (Dollár & Zitnick, 2013).

    Args:
        image: (H, W, 3).
        model: the forest's file, ``model.yml.gz`` of OpenCV's extra data.

    Raises:
        ValueError: there is no such file, or it is not a forest.
    """
    forest = _load_forest(model)
    dense = forest.detectEdges(image.astype(np.float32) / 255)
    orientation = ridge_orientation(dense)
    thin = forest.edgesNms(dense, orientation)
    y, x = np.nonzero(thin > FOREST_LEAST)
    return Edges(image.shape[:2], x, y, thin[y, x], orientation[y, x])


def ridge_orientation(strength: np.ndarray) -> np.ndarray:
    """Returns the direction (H, W) across the ridge that passes each pixel, in [0, pi): 0 across an upright one.

    It is that in which the map curves down most, an eigenvector of the Hessian. OpenCV's ``computeOrientation`` does
    not tell an exactly level edge from an upright one.

    Args:
        strength: (H, W) float32.
    """
    smooth = cv2.GaussianBlur(strength, (0, 0), RIDGE_SIGMA)
    xx, xy, yy = (cv2.Sobel(smooth, -1, *order) for order in ((2, 0), (1, 1), (0, 2)))
    orientation = np.mod(np.arctan2(-2 * xy, yy - xx) / 2, np.pi).astype(np.float32)
    orientation[orientation >= np.float32(np.pi)] = 0  # float32 rounding can reach pi
    return orientation


@lru_cache(maxsize=1)
def _load_forest(model: Path) -> cv2.ximgproc.StructuredEdgeDetection:
    if not model.is_file():
        raise ValueError(f"{model}: there is no such file; edge_model is the structured forest's model.yml.gz")
    try:
        return cv2.ximgproc.createStructuredEdgeDetection(str(model))
    except cv2.error as error:
        raise ValueError(f"{model} is not a structured forest that OpenCV can read: {error.err}") from error
