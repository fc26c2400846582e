"""The noise-robust loss: what it is without noise, what its moments are, and what its expansions do far from zero."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
import torch

from ltr.data.tensordict import TensorDict
from ltr.models.loss.balanced_bce import balanced_bce, center_labels
from ltr.models.tracking import siamfc_alexnet
from socl_plugins.progressive import noise_robust as nr
from socl_plugins.progressive.actor import NoiseRobustActor
from tests.oracles import noise_robust as reference

SHAPE = (5, 6)
CENTERS = torch.tensor([[2.2, 1.9], [3.7, 2.4], [1.1, 3.3]], dtype=torch.float64)
STD = torch.tensor([0.7, 1.3, 2.1], dtype=torch.float64)
WEIGHTS = torch.tensor([0.02, 0.07], dtype=torch.float64)


def logits(seed: int = 0, spread: float = 2.0) -> torch.Tensor:
    return spread * torch.randn(3, 1, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("spread", [0.1, 2.0, 20.0])
def test_without_noise_it_is_the_balanced_cross_entropy(spread: float) -> None:
    z, still = logits(spread=spread), torch.zeros(3, dtype=torch.float64)
    bce = balanced_bce(z, center_labels(CENTERS, SHAPE))
    for expansion in ("centred", "exact"):
        torch.testing.assert_close(nr.noise_robust_loss(z, CENTERS, still, expansion=expansion), bce)
    far = torch.full_like(CENTERS, 40.0)
    torch.testing.assert_close(nr.noise_robust_loss(z, far, still), balanced_bce(z, center_labels(far, SHAPE)))


def test_without_noise_it_is_siamfc_s_published_loss(golden: Any) -> None:
    arrays = golden.arrays("siamfc")
    for size in (239, 255):
        response = torch.from_numpy(arrays[f"response_{size}"])
        middle = torch.full((len(response), 2), (response.shape[-1] - 1) / 2)
        golden.close(arrays, f"loss_{size}", nr.noise_robust_loss(response, middle, torch.zeros(len(response))))


def test_the_moments_of_shifted_labels_are_those_of_the_matrix_v() -> None:
    """Equations 3 to 5: in closed form, from random shifts, and from the few that the loss takes."""
    z = logits()
    expected = reference.reference_moments(z, CENTERS, STD, WEIGHTS)

    def likelihoods(unit: torch.Tensor) -> torch.Tensor:
        moved = (CENTERS + unit[:, None] * STD[None, :, None]).flatten(0, 1)
        labels = center_labels(moved, SHAPE).unflatten(0, (len(unit), 3))
        return nr.log_likelihoods(z, labels, WEIGHTS)

    drawn = likelihoods(torch.randn(40_000, 2, generator=torch.Generator().manual_seed(1)))
    for values, value in zip((drawn, drawn.square()), expected):
        error = values.std(dim=0) / len(values) ** 0.5
        assert ((values.mean(dim=0) - value).abs() < 3 * error).all()
    few = likelihoods(nr.gaussian_shifts(64))
    for found, value in zip(nr.moments(few, torch.full_like(few, 1 / 64)), expected):
        torch.testing.assert_close(found, value, rtol=2e-2, atol=0)


def test_v_of_a_fixed_label_is_the_product_of_the_label_with_itself() -> None:
    still = torch.full((3,), 1e-9, dtype=torch.float64)
    label = center_labels(CENTERS, SHAPE).double().flatten(1)
    kinds = torch.stack([1 - label, label], dim=1)
    v = reference.second_moment_matrix(CENTERS, SHAPE, 2.0, still)
    torch.testing.assert_close(v, torch.einsum("nbx,ncy->nbxcy", kinds, kinds))
    v = reference.second_moment_matrix(CENTERS, SHAPE, 2.0, STD)
    torch.testing.assert_close(v.sum(dim=(1, 3)), torch.ones(3, 30, 30, dtype=torch.float64))
    torch.testing.assert_close(v, v.permute(0, 3, 4, 1, 2))


def test_the_shifts_stand_for_a_gaussian() -> None:
    shifts = nr.gaussian_shifts(64).double()
    assert shifts.mean(dim=0).abs().max() < 0.03
    torch.testing.assert_close(shifts.T @ shifts / 64, torch.eye(2).double(), rtol=0, atol=0.07)
    assert (shifts.norm(dim=1) < math.sqrt(2 * math.log(2))).double().mean() == 0.5, "half lie within the median"


def test_a_shift_that_takes_the_target_out_of_the_response_does_not_count() -> None:
    shifts = torch.tensor([[[0.0, 0.0]], [[2.0, 0.0]], [[-2.0, 1.0]]])
    _, probability = nr.shifted_labels(torch.tensor([[4.0, 2.0]]), SHAPE, 2.0, shifts)
    assert probability[:, 0].tolist() == [0.5, 0.0, 0.5]
    _, probability = nr.shifted_labels(torch.tensor([[40.0, 2.0]]), SHAPE, 2.0, shifts)
    torch.testing.assert_close(probability[:, 0], torch.full((3,), 1 / 3)), "nowhere is it inside"


def test_both_expansions_approach_the_exact_likelihood_as_g_goes_to_zero() -> None:
    z = logits()
    errors = []
    for scale in (0.4, 0.2):
        exact = nr.noise_robust_loss(z, CENTERS, STD, expansion="exact", scale=scale)
        errors.append(
            [
                float((nr.noise_robust_loss(z, CENTERS, STD, expansion=kind, scale=scale) - exact).abs())
                for kind in ("centred", "taylor")
            ]
        )
    # What is left out begins with the third order in g, of which the scale takes one back.
    assert (np.array(errors[0]) / np.array(errors[1]) > 3.9).all()
    assert errors[0][0] < errors[0][1], "about the mean it is closer"


def test_far_below_zero_equation_1_rewards_error_and_the_centred_expansion_does_not() -> None:
    g = -torch.linspace(0, 30, 61, dtype=torch.float64)
    spread = 0.3 * g  # its standard deviation
    second = g.square() + spread.square()
    taylor, centred = nr.taylor_log_likelihood(g, second), nr.centred_log_likelihood(g, second)
    assert (taylor.diff()[g[:-1] > -0.8] < 0).all() and (taylor.diff()[g[:-1] < -1] > 0).all()
    assert (centred.diff() < 0).all()
    # A target that is missed with confidence, as a training step sees it.
    missed = -8.0 * (2 * center_labels(CENTERS, SHAPE).double() - 1)
    for expansion, sign in (("taylor", -1), ("centred", 1), ("exact", 1)):
        gain = torch.ones((), dtype=torch.float64, requires_grad=True)
        nr.noise_robust_loss(gain * missed, CENTERS, STD * 0.5, expansion=expansion).backward()
        assert gain.grad is not None and float(gain.grad.sign()) == sign


def test_the_printed_expansion_points_the_way_of_the_cross_entropy_at_its_own_scale_and_back_at_others() -> None:
    generator = torch.Generator().manual_seed(0)
    start = 0.1 * torch.randn(len(CENTERS), 1, *SHAPE, generator=generator, dtype=torch.float64)  # tells little apart

    def direction(expansion: nr.Expansion | None, scale: float) -> torch.Tensor:
        z = start.clone().requires_grad_()
        std = STD * 0 if expansion is None else STD * 0.5
        loss = nr.noise_robust_loss(z, CENTERS, std, expansion=expansion or "exact", scale=scale)
        (slope,) = torch.autograd.grad(loss, z)
        return slope.flatten() / slope.norm()

    noise = nr.LabelNoise(20, expansion="taylor")
    assert noise.factor() == noise.factor(1000) == 1
    entropy = direction(None, 1.0)
    assert float(direction("taylor", noise.factor()) @ entropy) > 0.5
    assert float(direction("taylor", 30.0) @ entropy) < -0.5
    for scale, refused in ((1.0, False), (1.4, False), (1.5, True), (30.0, True), (100.0, True)):
        if refused:
            with pytest.raises(ValueError, match="taylor.*such as 1"):
                nr.LabelNoise(20, expansion="taylor", scale=scale).check_start(nr.START)
        else:
            nr.LabelNoise(20, expansion="taylor", scale=scale).check_start(nr.START)
    nr.LabelNoise(20, scale=100.0).check_start(nr.START)


def test_labels_that_may_be_off_punish_a_neighbouring_peak_less_than_a_far_one() -> None:
    center = torch.tensor([[8.0, 8.0]])

    def loss(peak: float, std: float) -> float:
        z = 8 * center_labels(torch.tensor([[peak, 8.0]]), (17, 17)) - 4
        return float(nr.noise_robust_loss(z, center, torch.tensor([std])))

    assert loss(8, 0.0) < loss(11, 0.0)
    assert loss(11, 2.0) - loss(8, 2.0) < 0.6 * (loss(11, 0.0) - loss(8, 0.0))
    assert loss(8, 2.0) < loss(11, 2.0) < loss(15, 2.0)


def best_response(robust: bool, scale: float = 30.0) -> torch.Tensor:
    """Returns the probabilities (17, 17) that one response ends with, which 200 labels 3 cells off have in common."""
    centers = 8 + 3 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    response = torch.zeros(1, 1, 17, 17, requires_grad=True)
    optimizer = torch.optim.Adam([response], 0.1)
    for _ in range(150):
        shared = response.expand(200, -1, -1, -1)
        if robust:
            loss = nr.noise_robust_loss(shared, centers, torch.full((200,), 3.0), scale=scale)
        else:
            loss = balanced_bce(shared, center_labels(centers, (17, 17)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return response.detach().sigmoid()[0, 0]


def off_target(probabilities: torch.Tensor, cells: int) -> float:
    """Returns the mean probability of the four places so far along x or y from the target at 8, 8."""
    return float(torch.stack([probabilities[8, 8 + d] + probabilities[8 + d, 8] for d in (-cells, cells)]).mean() / 2)


@pytest.mark.long
def test_labels_that_are_off_blur_the_response_under_the_cross_entropy_and_not_under_this_loss() -> None:
    assert off_target(best_response(robust=False), 4) > 0.6
    sharp = best_response(robust=True)
    assert divmod(int(sharp.argmax()), 17) == (8, 8) and sharp[8, 8] > 0.95 and off_target(sharp, 4) < 0.05
    # The docstring's reasons for how large g is: as a mean it blurs, and as a large sum it does not hear the labels.
    assert off_target(best_response(robust=True, scale=1), 4) > 0.6
    assert best_response(robust=True, scale=100)[8, 8] < 0.05


@pytest.mark.parametrize("expansion", get_args(nr.Expansion))
def test_gradients_are_those_of_finite_differences(expansion: nr.Expansion) -> None:
    z = logits(spread=0.7).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: nr.noise_robust_loss(z, CENTERS, STD, 2.0, 16, expansion), z)


def test_a_wrong_noise_is_refused_by_name() -> None:
    for wrong in ({"frame_px": -1}, {"crop_px": math.inf}, {"shifts": 0}, {"scale": 0}, {"expansion": "tailor"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            nr.LabelNoise(**wrong)  # type: ignore[arg-type]


def test_a_click_s_error_is_larger_in_the_crop_of_a_small_target() -> None:
    torch.manual_seed(0)
    net = siamfc_alexnet(normalise=True, calibrated=True).eval()
    images = torch.randint(0, 255, (2, 3, 191, 191), dtype=torch.uint8)

    def loss(noise: nr.LabelNoise, scale: float) -> float:
        data = TensorDict(
            train_images=images[..., :127, :127],
            test_images=images,
            train_center=torch.full((2, 2), 63.5),
            test_center=torch.full((2, 2), 95.5),
            test_scale=torch.full((2,), scale),
        )
        with torch.no_grad():
            return float(NoiseRobustActor(net, noise)(data)[0])

    assert loss(nr.LabelNoise(frame_px=8), 2.0) == loss(nr.LabelNoise(frame_px=16), 1.0)
    assert loss(nr.LabelNoise(frame_px=8), 2.0) != loss(nr.LabelNoise(frame_px=8), 1.0)
    assert loss(nr.LabelNoise(crop_px=8), 2.0) == loss(nr.LabelNoise(crop_px=8), 1.0)
    assert loss(nr.LabelNoise(frame_px=6, crop_px=8), 1.0) == pytest.approx(loss(nr.LabelNoise(crop_px=10), 1.0))
