"""The SiamFC tracker follows the public PyTorch implementation, box by box."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn
from torch.nn import functional

from pytracking.tracker.siamfc import SiamFCParams, SiamFCTracker


def block(inputs: int, outputs: int, kernel: int, stride: int, groups: int, pool: bool) -> nn.Sequential:
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, groups=groups),
        nn.BatchNorm2d(outputs, eps=1e-6, momentum=0.05),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers, nn.MaxPool2d(3, 2)) if pool else nn.Sequential(*layers)


class AlexNet(nn.Module):
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.conv1 = block(3, 96, 11, 2, 1, True)
        self.backbone.conv2 = block(96, 256, 5, 1, 2, True)
        self.backbone.conv3 = block(256, 384, 3, 1, 1, False)
        self.backbone.conv4 = block(384, 384, 3, 1, 2, False)
        self.backbone.conv5 = nn.Sequential(nn.Conv2d(384, 256, 3, groups=2))

    def forward(self, images: Tensor) -> Tensor:
        for layer in self.backbone.children():
            images = layer(images)
        return images

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        return 0.001 * functional.conv2d(search, template)


@pytest.fixture
def golden(shared_data: Path) -> Path:
    directory = shared_data.parent / "golden"
    if not (directory / "siamfc.npz").is_file():
        pytest.skip(f"{directory / 'siamfc.npz'} is not there")
    return directory


@pytest.mark.parametrize(("penalty", "key"), [(0.9745, "track_boxes_1based"), (0.999, "track2_boxes_1based")])
def test_siamfc_tracks_like_the_reference(golden: Path, penalty: float, key: str) -> None:
    spec = importlib.util.spec_from_file_location("fill", golden / "fill.py")
    assert spec is not None and spec.loader is not None
    fill = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    shapes = json.loads((golden / "siamfc.keys.json").read_text())["state_dict"]
    network = AlexNet()
    network.load_state_dict(fill.fill_state_dict(shapes))
    frames, _ = fill.clip(31, 12, 240, 320, (120, 90, 50, 40), (3.5, 1.75), 1.04)
    expected = np.load(golden / "siamfc.npz")[key] - [1, 1, 0, 0]

    params = SiamFCParams(network=network, scale_penalty=penalty, device="cpu")
    tracker = SiamFCTracker(params)
    boxes = [tracker.initialize(frames[0], {"init_bbox": expected[0]})["target_bbox"]]
    boxes += [tracker.track(frame)["target_bbox"] for frame in frames[1:]]
    np.testing.assert_allclose(boxes, expected, atol=1e-3)
