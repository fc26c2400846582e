from __future__ import annotations

import numpy as np
import torch

from ltr.data.jitter import jittered_center, jittered_size
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


def test_a_jittered_centre_stays_within_half_the_jitter_times_the_mean_of_width_and_height() -> None:
    processing = TemplateSearchProcessing(CropJitter(128, 2.0), CropJitter(256, 4.0, center_jitter=3.0))
    rng = np.random.default_rng(0)
    box = (150.0, 80.0, 10.0, 30.0)
    offsets = []
    for _ in range(300):
        seen = processing(sample(box), rng)["test_anno"].numpy()
        offsets.append((seen[:2] + seen[2:] / 2 - 128) * box[2] / seen[2] / 20)  # (w + h) / 2 = 20 pixels
    assert 1.4 < np.abs(offsets).max() <= 1.55, "3 / 2, and half a pixel of rounding"


def test_sizes_are_jittered_each_side_by_itself_and_without_jitter_stay() -> None:
    rng = np.random.default_rng(0)
    box = np.array([0.0, 0.0, 20.0, 5.0])
    assert jittered_size(box[2:], 0.0, rng).tolist() == [20, 5] and jittered_center(box, 0.0, rng) == (10.0, 2.5)
    logs = np.log([jittered_size(box[2:], 0.25, rng) / box[2:] for _ in range(2000)])
    np.testing.assert_allclose(logs.std(axis=0), 0.25, rtol=0.1)
    assert abs(np.corrcoef(logs.T)[0, 1]) < 0.1
