"""What must hold of soft samples and of the loss; ``test_gradients.py`` holds each equation against plain loops."""

from __future__ import annotations

import math

import pytest
import torch

from socl_plugins.soft_contrastive import (
    SampleNumbers,
    SoftContrastiveSettings,
    SoftSamples,
    draw_samples,
    global_soft_template,
    local_soft_template,
    mix_negatives,
    soft_contrastive_loss,
    soft_negatives,
    target_mask,
)


def random_batch(count: int, channels: int, height: int, width: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, channels, height, width, generator=generator, dtype=torch.float64)
    scores = 3 * torch.randn(count, height, width, generator=generator, dtype=torch.float64)
    return features, scores.flatten(1).softmax(dim=1).view_as(scores)


def test_target_locations_are_the_fewest_that_reach_theta() -> None:
    top = torch.tensor([[[0.5, 0.2], [0.2, 0.1]]], dtype=torch.float64)
    assert target_mask(top, 0.5).flatten().tolist() == [True, False, False, False]
    assert target_mask(top, 0.51).flatten().tolist() == [True, True, False, False]  # of equal ones, reading order
    assert target_mask(top, 0.0).flatten().tolist() == [True, False, False, False]
    assert target_mask(top, 1.0).all()


def test_a_local_soft_template_of_all_mass_is_the_global_one() -> None:
    features, top = random_batch(3, 4, 5, 6, seed=0)
    torch.testing.assert_close(local_soft_template(features, top, 1.0), global_soft_template(features, top))


def test_each_map_can_have_its_own_theta() -> None:
    features, top = random_batch(2, 4, 5, 6, seed=1)
    both = local_soft_template(features, top, torch.tensor([0.3, 0.9]))
    torch.testing.assert_close(both[0], local_soft_template(features[:1], top[:1], 0.3)[0])
    torch.testing.assert_close(both[1], local_soft_template(features[1:], top[1:], 0.9)[0])


def test_a_soft_negative_holds_nothing_of_the_target() -> None:
    features, top = random_batch(2, 4, 6, 6, seed=2)
    changed = torch.where(target_mask(top, 0.8)[:, None], features + 100, features)
    z = torch.ones(2, 4, dtype=torch.float64)
    torch.testing.assert_close(soft_negatives(features, z, top, 0.8), soft_negatives(changed, z, top, 0.8))


def test_the_mixed_negative_lies_between_the_two_hardest() -> None:
    templates = torch.tensor([[1.0, 0.0]])
    negatives = torch.tensor([[0.9, 0.1], [0.1, 2.0], [0.5, -1.0]])
    mixed = mix_negatives(templates, negatives, torch.tensor([0.75]))
    torch.testing.assert_close(mixed[0], 0.75 * negatives[0] + 0.25 * negatives[2])
    assert mix_negatives(templates, negatives, torch.tensor([0.75]), normalise=True).norm() == pytest.approx(1)
    with pytest.raises(ValueError, match="two negatives"):
        mix_negatives(templates, negatives[:1], torch.tensor([0.75]))


# ------------------------------------------------------------------------------------------------------ loss
def test_every_pair_has_8n_minus_2_negatives() -> None:
    # All samples orthogonal to their queries but positives: each negative then adds exactly exp(0) = 1.
    videos = 5
    z = torch.eye(videos, dtype=torch.float64).repeat(2, 1)
    nothing = torch.zeros(4 * videos, videos, dtype=torch.float64)
    loss, parts = soft_contrastive_loss(SoftSamples(z, None, nothing, nothing[: 2 * videos]), tau=1.0)
    assert float(parts["global"]) == pytest.approx(math.log(8 * videos - 2) - 1)
    assert float(loss) == pytest.approx(float(parts["global"]))


def test_a_video_drawn_twice_is_no_negative_of_itself() -> None:
    # Of three pairs two are of one video: its other pair's templates, alike, must not count as negatives.
    z = torch.eye(3, dtype=torch.float64)[[0, 0, 1]].repeat(2, 1)
    samples = SoftSamples(z, None, None, None)
    _, apart = soft_contrastive_loss(samples, 1.0, videos=torch.tensor([7, 7, 8]))
    _, naive = soft_contrastive_loss(samples, 1.0)
    # The pairs of the twin video have 2 negatives each, the other pair has 4, all orthogonal.
    assert float(apart["global"]) == pytest.approx((4 * math.log(2) + 2 * math.log(4)) / 6 - 1)
    assert float(naive["global"]) > float(apart["global"])


def test_gradients_are_those_of_finite_differences() -> None:
    features, top = random_batch(4, 3, 3, 3, seed=4)
    objective = SoftContrastiveSettings(tau=0.5, background_temperature=1.0)
    numbers = SampleNumbers.draw(4, objective, torch.Generator().manual_seed(0))

    def loss(values: torch.Tensor) -> torch.Tensor:
        return soft_contrastive_loss(draw_samples(values, top, objective, numbers), 0.5)[0]

    assert torch.autograd.gradcheck(loss, features.requires_grad_())


def test_parts_can_be_left_out_as_in_table_1() -> None:
    features, top = random_batch(6, 4, 4, 4, seed=6)
    only_templates = SoftContrastiveSettings(use_negatives=False, use_mixing=False, use_local=False)
    samples = draw_samples(features, top, only_templates)
    assert samples.negatives is None and samples.mixed is None and samples.local_templates is None
    _, parts = soft_contrastive_loss(samples)
    assert set(parts) == {"global"}


def test_one_video_without_soft_negatives_has_nothing_to_contrast_with() -> None:
    features, top = random_batch(2, 4, 4, 4, seed=7)
    only_templates = SoftContrastiveSettings(use_negatives=False, use_mixing=False)
    with pytest.raises(ValueError, match="no negative sample"):
        soft_contrastive_loss(draw_samples(features, top, only_templates))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"tau": 0.0}, "tau"), ({"theta_b": 1.5}, "theta_b"), ({"use_negatives": False}, "use_mixing")],
)
def test_impossible_settings_are_refused_by_name(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftContrastiveSettings(**wrong)


def test_masses_and_weights_are_drawn_from_the_papers_ranges_by_the_given_generator() -> None:
    settings = SoftContrastiveSettings(b_p=0.6)
    numbers, again = (SampleNumbers.draw(4000, settings, torch.Generator().manual_seed(3)) for _ in range(2))
    for drawn, low in ((numbers.theta_p, 0.6), (numbers.mix, 0.5)):  # equations 7 and 8; section 3.2.4
        assert low <= float(drawn.min()) < low + 0.01 and 0.99 < float(drawn.max()) < 1
        assert abs(float(drawn.mean()) - (low + 1) / 2) < 0.01
    assert torch.equal(numbers.theta_p, again.theta_p) and torch.equal(numbers.mix, again.mix)
    assert abs(float(torch.corrcoef(torch.stack([numbers.theta_p, numbers.mix]))[0, 1])) < 0.1
