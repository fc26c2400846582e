"""Draws a frame of a scene, and tells where the target is in it."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from ltr.dataset.synthetic.scene import Body, Scene

SHIFT = 4  # binary digits behind the point of polygon corners
NOISE_TILE = 512


def render(scene: Scene, time: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the frame at a time as RGB, (H, W, 3) uint8.

    Args:
        scene: what is seen.
        time: number of the frame, from 0.
        rng: gives the sensor noise.
    """
    frame = _draw_background(scene, time)
    for body in (*scene.distractors, scene.target):
        _draw_body(frame, body, time, scene.exposure)
    if scene.bar is not None:
        corners = scene.bar.outline(time)
        matrix = np.array([[1, 0, corners[0, 0]], [0, 1, corners[0, 1]]], np.float64)
        _draw_polygon(frame, corners, scene.bar.texture, matrix, (0.0, 0.0))
    blur = float(scene.focus(time)) - 0.3
    if blur > 0:
        frame = cv2.GaussianBlur(frame, (0, 0), min(blur, 2.5))
    return _film(scene, frame, time, rng)


def target_boxes(scene: Scene, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns where the target is in each frame, and how much of it is seen.

    Returns:
        The box around what lies inside the frame, (T, 4) x, y, w, h in pixels, whatever hides it.
        The share of the target that is inside the frame and not hidden, (T,) from 0 to 1.
    """
    height, width = scene.size
    outlines = scene.target.outline(np.arange(num_frames))
    low = np.clip(outlines.min(axis=1), 0, (width, height))
    high = np.clip(outlines.max(axis=1), 0, (width, height))
    seen = np.array([_seen_share(scene, outline, time) for time, outline in enumerate(outlines)])
    return np.concatenate([low, high - low], axis=1).astype(np.float32), seen


def _seen_share(scene: Scene, outline: np.ndarray, time: int) -> float:
    corner = np.floor(outline.min(axis=0)).astype(int)
    size = np.ceil(outline.max(axis=0)).astype(int) - corner
    away = scene.bar is None or abs(scene.bar.offset(time)) > scene.bar.width / 2 + float(np.hypot(*size))
    if away and (corner >= 0).all() and (corner + size <= (scene.size[1], scene.size[0])).all():
        return 1.0
    mask = np.zeros((size[1], size[0]), np.uint8)
    _fill(mask, outline - corner, 1)
    whole = int(mask.sum())
    if scene.bar is not None:
        _fill(mask, scene.bar.outline(time) - corner, 0)
    left, top = np.clip(-corner, 0, size)
    right, bottom = np.clip((scene.size[1], scene.size[0]) - corner, 0, size)
    return int(mask[top:bottom, left:right].sum()) / max(whole, 1)


def _fill(mask: np.ndarray, outline: np.ndarray, value: int, line: int = cv2.LINE_8) -> None:
    # OpenCV counts from the middle of a pixel, we from its edge.
    corners = np.round((outline - 0.5) * (1 << SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [corners], value, line, SHIFT)


def _draw_background(scene: Scene, time: int) -> np.ndarray:
    height, width = scene.size
    zoom = 1.6 * float(np.exp(scene.zoom(time))) * width / 320
    angle = float(scene.tilt(time))
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width, height]) / 2
    place = middle + scene.camera(time) - turn @ np.full(2, scene.background.shape[0] / 2)
    matrix = np.concatenate([turn, place[:, None]], axis=1)
    return cv2.warpAffine(scene.background, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def _draw_body(frame: np.ndarray, body: Body, time: int, exposure: float) -> None:
    side = body.texture.shape[0]
    turn = body.axes(time) * (2 / 0.7 / side)  # the texture reaches a little past the shape
    place = body.path(time) - turn @ np.full(2, side / 2)
    moved = (body.path(time + 0.5) - body.path(time - 0.5)) * exposure
    matrix = np.concatenate([turn, place[:, None]], axis=1)
    _draw_polygon(frame, body.outline(time), body.texture, matrix, (float(moved[0]), float(moved[1])))


def _draw_polygon(
    frame: np.ndarray, outline: np.ndarray, texture: np.ndarray, matrix: np.ndarray, moved: tuple[float, float]
) -> None:
    """Draws a textured polygon on the frame, smeared along the way that it moved while the shutter was open."""
    reach = 2 + int(np.hypot(*moved))
    height, width = frame.shape[:2]
    left, top = np.clip(np.floor(outline.min(axis=0)).astype(int) - reach, 0, (width, height)).tolist()
    right, bottom = np.clip(np.ceil(outline.max(axis=0)).astype(int) + reach, 0, (width, height)).tolist()
    if right <= left or bottom <= top:
        return
    corner = np.array([left, top])
    shifted = matrix - np.array([[0, 0, left], [0, 0, top]])
    mask = np.zeros((bottom - top, right - left), np.uint8)
    _fill(mask, outline - corner, 255, cv2.LINE_AA)
    surface = cv2.warpAffine(texture, shifted, (right - left, bottom - top), borderMode=cv2.BORDER_REFLECT)
    cover = (mask.astype(np.float32) / 255)[..., None]
    under = frame[top:bottom, left:right]
    layer = np.concatenate([surface * cover, cover], axis=-1)
    if np.hypot(*moved) > 1.5:
        layer = cv2.filter2D(layer, -1, _streak(moved), borderType=cv2.BORDER_REPLICATE)
    frame[top:bottom, left:right] = (under * (1 - layer[..., 3:]) + layer[..., :3]).astype(np.uint8)


def _streak(moved: tuple[float, float]) -> np.ndarray:
    reach = int(np.hypot(*moved)) // 2 + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    ends = [np.round((reach + sign * np.array(moved) / 2) * (1 << SHIFT)).astype(int).tolist() for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, SHIFT)
    return kernel.astype(np.float32) / kernel.sum()


def _film(scene: Scene, frame: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the frame with light, colour and sensor noise of its time."""
    tint = float(scene.tint(time))
    gains = np.exp(float(scene.gain(time)) + np.array([tint, 0.0, -tint]))
    levels = np.arange(256.0)[:, None] - 128
    table = np.clip(levels * gains + 128 + float(scene.offset(time)), 0, 255).astype(np.uint8)
    frame = cv2.LUT(frame, table[:, None, :])
    height, width = frame.shape[:2]
    tile = _noise_tile(max(height, width) + NOISE_TILE // 2)
    top, left = rng.integers(0, NOISE_TILE // 2, 2)
    noise = tile[top : top + height, left : left + width]
    return cv2.addWeighted(frame, 1, noise, scene.noise / 24, -128 * scene.noise / 24)


@functools.lru_cache(maxsize=4)
def _noise_tile(side: int) -> np.ndarray:
    """Returns white noise around 128 with a standard deviation of 24 levels.

    All frames take a part of one tile: new noise in each would take longer than everything else.
    """
    noise = np.random.default_rng(0).normal(128, 24, (side, side, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)
