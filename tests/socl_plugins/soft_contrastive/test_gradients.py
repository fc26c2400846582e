"""Values and gradients of SoCL's equations against plain loops over places and samples, in float64, at any shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from socl_plugins.soft_contrastive import (
    SampleNumbers,
    SoftContrastiveSettings,
    draw_samples,
    global_soft_template,
    hard_negative_map,
    local_soft_template,
    mix_negatives,
    similarity_map,
    soft_contrastive_loss,
    soft_negatives,
)

Place = tuple[int, int]
TEMPERATURE = 0.7


def random_batch(count: int, channels: int, height: int, width: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(count, channels, height, width, generator=generator, dtype=torch.float64)
    scores = 3 * torch.randn(count, height, width, generator=generator, dtype=torch.float64)
    return features.requires_grad_(), scores.flatten(1).softmax(dim=1).view_as(scores)


# --------------------------------------------------------------- one frame (C, H, W) at a time, place by place
def places(top: Tensor) -> list[Place]:
    return [(y, x) for y in range(top.shape[0]) for x in range(top.shape[1])]


def target(top: Tensor, theta: float) -> list[Place]:
    """Equation 5: the likeliest places, until their probabilities sum to theta."""
    chosen: list[Place] = []
    for place in sorted(places(top), key=lambda place: -float(top[place])):  # stable, as reading order asks
        if chosen and sum(float(top[one]) for one in chosen) >= theta:
            break
        chosen.append(place)
    return chosen


def weighted(features: Tensor, weights: dict[Place, Tensor]) -> Tensor:
    """Equations 1, 4 and 8: features summed with weights."""
    total = torch.zeros_like(features[:, 0, 0])
    for (y, x), weight in weights.items():
        total = total + features[:, y, x] * weight
    return total


def similarity(features: Tensor, template: Tensor) -> dict[Place, Tensor]:
    """Equation 2."""
    return {(y, x): (features[:, y, x] * template).sum() for y, x in places(features[0])}


def hard_negatives(scores: dict[Place, Tensor], top: Tensor, theta: float, temperature: float) -> dict[Place, Tensor]:
    """Equations 3, 5 and 6."""
    hidden = set(target(top, theta))
    weights = {place: (score / temperature).exp() for place, score in scores.items() if place not in hidden}
    total = sum(weights.values(), start=torch.zeros((), dtype=torch.float64))
    return {place: weight / total for place, weight in weights.items()}


def local(features: Tensor, top: Tensor, theta: float) -> Tensor:
    """Equations 7 and 8."""
    kept = target(top, theta)
    mass = sum(top[place] for place in kept)
    return weighted(features, {place: top[place] / mass for place in kept})


def unit(vector: Tensor, normalise: bool) -> Tensor:
    return vector / (vector * vector).sum().sqrt() if normalise else vector


def mixed(template: Tensor, negatives: list[Tensor], weight: float, normalise: bool) -> Tensor:
    first, second = sorted(negatives, key=lambda negative: -float((template * negative).sum().detach()))[:2]
    return unit(weight * first + (1 - weight) * second, normalise)


def plain_loss(features: Tensor, top: Tensor, settings: SoftContrastiveSettings, numbers: SampleNumbers) -> Tensor:
    """Equations 9 and 10, averaged over the 2N queries."""
    count, half = len(features), len(features) // 2
    z = [unit(weighted(f, {p: h[p] for p in places(h)}), settings.normalise) for f, h in zip(features, top)]
    lst = [unit(local(f, h, float(theta)), settings.normalise) for f, h, theta in zip(features, top, numbers.theta_p)]
    soft = []
    for query in range(count):
        for frame in (query, (query + half) % count):
            scores = similarity(features[frame], z[query])
            hard = hard_negatives(scores, top[frame], settings.theta_b, settings.background_temperature)
            soft.append(unit(weighted(features[frame], hard), settings.normalise))
    mix = [mixed(z[query], soft, float(numbers.mix[query]), settings.normalise) for query in range(count)]
    total = torch.zeros((), dtype=torch.float64)
    for query in range(count):
        partner = (query + half) % count
        others = [z[other] for other in range(count) if other % half != query % half]
        negatives = [*others, *soft, *mix]
        assert len(negatives) == 8 * half - 2
        for positive in (z[partner], lst[partner], lst[query]):
            above = ((z[query] * positive).sum() / settings.tau).exp()
            below = above if settings.include_positive else torch.zeros_like(above)
            for negative in negatives:
                below = below + ((z[query] * negative).sum() / settings.tau).exp()
            total = total - (above / below).log()
    return total / count


# ------------------------------------------------------------------------------------------------------ tests
def as_map(values: dict[Place, Tensor], like: Tensor) -> Tensor:
    zero = torch.zeros((), dtype=torch.float64)
    rows = [[values.get((y, x), zero) for x in range(like.shape[1])] for y in range(like.shape[0])]
    return torch.stack([torch.stack(row) for row in rows])


def compare(fast: Tensor, plain: Tensor, *inputs: Tensor) -> None:
    """Compares values, and the gradients of a weighted sum of them."""
    torch.testing.assert_close(fast, plain, rtol=1e-9, atol=1e-10)
    weights = torch.randn(fast.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found, expected = (gradients((value * weights).sum(), inputs) for value in (fast, plain))
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)


def gradients(total: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Zero for an input that the total does not depend on, such as where the target hides the whole frame."""
    if not total.requires_grad:
        return [torch.zeros_like(value) for value in inputs]
    slopes = torch.autograd.grad(total, inputs, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(value) if slope is None else slope for slope, value in zip(slopes, inputs)]


shapes = given(
    count=st.integers(1, 3),
    channels=st.integers(1, 4),
    height=st.integers(2, 5),
    width=st.integers(1, 5),
    theta=st.floats(0.05, 0.95),
    seed=st.integers(0, 1000),
)


@settings(max_examples=15, deadline=None)
@shapes
@example(count=1, channels=2, height=2, width=1, theta=0.75, seed=0)  # the target hides the whole frame
def test_every_equation_has_the_values_and_gradients_of_plain_loops(
    count: int, channels: int, height: int, width: int, theta: float, seed: int
) -> None:
    features, top = random_batch(count, channels, height, width, seed)
    template = torch.randn(count, channels, dtype=torch.float64, requires_grad=True)
    frames = range(count)
    whole = [weighted(features[b], {place: top[b][place] for place in places(top[b])}) for b in frames]
    compare(global_soft_template(features, top), torch.stack(whole), features)
    scores = [similarity(features[b], template[b]) for b in frames]
    found = similarity_map(features, template)
    compare(found, torch.stack([as_map(scores[b], top[b]) for b in frames]), features, template)
    hard = [hard_negatives(scores[b], top[b], theta, TEMPERATURE) for b in frames]
    expected = torch.stack([as_map(hard[b], top[b]) for b in frames])
    compare(hard_negative_map(found, top, theta, TEMPERATURE), expected, features, template)
    negatives = torch.stack([weighted(features[b], hard[b]) for b in frames])
    compare(soft_negatives(features, template, top, theta, TEMPERATURE), negatives, features, template)
    parts = torch.stack([local(features[b], top[b], theta) for b in frames])
    compare(local_soft_template(features, top, theta), parts, features)


@settings(max_examples=15, deadline=None)
@given(
    queries=st.integers(1, 4),
    count=st.integers(2, 7),
    channels=st.integers(1, 4),
    normalise=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_mixed_negatives_have_the_values_and_gradients_of_plain_loops(
    queries: int, count: int, channels: int, normalise: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    templates, negatives = (
        torch.randn(rows, channels, dtype=torch.float64, requires_grad=True) for rows in (queries, count)
    )
    mix = 0.5 + 0.5 * torch.rand(queries, dtype=torch.float64)
    rows = [mixed(templates[q], list(negatives), float(mix[q]), normalise) for q in range(queries)]
    compare(mix_negatives(templates, negatives, mix, normalise), torch.stack(rows), templates, negatives)


@settings(max_examples=8, deadline=None)
@given(
    videos=st.integers(1, 3),
    channels=st.integers(2, 4),
    height=st.integers(2, 4),
    width=st.integers(2, 4),
    normalise=st.booleans(),
    include_positive=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_loss_has_the_value_and_gradient_of_plain_loops(
    videos: int, channels: int, height: int, width: int, normalise: bool, include_positive: bool, seed: int
) -> None:
    objective = SoftContrastiveSettings(
        tau=0.6, background_temperature=0.5, theta_b=0.5, normalise=normalise, include_positive=include_positive
    )
    features, top = random_batch(2 * videos, channels, height, width, seed)
    numbers = draw_numbers(2 * videos, objective, seed)
    loss, _ = soft_contrastive_loss(
        draw_samples(features, top, objective, numbers), objective.tau, objective.include_positive
    )
    compare(loss, plain_loss(features, top, objective, numbers), features)


def draw_numbers(count: int, objective: SoftContrastiveSettings, seed: int) -> SampleNumbers:
    numbers = SampleNumbers.draw(count, objective, torch.Generator().manual_seed(seed))
    return SampleNumbers(numbers.theta_p.double(), numbers.mix.double())


def test_neither_loss_nor_gradient_depends_on_the_order_of_the_batch() -> None:
    """With all kinds of samples; their random numbers move with the frames, and either frame may be the first."""
    features, top = random_batch(10, 4, 4, 3, seed=3)
    objective = SoftContrastiveSettings()
    numbers = draw_numbers(10, objective, 0)
    orders = [torch.tensor([2, 0, 4, 3, 1, 7, 5, 9, 8, 6]), torch.arange(10).roll(5)]
    for order in orders:
        moved = SampleNumbers(numbers.theta_p[order], numbers.mix[order])
        one, _ = soft_contrastive_loss(draw_samples(features, top, objective, numbers))
        other, _ = soft_contrastive_loss(draw_samples(features[order], top[order], objective, moved))
        compare(other, one, features)


def one_peak(top: Tensor) -> Tensor:
    peak = torch.zeros_like(top)
    peak[:, 0, 1] = 1
    return peak


@pytest.mark.parametrize("theta", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("change", [one_peak, lambda top: torch.full_like(top, 1 / top[0].numel()), lambda top: top])
def test_degenerate_maps_have_a_finite_loss_and_gradient_in_float32_too(
    theta: float, change: Callable[[Tensor], Tensor]
) -> None:
    features, top = random_batch(4, 3, 3, 4, seed=5)
    small = features.detach().float().requires_grad_()
    objective = SoftContrastiveSettings(theta_b=theta)
    loss, _ = soft_contrastive_loss(draw_samples(small, change(top).float(), objective))
    (slope,) = torch.autograd.grad(loss, small)
    assert torch.isfinite(loss) and torch.isfinite(slope).all()


def test_what_degenerate_maps_give() -> None:
    features, top = random_batch(1, 3, 3, 4, seed=6)
    template = torch.ones(1, 3, dtype=torch.float64)
    peak = one_peak(top)
    torch.testing.assert_close(global_soft_template(features, peak)[0], features[0, :, 0, 1])
    torch.testing.assert_close(local_soft_template(features, peak, 0.6), global_soft_template(features, peak))
    even = torch.full_like(top, 1 / 12)
    torch.testing.assert_close(global_soft_template(features, even), features.mean(dim=(2, 3)))
    hard = hard_negative_map(similarity_map(features, template), even, theta_b=0.25)
    assert hard.flatten()[:3].tolist() == [0, 0, 0] and (hard.flatten()[3:] > 0).all(), "equal places in reading order"
    all_masked = soft_negatives(features, template, top, theta_b=1.0)
    assert not all_masked.any() and not torch.autograd.grad(all_masked.sum(), features)[0].any()
