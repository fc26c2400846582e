"""From a click to its learned box: what each square says, fused, and the proposal that fits it best.

The error of each value is learned with it, as the scale of a Laplace distribution (Kendall and Gal, "What uncertainties
do we need", NeurIPS 2017), so that a square that shows too little, or too much, counts less.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np
import torch

from pytracking.metrics import iou
from socl_plugins.click_box.cut_out import cut_out
from socl_plugins.click_box.network import SIDES, ClickBoxNet, fitted, fitted_file
from socl_plugins.top_map.box import top_map_box
from socl_plugins.top_map.propose import ProposalSettings, ScoredWindows, reduce_frame, score_windows

FRAME_SIDE = 512  # a larger frame is reduced to so many pixels squared, as for proposals
CANDIDATES = replace(ProposalSettings(), nms_threshold=0.8, keep=300)
TRUST = 3.0  # the fused errors are of squares that err together: so many times as large in truth
AGREEMENT = 2.0  # weight of the logarithm of the overlap with what GrabCut cuts out, beside log objectness
LEAST_OVERLAP = 0.1  # so that what is cut out wrongly leaves the choice to the rest
KEPT = 64  # boxes that are remembered: the page, and the tracker that starts, ask for the same click


@dataclass(frozen=True)
class Estimate:
    """What the squares say together, in pixels of the reduced frame: (N, 4) each.

    Attributes:
        values: log width, log height, and the centre minus the click in x and y.
        errors: of them.
    """

    values: torch.Tensor
    errors: torch.Tensor

    def boxes(self, clicks: torch.Tensor) -> torch.Tensor:
        """Returns boxes (N, 4) x, y, w, h for clicks (N, 2)."""
        size = self.values[:, :2].clamp(-1, 8).exp()
        return torch.cat([clicks + self.values[:, 2:] - size / 2, size], dim=1)


def fuse(values: torch.Tensor, log_errors: torch.Tensor) -> Estimate:
    """Returns what the squares say together, each value weighted by its precision, 1 / error squared.

    Args:
        values: (N, S, 4), what :class:`ClickBoxNet` returns, in sides of the squares.
        log_errors: (N, S, 4).
    """
    side = torch.tensor(SIDES, dtype=values.dtype, device=values.device)[:, None]
    pixels = torch.cat([values[..., :2] + side.log(), values[..., 2:] * side], dim=-1)
    errors = log_errors.exp() * torch.cat([torch.ones_like(side).expand(-1, 2), side.expand(-1, 2)], dim=-1)
    precision = errors**-2
    total = precision.sum(dim=1)
    return Estimate((pixels * precision).sum(dim=1) / total, total**-0.5)


@torch.no_grad()
def box_of_click(
    network: ClickBoxNet,
    image: np.ndarray,
    click: tuple[float, float],
    choose: bool = True,
    windows: ScoredWindows | None = None,
) -> np.ndarray:
    """Returns the box (4,) x, y, w, h, in pixels of the frame, of the target that was clicked.

    Args:
        network: fitted.
        image: (H, W, 3) uint8 RGB.
        click: x, y in pixels.
        choose: take the proposal around the click whose log objectness, less its distance from the fused estimate in
            errors, and its agreement with what GrabCut makes of the estimate are largest; else the estimate itself.
        windows: of :func:`score_windows` for this click, where they are at hand; most of the time goes into them.
    """
    small, scale = reduce_frame(image, FRAME_SIDE)
    place = click[0] * float(scale[0]), click[1] * float(scale[1])
    estimate, center = estimate_of_click(network, small, place)
    box = box_of(estimate, center)
    if choose:
        found = (windows or score_windows(image, click)).best(CANDIDATES)
        boxes = found.boxes * np.tile(scale, 2)
        likely = fits(boxes, found.scores, estimate, center) + agreement(boxes, cut_out(small, place, box))
        box = boxes[int(np.argmax(likely))]
    return box / np.tile(scale, 2)


def box_of(estimate: Estimate, center: np.ndarray) -> np.ndarray:
    """Returns an estimate's own box (4,), in pixels of the reduced frame."""
    box: np.ndarray = estimate.boxes(torch.from_numpy(center)[None])[0].double().numpy()
    return box


@torch.no_grad()
def estimate_of_click(
    network: ClickBoxNet, image: np.ndarray, click: tuple[float, float]
) -> tuple[Estimate, np.ndarray]:
    """Returns what the squares around a click say together, and where their centre lies (2,), in whole pixels.

    Args:
        network: fitted.
        image: (H, W, 3) uint8 RGB, a reduced frame.
        click: x, y in its pixels.
    """
    estimate = fuse(*network(network.features(image, click)[None]))
    return estimate, np.array([round(click[0]), round(click[1])], np.float32)


def fits(boxes: np.ndarray, scores: np.ndarray, estimate: Estimate, center: np.ndarray) -> np.ndarray:
    """Returns how well boxes (N, 4) fit an estimate: their log objectness, less the distance from it in errors (N,).

    Args:
        boxes: x, y, w, h in pixels of the reduced frame.
        scores: (N,) objectness.
        estimate: of one click.
        center: (2,) of the squares.
    """
    said = np.concatenate([np.log(boxes[:, 2:]), boxes[:, :2] + boxes[:, 2:] / 2 - center], axis=1)
    away = np.abs(said - estimate.values[0].double().numpy()) / (TRUST * estimate.errors[0].double().numpy())
    found: np.ndarray = np.log(np.maximum(scores.astype(np.float64), 1e-4)) - away.sum(axis=1)
    return found


def agreement(boxes: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """Returns how well boxes (N, 4) agree with the box (4,) of what was cut out (N,), to be added to :func:`fits`."""
    overlap: np.ndarray = iou(cut, boxes)
    return AGREEMENT * np.log(overlap + LEAST_OVERLAP)


_kept: OrderedDict[tuple[object, ...], np.ndarray] = OrderedDict()
_lock = threading.Lock()


def learned_box(image: np.ndarray, click: tuple[float, float], windows: ScoredWindows | None = None) -> np.ndarray:
    """Returns the box (4,) x, y, w, h that the fitted network tells; the last clicks' boxes are remembered.

    Args:
        image: (H, W, 3) uint8 RGB.
        click: x, y in pixels.
        windows: see :func:`box_of_click`.

    Raises:
        CheckpointError: nothing was fitted, or the file is damaged.
    """
    network = fitted()
    pixels = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
    key = network, image.shape, pixels, float(click[0]), float(click[1])
    with _lock:
        if key not in _kept:
            _kept[key] = box_of_click(network, image, click, windows=windows)
            if len(_kept) > KEPT:
                _kept.popitem(last=False)
        return _kept[key].copy()


def default_box(image: np.ndarray, click: tuple[float, float], windows: ScoredWindows | None = None) -> np.ndarray:
    """Returns the learned box where one was fitted, else that of the click's TOP map; see :func:`learned_box`."""
    if fitted_file().is_file():
        return learned_box(image, click, windows)
    return top_map_box((windows or score_windows(image, click)).best(ProposalSettings()))
