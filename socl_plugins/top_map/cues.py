"""Objectness cues of Alexe et al. (TPAMI 2012): multi-scale saliency, colour contrast, edge density.

SoCL uses these three and leaves out superpixels. Every cue is a sum over windows, read off an integral image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from socl_plugins.top_map.edges import Edges

SALIENCY_SCALES = (16, 24, 32, 48, 64)
SALIENCY_THRESHOLDS = (0.43, 0.32, 0.34, 0.35, 0.26)
LAB_BINS = (4, 8, 8)
CONTRAST_RING = 1.0  # the ring adds half of the window's width and height on each side
EDGE_RING = 0.17  # the ring lies inside the window; the inner box is the window over 1.17
LEAST_SALIENCY = 1e-9
MOST_CHANNELS = 64  # that are summed at once: fewer than any OpenCV's limit
CONTRAST_GRID = 4  # colour histograms are summed over cells of 4 x 4 pixels


def window_sums(table: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns the sums (N,) of an image over boxes (N, 4) x, y, w, h, from its integral image ``table`` (H + 1, W + 1).

    Exact for fractional boxes: between grid points an integral image is bilinear. Boxes are clipped to the image.
    """
    height, width = table.shape[0] - 1, table.shape[1] - 1
    left, right = np.clip(boxes[:, 0], 0, width), np.clip(boxes[:, 0] + boxes[:, 2], 0, width)
    top, bottom = np.clip(boxes[:, 1], 0, height), np.clip(boxes[:, 1] + boxes[:, 3], 0, height)
    return (
        _bilinear(table, right, bottom)
        - _bilinear(table, left, bottom)
        - _bilinear(table, right, top)
        + _bilinear(table, left, top)
    )


def _bilinear(table: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    column = np.minimum(x.astype(np.intp), table.shape[1] - 2)
    row = np.minimum(y.astype(np.intp), table.shape[0] - 2)
    u, v = x - column, y - row
    flat = table.ravel()
    index = row * table.shape[1] + column
    upper = flat[index] * (1 - u) + flat[index + 1] * u
    index += table.shape[1]
    return upper * (1 - v) + (flat[index] * (1 - u) + flat[index + 1] * u) * v


def saliency_map(image: np.ndarray, size: int) -> np.ndarray:
    """Returns the spectral-residual saliency (size, size), in [0, 1], of an RGB image, averaged over its channels.

    The log amplitude minus its 3 x 3 mean is what is unexpected in the spectrum (Hou & Zhang, 2007); with the phase
    kept, it is transformed back, squared and smoothed.
    """
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.float64)
    spectrum = np.fft.fft2(small, axes=(0, 1))
    log_amplitude = np.log(np.abs(spectrum) + 1e-9)
    residual = log_amplitude - cv2.blur(log_amplitude, (3, 3))
    back = np.fft.ifft2(np.exp(residual) * spectrum / (np.abs(spectrum) + 1e-9), axes=(0, 1))
    saliency = cv2.GaussianBlur((np.abs(back) ** 2).mean(axis=2), (0, 0), 2.5 * size / 64)
    low, high = saliency.min(), saliency.max()
    return (saliency - low) / (high - low) if high > low else np.zeros_like(saliency)


def multi_scale_saliency(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns MS (N, 5), one column a scale: salient mass in a window times the part of it that is salient."""
    height, width = image.shape[:2]
    cues = []
    for size, threshold in zip(SALIENCY_SCALES, SALIENCY_THRESHOLDS):
        saliency = saliency_map(image, size)
        salient = saliency >= threshold
        scaled = boxes * np.array([size / width, size / height] * 2)
        area = np.maximum(scaled[:, 2] * scaled[:, 3], 1e-12)
        mass = window_sums(cv2.integral(saliency * salient), scaled)
        cues.append(mass * window_sums(cv2.integral(salient.astype(np.float64)), scaled) / area)
    # What is left of sums that cancel must not count as salient: the smallest values have bins of their own.
    found = np.stack(cues, axis=1)
    return np.where(np.abs(found) < LEAST_SALIENCY, 0.0, found)


def color_contrast(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns CC (N,): chi-square distance, in [0, 1], of the LAB histograms of a window and the ring around it.

    Both are rounded to a grid of 4 x 4 pixels. The ring adds half of the window's size on each side.
    """
    table = _color_table(image)
    margin = boxes[:, 2:] * CONTRAST_RING / 2
    inside = _histograms(table, boxes)
    ring = _histograms(table, np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin], axis=1)) - inside
    inside /= np.maximum(inside.sum(axis=1, keepdims=True), 1)
    ring /= np.maximum(ring.sum(axis=1, keepdims=True), 1)
    difference = inside - ring
    ring += inside
    np.maximum(ring, 1e-12, out=ring)
    np.multiply(difference, difference, out=inside)
    inside /= ring
    return 0.5 * inside.sum(axis=1).astype(np.float64)


def color_index(image: np.ndarray) -> np.ndarray:
    """Returns (H, W) uint8: the LAB bin of each pixel, of 4 x 8 x 8."""
    lab: np.ndarray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.uint8)
    return (lab[..., 0] & 0xC0) | ((lab[..., 1] >> 5) << 3) | (lab[..., 2] >> 5)


def _color_table(image: np.ndarray) -> np.ndarray:
    """Returns the integral image (rows + 1, columns + 1, C) float32, over grid cells, of the C colours in the image."""
    index = color_index(image)
    height, width = index.shape
    rows, columns = -(-height // CONTRAST_GRID), -(-width // CONTRAST_GRID)
    # Most frames use a small part of the 256 bins: number those that occur.
    used = np.flatnonzero(np.bincount(index.ravel(), minlength=256))
    number = np.zeros(256, np.intp)
    number[used] = np.arange(len(used))
    cell = (np.arange(height) // CONTRAST_GRID)[:, None] * columns + np.arange(width) // CONTRAST_GRID
    counts = np.bincount((cell * len(used) + number[index]).ravel(), minlength=rows * columns * len(used))
    cells = counts.astype(np.uint8).reshape(rows, columns, len(used))  # at most 16 pixels each
    table = np.empty((rows + 1, columns + 1, len(used)), np.float32)  # whole numbers, exact up to 2 ** 24 pixels
    for first_color in range(0, len(used), MOST_CHANNELS):
        part = slice(first_color, first_color + MOST_CHANNELS)
        table[..., part] = np.atleast_3d(cv2.integral(np.ascontiguousarray(cells[..., part]), sdepth=cv2.CV_32F))
    return table


def _histograms(table: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Returns how many pixels (N, C) of each colour are in windows (N, 4), rounded to the grid, at least one cell."""
    rows, columns = table.shape[0] - 1, table.shape[1] - 1
    limit = np.array([columns, rows])
    first = np.clip(np.rint(windows[:, :2] / CONTRAST_GRID).astype(np.intp), 0, limit - 1)
    last = np.clip(np.rint((windows[:, :2] + windows[:, 2:]) / CONTRAST_GRID).astype(np.intp), first + 1, limit)
    flat = table.reshape(-1, table.shape[2])
    top, bottom = first[:, 1] * (columns + 1), last[:, 1] * (columns + 1)
    total = flat.take(bottom + last[:, 0], axis=0)
    total -= flat.take(top + last[:, 0], axis=0)
    total -= flat.take(bottom + first[:, 0], axis=0)
    total += flat.take(top + first[:, 0], axis=0)
    return total


def edge_density(edges: Edges, boxes: np.ndarray) -> np.ndarray:
    """Returns ED (N,): edge pixels for each pixel of a window's inner ring, times the window's mean side."""
    table = cv2.integral(edges.mask())
    inner_size = boxes[:, 2:] / (1 + EDGE_RING)
    inner = np.concatenate([boxes[:, :2] + (boxes[:, 2:] - inner_size) / 2, inner_size], axis=1)
    ring_area = np.prod(boxes[:, 2:], axis=1) - np.prod(inner_size, axis=1)
    edgels = window_sums(table, boxes) - window_sums(table, inner)
    return edgels / np.maximum(ring_area, 1e-12) * boxes[:, 2:].mean(axis=1)


@dataclass(frozen=True)
class Cues:
    """Cues of N windows: ``saliency`` (N, 5), ``contrast`` (N,) and ``edges`` (N,)."""

    saliency: np.ndarray
    contrast: np.ndarray
    edges: np.ndarray

    def columns(self) -> np.ndarray:
        """Returns the cues side by side, (N, 7)."""
        return np.column_stack([self.saliency, self.contrast, self.edges])


def window_cues(image: np.ndarray, edges: Edges, boxes: np.ndarray) -> Cues:
    """Returns the three cues of boxes (N, 4) x, y, w, h in an RGB uint8 image (H, W, 3) with these edges."""
    return Cues(multi_scale_saliency(image, boxes), color_contrast(image, boxes), edge_density(edges, boxes))
