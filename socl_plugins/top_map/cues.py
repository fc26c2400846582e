"""Objectness cues of Alexe et al. (TPAMI 2012): multi-scale saliency, colour contrast, edge density.

SoCL uses these three and leaves out superpixels. Every cue is a sum over windows, read off an integral image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SALIENCY_SCALES = (16, 24, 32, 48, 64)
SALIENCY_THRESHOLDS = (0.43, 0.32, 0.34, 0.35, 0.26)
LAB_BINS = (4, 8, 8)
CONTRAST_RING = 1.0  # the ring adds half of the window's width and height on each side
EDGE_RING = 0.17  # the ring lies inside the window; the inner box is the window over 1.17
CONTRAST_GRID = 4  # colour histograms are summed over cells of 4 x 4 pixels


def integral(values: np.ndarray) -> np.ndarray:
    """Returns the integral image (H + 1, W + 1, ...) of ``values`` (H, W, ...), in float64."""
    total = np.zeros((values.shape[0] + 1, values.shape[1] + 1, *values.shape[2:]))
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=total[1:, 1:])
    return total


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
        mass = window_sums(integral(saliency * salient), scaled)
        cues.append(mass * window_sums(integral(salient), scaled) / area)
    return np.stack(cues, axis=1)


def color_contrast(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns CC (N,): chi-square distance, in [0, 1], of the LAB histograms of a window and the ring around it."""
    height, width = image.shape[:2]
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.int64)
    index = np.zeros((height, width), np.int64)
    for channel, bins in enumerate(LAB_BINS):
        index = index * bins + lab[..., channel] * bins // 256
    colours, index = np.unique(index, return_inverse=True)  # most frames use a small part of the 256 bins
    rows, columns = -(-height // CONTRAST_GRID), -(-width // CONTRAST_GRID)
    y, x = np.divmod(np.arange(height * width), width)
    cell = (y // CONTRAST_GRID) * columns + x // CONTRAST_GRID
    counts = np.bincount(cell * len(colours) + index.ravel(), minlength=rows * columns * len(colours))
    table = integral(counts.reshape(rows, columns, len(colours))).astype(np.float32).reshape(-1, len(colours))

    def histogram(windows: np.ndarray) -> np.ndarray:
        limit = np.array([columns, rows])
        first = np.clip(np.rint(windows[:, :2] / CONTRAST_GRID).astype(np.int64), 0, limit - 1)
        last = np.clip(np.rint((windows[:, :2] + windows[:, 2:]) / CONTRAST_GRID).astype(np.int64), first + 1, limit)
        top, bottom = first[:, 1] * (columns + 1), last[:, 1] * (columns + 1)
        total = table[bottom + last[:, 0]] - table[top + last[:, 0]]
        total -= table[bottom + first[:, 0]]
        total += table[top + first[:, 0]]
        return total

    margin = boxes[:, 2:] * CONTRAST_RING / 2
    surround = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin], axis=1)
    inside = histogram(boxes)
    ring = histogram(surround) - inside
    inside /= np.maximum(inside.sum(axis=1, keepdims=True), 1)
    ring /= np.maximum(ring.sum(axis=1, keepdims=True), 1)
    return 0.5 * ((inside - ring) ** 2 / np.maximum(inside + ring, 1e-12)).sum(axis=1).astype(np.float64)


def edge_density(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns ED (N,): edge pixels for each pixel of a window's inner ring, times the window's mean side."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    median = float(np.median(gray))
    edges = cv2.Canny(gray, 0.66 * median, max(1.33 * median, 1.0)) > 0
    table = integral(edges)
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


def window_cues(image: np.ndarray, boxes: np.ndarray) -> Cues:
    """Returns the three cues of boxes (N, 4) x, y, w, h in an RGB uint8 image (H, W, 3)."""
    return Cues(multi_scale_saliency(image, boxes), color_contrast(image, boxes), edge_density(image, boxes))
