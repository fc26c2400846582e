"""TransT's crops and boxes, of long targets too, are its authors' (``transt_aspect.npz``)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ltr.data.processing import TemplateSearchProcessing
from ltr.data.tensordict import TensorDict
from ltr.models.tracking.transt import TransT, transt50
from ltr.train_settings.transt import transt50 as transt50_recipe
from pytracking.tracker.transt import TransTParams, TransTTracker


class Recorded:
    """A TransT that keeps the images that it is shown."""

    def __init__(self, network: TransT) -> None:
        self.network = network
        self.images: list[torch.Tensor] = []

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.images.append(images[0].clone())
        return TransT.features(self.network, images)


@pytest.fixture(scope="module")
def network() -> TransT:
    return transt50().eval()


@pytest.mark.parametrize("target", ["tall", "wide", "square"])
def test_crops_and_the_next_box_are_the_authors(golden: Any, network: TransT, target: str) -> None:
    keys = json.loads((golden.folder / "transt.keys.json").read_text())["state_dict"]
    network.load_state_dict(golden.fill.fill_state_dict(keys))
    arrays = golden.arrays("transt_aspect")
    seed, count, height, width, *numbers = arrays[f"{target}/clip"].tolist()
    frames, _ = golden.fill.clip(
        int(seed), int(count), int(height), int(width), tuple(numbers[:4]), tuple(numbers[4:6]), numbers[6]
    )
    tracker = TransTTracker(TransTParams(network=network, device="cpu"))
    recorded = Recorded(network)
    tracker.network.features = recorded  # type: ignore[method-assign]
    try:
        tracker.initialize(frames[0], {"init_bbox": arrays[f"{target}/init_box"].tolist()})
        output = tracker.track(frames[1])
    finally:
        del network.features  # the class's own is back
    for name, image in zip(("template_crop", "search_crop"), recorded.images):
        key = f"{target}/{name}"
        sample = golden.fill.summarise(key, image.numpy())[f"{key}__sample"]
        np.testing.assert_allclose(sample, arrays[f"{key}__sample"], rtol=0, atol=1, err_msg=key)  # grey levels
    np.testing.assert_allclose(output["target_bbox"], arrays[f"{target}/second_frame_box"], rtol=0, atol=0.05)


@pytest.mark.parametrize("target", ["tall", "wide", "square"])
def test_training_crops_have_the_side_of_the_trackers(golden: Any, target: str) -> None:
    arrays = golden.arrays("transt_aspect")
    x, y, w, h = arrays[f"{target}/init_box"].tolist()
    frame = np.zeros((600, 600, 3), np.uint8)
    data = TensorDict(dataset="toy", seq_id=0)
    for part in ("train", "test"):
        data[f"{part}_images"], data[f"{part}_anno"] = [frame], [torch.tensor([x + 150, y + 150, w, h])]
    crops = transt50_recipe.RECIPE.processing.options
    search = replace(crops["search"], center_jitter=0.0, scale_jitter=0.0)
    processing = TemplateSearchProcessing(crops["template"], search)
    sample = processing(data, np.random.default_rng(0))
    sides = [128 * w / sample["train_anno"][2].item(), 256 * w / sample["test_anno"][2].item()]
    np.testing.assert_allclose(sides, arrays[f"{target}/crop_sides"], rtol=1e-6)
