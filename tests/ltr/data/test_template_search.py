from __future__ import annotations

import numpy as np
import torch

from ltr.data.jitter import jittered_box
from ltr.data.processing import CropJitter, TemplateSearchProcessing
from ltr.data.tensordict import TensorDict


def sample(box: tuple[float, float, float, float]) -> TensorDict:
    image = np.zeros((200, 300, 3), np.uint8)
    x, y, w, h = (round(value) for value in box)
    image[y : y + h, x : x + w] = 255
    data = TensorDict(dataset="toy", seq_id=0)
    for part in ("train", "test"):
        data[f"{part}_images"] = [image]
        data[f"{part}_anno"] = [torch.tensor(box)]
    return data


def test_the_template_shows_twice_the_target_and_the_box_lies_on_it() -> None:
    processing = TemplateSearchProcessing(CropJitter(128, 2.0), CropJitter(256, 4.0, 3.0, 0.25))
    result = processing(sample((130, 80, 40, 40)), np.random.default_rng(0))
    assert result["train_anno"].tolist() == [32, 32, 64, 64]
    assert result["train_images"].shape == (3, 128, 128) and result["test_images"].shape == (3, 256, 256)
    for part in ("train", "test"):
        x, y, w, h = result[f"{part}_anno"].round().int().tolist()
        image = result[f"{part}_images"][0]
        assert image[y + 4 : y + h - 4, x + 4 : x + w - 4].min() == 255
        assert image[max(y - 4, 0) : y - 3, x : x + w].float().mean() < 128


def test_a_jittered_centre_stays_within_half_the_jitter_times_the_side() -> None:
    rng = np.random.default_rng(0)
    draws = [jittered_box(np.array([0.0, 0.0, 20.0, 20.0]), 3.0, 0.25, rng) for _ in range(500)]
    offsets = np.array([(np.array(center) - 10) / side for center, side in draws])
    assert np.abs(offsets).max() <= 1.5 and np.abs(offsets).max() > 1.4
    assert np.isclose(np.median([side for _, side in draws]), 20, rtol=0.1)
    assert jittered_box(np.array([0.0, 0.0, 20.0, 5.0]), 0, 0, rng) == ((10.0, 2.5), 10.0)
