"""Textured surfaces: a pattern of one of several families, painted with a palette of colours.

A pattern is a (size, size) float32 array between 0 and 1; a palette is (3, 3) float32, three RGB colours between 0 and
255; a texture is (size, size, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np


def _coordinates(rng: np.random.Generator, size: int, wobble: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns x and y of every pixel, turned by a random angle and shifted smoothly by up to ``wobble`` pixels."""
    y, x = np.mgrid[:size, :size].astype(np.float32) - size / 2
    angle = rng.uniform(0, 2 * np.pi)
    shift = wobble * (2 * _clouds(rng, size, 4, 2) - 1)
    return x * np.cos(angle) - y * np.sin(angle) + shift, x * np.sin(angle) + y * np.cos(angle) - shift


def _clouds(rng: np.random.Generator, size: int, cells: int, octaves: int) -> np.ndarray:
    """Returns smooth noise whose coarsest bumps are ``size / cells`` pixels wide."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = rng.random((cells << octave, cells << octave), np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def _sharpen(wave: np.ndarray, steepness: float) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(steepness * wave)


def _stripes(rng: np.random.Generator, size: int) -> np.ndarray:
    x, _ = _coordinates(rng, size, size / 16)
    return _sharpen(np.sin(x * (2 * np.pi / rng.uniform(size / 12, size / 5))), rng.uniform(1, 4))


def _checks(rng: np.random.Generator, size: int) -> np.ndarray:
    x, y = _coordinates(rng, size, size / 24)
    rate = 2 * np.pi / rng.uniform(size / 8, size / 4)
    return _sharpen(np.sin(x * rate) * np.sin(y * rate * rng.uniform(0.7, 1.4)), rng.uniform(2, 6))


def _rings(rng: np.random.Generator, size: int) -> np.ndarray:
    x, y = _coordinates(rng, size, size / 12)
    distance = np.hypot(x - rng.uniform(-0.25, 0.25) * size, y - rng.uniform(-0.25, 0.25) * size)
    return _sharpen(np.sin(distance * (2 * np.pi / rng.uniform(size / 10, size / 5))), rng.uniform(1, 4))


def _spots(rng: np.random.Generator, size: int) -> np.ndarray:
    pattern = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(30, 70))):
        centre = rng.integers(0, size, 2).tolist()
        cv2.circle(pattern, centre, int(size * rng.uniform(0.02, 0.07)), float(rng.uniform(0.5, 1)), -1, cv2.LINE_8)
    return cv2.blur(pattern, (3, 3))


def _blobs(rng: np.random.Generator, size: int) -> np.ndarray:
    return _sharpen(_clouds(rng, size, int(rng.integers(6, 11)), 1) - 0.5, rng.uniform(4, 12))


def _patches(rng: np.random.Generator, size: int) -> np.ndarray:
    seeds = np.ones((size, size), np.uint8)
    count = int(rng.integers(25, 60))
    seeds[rng.integers(0, size, count), rng.integers(0, size, count)] = 0
    nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)[1]
    return rng.random(count + 1, np.float32)[nearest]


def _grain(rng: np.random.Generator, size: int) -> np.ndarray:
    return _clouds(rng, size, int(rng.integers(4, 8)), 4)


PATTERNS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "blobs": _blobs,
    "checks": _checks,
    "grain": _grain,
    "patches": _patches,
    "rings": _rings,
    "spots": _spots,
    "stripes": _stripes,
}
FAMILIES = tuple(PATTERNS)


def draw_palette(rng: np.random.Generator) -> np.ndarray:
    """Returns a random palette: a dark, a middle and a bright colour, in random order."""
    hue = rng.uniform(0, 180) + rng.choice([0, 12, 30, 90]) * np.array([-1, 0, 1])
    saturation = rng.uniform(20, 200, 3)
    value = np.array([rng.uniform(25, 90), rng.uniform(90, 160), rng.uniform(150, 240)])
    hsv = np.stack([hue % 180, saturation, value], axis=-1).astype(np.uint8)
    palette = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0].astype(np.float32)
    return rng.permutation(palette)


def shift_palette(rng: np.random.Generator, palette: np.ndarray, levels: float) -> np.ndarray:
    """Returns the palette with each colour moved by about so many levels."""
    return np.clip(palette + rng.normal(0, levels, palette.shape), 0, 255).astype(np.float32)


def draw_texture(rng: np.random.Generator, family: str, palette: np.ndarray, size: int) -> np.ndarray:
    """Returns a random texture of a family, (size, size, 3) uint8."""
    pattern = 0.85 * PATTERNS[family](rng, size) + 0.15 * _clouds(rng, size, size // 8, 2)
    colours = [np.interp(np.arange(256), (0, 127, 255), palette[:, channel]) for channel in range(3)]
    table = np.stack(colours, axis=-1).astype(np.uint8)
    return cv2.applyColorMap((pattern * 255).astype(np.uint8), table[:, None])
