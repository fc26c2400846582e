"""Objectness cues of Alexe et al. (TPAMI 2012): multi-scale saliency, colour contrast, edge density.

SoCL uses these three and leaves out superpixels. Every cue is a sum over windows, read off an integral image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from socl_plugins.top_map.edges import Edges

SALIENCY_SCALES = (16, 24, 32, 48, 64)
SALIENCY_SIDE = 192  # a multiple of all scales
SALIENCY_THRESHOLDS = (0.43, 0.32, 0.34, 0.35, 0.26)
LAB_BINS = (4, 8, 8)
CONTRAST_RING = 1.0  # the ring adds half of the window's width and height on each side
EDGE_RING = 0.17  # the ring lies inside the window; the inner box is the window over 1.17
LEAST_SALIENCY = 1e-9
LEAST_EDGELS = 1e-6  # edge pixels
MOST_CHANNELS = 64  # that are summed at once: fewer than any OpenCV's limit
CONTRAST_GRID = 4  # colour histograms are summed over cells of 4 x 4 pixels
STRIP = 64  # rows of pixels whose colours are counted at once


class WindowSums:
    """Sums of images over boxes, read off their integral images, for boxes that several images are asked about.

    Exact for fractional boxes: between grid points an integral image is bilinear. Boxes are clipped to the image.

    Args:
        boxes: (N, 4) x, y, w, h.
        size: height and width of the image that they lie in, in the same unit.
    """

    def __init__(self, boxes: np.ndarray, size: tuple[int, int]) -> None:
        x, y, width, height = boxes.T
        # In [-1, 1] from border to border, as torch has it, and so in images of any number of pixels.
        left, right = (np.clip(end, 0, size[1]) * (2 / size[1]) - 1 for end in (x, x + width))
        above, below = (np.clip(end, 0, size[0]) * (2 / size[0]) - 1 for end in (y, y + height))
        self._corners = np.empty((4, len(x), 2))
        for corner, place in zip(self._corners, ((left, above), (right, above), (left, below), (right, below))):
            corner[:, 0], corner[:, 1] = place

    def __call__(self, *images: np.ndarray) -> np.ndarray:
        """Returns the sums (C, N) of C images (H, W) of one size over the boxes, in pixels of these images."""
        from torch import from_numpy
        from torch.nn.functional import grid_sample  # takes seconds to import, which readers of stored maps are spared

        tables = np.empty((len(images), images[0].shape[0] + 1, images[0].shape[1] + 1))
        for image, table in zip(images, tables):
            cv2.integral(image, table, cv2.CV_64F)
        read = grid_sample(from_numpy(tables)[None], from_numpy(self._corners)[None], align_corners=True)[0].numpy()
        return read[:, 3] - read[:, 2] - read[:, 1] + read[:, 0]


def saliency_map(image: np.ndarray, size: int) -> np.ndarray:
    """Returns the spectral-residual saliency (size, size), in [0, 1], of an RGB image, averaged over its channels.

    The log amplitude minus its 3 x 3 mean is what is unexpected in the spectrum (Hou & Zhang, 2007); with the phase
    kept, it is transformed back, squared and smoothed.
    """
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(small.transpose(2, 0, 1).astype(np.float64, order="C"))  # rows in one piece are faster
    amplitude = np.abs(spectrum)
    amplitude += 1e-9
    residual = np.log(amplitude)
    for channel in residual:
        channel -= cv2.blur(channel, (3, 3))
    np.exp(residual, out=residual)
    residual /= amplitude
    spectrum *= residual
    back = np.fft.ifft2(spectrum)
    saliency = cv2.GaussianBlur((back.real**2 + back.imag**2).mean(axis=0), (0, 0), 2.5 * size / 64)
    low, high = saliency.min(), saliency.max()
    return (saliency - low) / (high - low) if high > low else np.zeros_like(saliency)


def reduced_for_saliency(image: np.ndarray) -> np.ndarray:
    """Returns an image of ``SALIENCY_SIDE`` pixels squared, of which the maps of all scales are quickly made.

    All scales divide that, so each further reduction is a mean of whole pixels, and a large frame is gone through once.
    A smaller image stays as it is.
    """
    if min(image.shape[:2]) <= SALIENCY_SIDE:
        return image
    return cv2.resize(image, (SALIENCY_SIDE, SALIENCY_SIDE), interpolation=cv2.INTER_AREA)


def multi_scale_saliency(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns MS (N, 5), one column a scale: salient mass in a window times the part of it that is salient."""
    sums = WindowSums(boxes, image.shape[:2])
    small = reduced_for_saliency(image)
    area = boxes[:, 2] * boxes[:, 3] / (image.shape[0] * image.shape[1])
    found = np.empty((len(boxes), len(SALIENCY_SCALES)))
    for column, (size, threshold) in enumerate(zip(SALIENCY_SCALES, SALIENCY_THRESHOLDS)):
        saliency = saliency_map(small, size)
        salient = (saliency >= threshold).astype(np.float64)
        mass, share = sums(saliency * salient, salient)
        found[:, column] = mass * share / np.maximum(area * size**2, 1e-12)
    # What is left of sums that cancel must not count as salient: the smallest values have bins of their own.
    found[np.abs(found) < LEAST_SALIENCY] = 0
    return found


def color_contrast(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns CC (N,): chi-square distance, in [0, 1], of the LAB histograms of a window and the ring around it.

    Both are rounded to a grid of 4 x 4 pixels. The ring adds half of the window's size on each side.
    """
    table = _color_table(image)
    margin = boxes[:, 2:] * CONTRAST_RING / 2
    inside = _histograms(table, boxes)
    ring = _histograms(table, np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin], axis=1)) - inside
    every = np.ones(inside.shape[1], np.float32)
    for counts in (inside, ring):
        counts /= np.maximum(counts @ every, 1)[:, None]
    difference = inside - ring
    ring += inside
    np.maximum(ring, 1e-12, out=ring)
    np.multiply(difference, difference, out=inside)
    inside /= ring
    return 0.5 * (inside @ every).astype(np.float64)


def color_index(image: np.ndarray) -> np.ndarray:
    """Returns (H, W) uint8: the LAB bin of each pixel, of 4 x 8 x 8."""
    light, first, second = (np.asarray(part, np.uint8) for part in cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB)))
    light &= 0xC0
    first >>= 5
    first <<= 3
    second >>= 5
    light |= first
    light |= second
    return light


def _color_table(image: np.ndarray) -> np.ndarray:
    """Returns the integral image (rows + 1, columns + 1, C) float32, over grid cells, of the C colours in the image."""
    index = color_index(image)
    height, width = index.shape
    rows, columns = -(-height // CONTRAST_GRID), -(-width // CONTRAST_GRID)
    # Most frames use a small part of the 256 bins: number those that occur.
    used = np.flatnonzero(cv2.calcHist([index], [0], None, [256], [0, 256]))
    number = np.zeros(256, np.uint8)
    number[used] = np.arange(len(used))
    index = cv2.LUT(index, number)
    cells = np.empty((rows, columns, len(used)), np.uint8)  # at most 16 pixels each
    cell = (np.arange(STRIP) // CONTRAST_GRID * columns)[:, None] + np.arange(width) // CONTRAST_GRID
    cell *= len(used)
    for row in range(0, rows, STRIP // CONTRAST_GRID):  # the numbers of a whole frame would not stay in the cache
        strip = index[row * CONTRAST_GRID :][:STRIP]
        part = cells[row : row + STRIP // CONTRAST_GRID]
        part[...] = np.bincount((cell[: len(strip)] + strip).ravel(), minlength=part.size).reshape(part.shape)
    table = np.empty((rows + 1, columns + 1, len(used)), np.float32)  # whole numbers, exact up to 2 ** 24 pixels
    for first_color in range(0, len(used), MOST_CHANNELS):
        channels = slice(first_color, first_color + MOST_CHANNELS)
        part = np.ascontiguousarray(cells[..., channels])
        table[..., channels] = np.atleast_3d(cv2.integral(part, sdepth=cv2.CV_32F))
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
    x, y, width, height = boxes.T
    inner_width, inner_height = width / (1 + EDGE_RING), height / (1 + EDGE_RING)
    inner = np.array([x + (width - inner_width) / 2, y + (height - inner_height) / 2, inner_width, inner_height]).T
    edgels, inner_edgels = WindowSums(np.concatenate([boxes, inner]), edges.shape)(edges.mask()).reshape(2, -1)
    edgels -= inner_edgels
    edgels[np.abs(edgels) < LEAST_EDGELS] = 0  # what is left where nothing lies in the ring is rounding
    return edgels / np.maximum(width * height - inner_width * inner_height, 1e-12) * ((width + height) / 2)


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
