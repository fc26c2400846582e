"""Precise RoI pooling is the exact integral, and so are its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ltr.models.layers.prroi_pool import pool_boxes, prroi_pool2d

CASES = ("stride16_4x4", "stride8_5x5", "stride8_3x5_nonsquare", "stride16_1x1", "stride1_2x2")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "forward", "backward"), [(torch.float64, 1e-12, 1e-11), (torch.float32, 1e-5, 4e-5)])
def test_it_agrees_with_the_golden_vectors(
    golden: Any, case: str, dtype: torch.dtype, forward: float, backward: float
) -> None:
    arrays = golden.arrays("prroi")
    get = lambda name: torch.from_numpy(arrays[f"{case}/{name}"]).to(dtype)  # noqa: E731
    features, rois = get("features").requires_grad_(), get("rois").requires_grad_()
    ph, pw, scale = arrays[f"{case}/ph_pw_scale"]
    pooled = prroi_pool2d(features, rois, (int(ph), int(pw)), float(scale))
    pooled.backward(get("grad_out"))
    assert features.grad is not None and rois.grad is not None

    def close(found: torch.Tensor, name: str, tolerance: float) -> None:
        expected = arrays[f"{case}/{name}"]
        atol = tolerance * max(np.abs(expected).max(), 1)
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=0, atol=atol)

    close(pooled, "out", forward)
    close(features.grad, "grad_features", backward)
    close(rois.grad[:, 1:], "grad_rois_xyxy", backward)


def test_the_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    boxes = torch.tensor(
        [[2.2, 3.1, 30.7, 25.3], [-5.3, 1.7, 18.9, 60.1], [7.1, 8.3, 8.05, 9.2]],
        dtype=torch.float64,
        requires_grad=True,
    )
    images = torch.tensor([[1.0], [0.0], [1.0]], dtype=torch.float64)

    def pool(features: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
        return prroi_pool2d(features, torch.cat([images, boxes], dim=1), (2, 3), 1 / 8)

    assert torch.autograd.gradcheck(pool, (features, boxes))


def test_a_box_around_whole_cells_of_a_linear_surface_gives_its_value_at_the_middle() -> None:
    surface = torch.arange(12.0).view(1, 1, 3, 4)  # value 4 y + x
    pooled = prroi_pool2d(surface, torch.tensor([[0.0, 0.5, 0.5, 2.5, 1.5]]), 1, 1.0)
    assert pooled.item() == pytest.approx(4 * 1.0 + 1.5)


def test_a_constant_surface_is_pooled_to_the_constant_and_fades_outside_the_image() -> None:
    ones = torch.ones(1, 2, 8, 8)
    rois = torch.tensor([[0.0, 1, 1, 6, 5], [0.0, 20, 20, 30, 30], [0.0, 3, 3, 3, 9]])
    pooled = prroi_pool2d(ones, rois, 3, 1.0)
    torch.testing.assert_close(pooled[0], torch.ones(2, 3, 3))
    assert not pooled[1:].any()


def test_boxes_of_one_image_give_the_same_together_and_alone() -> None:
    torch.manual_seed(1)
    features = torch.randn(3, 4, 9, 9)
    corners = torch.rand(7, 2) * 80
    rois = torch.cat([torch.tensor([2.0, 0, 2, 1, 0, 1, 2])[:, None], corners, corners + 60 * torch.rand(7, 2)], dim=1)
    together = prroi_pool2d(features, rois, 5, 1 / 8)
    for roi, pooled in zip(rois, together):
        torch.testing.assert_close(prroi_pool2d(features, roi[None], 5, 1 / 8)[0], pooled)
    last_channel_first = features.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(prroi_pool2d(last_channel_first, rois, 5, 1 / 8), together)


def test_many_boxes_do_not_copy_the_features() -> None:
    features = torch.zeros(1, 64, 36, 36).contiguous(memory_format=torch.channels_last)
    boxes = torch.rand(1, 100, 4).cumsum(-1) * 100
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        pool_boxes(features, boxes, 3, 1 / 8)
    largest = max((event.cpu_memory_usage for event in profile.events()), default=0)
    copies = 100 * features.numel() * 4
    assert largest < copies / 10


def test_no_box_gives_no_row_and_a_wrong_image_is_named() -> None:
    assert prroi_pool2d(torch.ones(2, 3, 4, 4), torch.zeros(0, 5), (2, 3), 1.0).shape == (0, 3, 2, 3)
    with pytest.raises(ValueError, match="rois name images 2 to 2, but there are 2 images"):
        prroi_pool2d(torch.ones(2, 3, 4, 4), torch.tensor([[2.0, 0, 0, 1, 1]]), 2, 1.0)
    with pytest.raises(ValueError, match=r"rois \(K, 5\)"):
        prroi_pool2d(torch.ones(2, 3, 4, 4), torch.zeros(1, 4), 2, 1.0)
