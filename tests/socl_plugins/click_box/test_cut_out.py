"""What colour says of the box of a click: GrabCut from a rough box, and the proposal that agrees with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from pytracking.metrics import iou
from socl_plugins.click_box import estimate
from socl_plugins.click_box.cut_out import cut_out
from socl_plugins.click_box.estimate import Estimate, agreement, box_of, box_of_click
from socl_plugins.click_box.network import ClickBoxNet

BOX = np.array([120.0, 60, 41, 71])
CLICK = (140.0, 95.0)


def scene(scale: int = 1) -> np.ndarray:
    """A red ellipse with the box BOX on noise, in a frame of 260 x 200 pixels, or so many times that."""
    image = np.random.default_rng(0).integers(60, 150, (200, 260, 3), np.uint8)
    cv2.ellipse(image, (140, 95), (20, 35), 0, 0, 360, (230, 40, 40), cv2.FILLED)
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def around(factor: float) -> np.ndarray:
    return np.array([*(CLICK - factor * BOX[2:] / 2), *(factor * BOX[2:])])


@pytest.mark.parametrize("factor", [0.6, 0.8, 1.0, 1.5, 2.2])
def test_from_a_rough_box_the_target_s_own_is_cut_out(factor: float) -> None:
    rough = around(factor)
    found = cut_out(scene(), CLICK, rough)
    assert iou(found, BOX) > max(0.85, float(iou(rough, BOX)) - 0.15)


def test_a_click_beside_the_centre_is_moved_onto_the_target() -> None:
    rough = around(1.2) + [10, 10, 0, 0]
    assert iou(cut_out(scene(), (150.0, 105.0), rough), BOX) > 0.85 > iou(rough, BOX)


def test_only_what_is_connected_with_the_click_counts() -> None:
    image = scene()
    cv2.ellipse(image, (185, 95), (12, 30), 0, 0, 360, (230, 40, 40), cv2.FILLED)  # another of the same colour
    assert iou(cut_out(image, CLICK, around(1.5)), BOX) > 0.85


@pytest.mark.parametrize(
    ("box", "click"),
    [
        (np.array([-100.0, -100, 600, 600]), CLICK),  # all of the frame may be the target
        (np.array([400.0, 300, 20, 20]), CLICK),  # nothing of it
        (around(1.0), (10.0, 190.0)),  # the click is somewhere else
        (np.array([150.0, 90, 0.1, 0.1]), (250.0, 10.0)),
    ],
)
def test_where_nothing_can_be_cut_out_the_rough_box_stays(box: np.ndarray, click: tuple[float, float]) -> None:
    assert np.array_equal(cut_out(scene(), click, box), box)


def test_the_same_frame_gives_the_same_box_whatever_was_drawn_before() -> None:
    first = cut_out(scene(), CLICK, around(1.5))
    cv2.randu(np.zeros(7), 0, 1)
    assert np.array_equal(first, cut_out(scene(), CLICK, around(1.5)))


def test_agreement_grows_with_the_overlap_and_never_rules_a_box_out() -> None:
    said = agreement(np.array([BOX, around(1.5), [0.0, 0, 5, 5]]), BOX)
    assert said[0] > said[1] > said[2] and np.isfinite(said).all()


def test_the_proposal_that_agrees_with_what_is_cut_out_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    large = Estimate(
        torch.tensor([[*np.log(1.7 * BOX[2:]), 0, 0]]).float(), torch.tensor([[0.2, 0.2, 4.0, 4.0]])
    )  # of a size that is wrong by more than it says
    center = np.array(CLICK, np.float32)
    assert iou(box_of(large, center), around(1.7)) == pytest.approx(1, abs=1e-4)
    monkeypatch.setattr(estimate, "estimate_of_click", lambda *_: (large, center))
    network = ClickBoxNet().eval()
    chosen = box_of_click(network, scene(), CLICK)
    monkeypatch.setattr(estimate, "agreement", lambda boxes, cut: np.zeros(len(boxes)))
    without = box_of_click(network, scene(), CLICK)
    assert iou(chosen, BOX) > float(iou(without, BOX)) + 0.1
