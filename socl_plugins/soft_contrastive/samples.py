"""Soft samples: templates and negatives as weighted sums of features (SoCL, section 3.2, equations 1 to 8).

Features are (B, C, H, W), maps (B, H, W); every function is differentiable in the features.

Each equation has its function. Training takes all samples of a batch from :func:`pair_samples`, which computes the same
in few steps: on a GPU it is the number of steps that takes the time, not what is in them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable


def weighted_sum(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Returns ``f(I)^T h`` (B, C): features (B, C, H, W) summed over locations with weights (B, H, W)."""
    return torch.einsum("bchw,bhw->bc", features, weights)


def global_soft_template(features: torch.Tensor, top_map: torch.Tensor) -> torch.Tensor:
    """Returns the GST ``z`` (B, C): features weighted by the TOP map (equation 1).

    Args:
        features: (B, C, H, W).
        top_map: (B, H, W), each summing to 1.
    """
    return weighted_sum(features, top_map)


def similarity_map(features: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
    """Returns ``g = f(I) * z`` (B, H, W), the dot product of a template (B, C) with every location (equation 2)."""
    return torch.einsum("bchw,bc->bhw", features, template)


def target_mask(top_map: torch.Tensor, theta: float | torch.Tensor) -> torch.Tensor:
    """Returns a mask (B, H, W) of the fewest locations whose probabilities sum to ``theta`` or more (equation 5).

    Locations come in descending order of probability, equal ones in reading order. At least one is always taken, and
    all of them where rounding keeps the sum below ``theta``.

    Args:
        top_map: (B, H, W), each summing to 1.
        theta: one threshold in [0, 1], or one for each map (B,).
    """
    return likelier_mass(top_map) < _column(theta, top_map)[..., None]


def likelier_mass(top_map: torch.Tensor) -> torch.Tensor:
    """Returns for each location (B, H, W) the mass of those before it in the order of :func:`target_mask`; float64.

    The first location has -1: it is in the target whatever the threshold.
    """
    values, order = top_map.detach().flatten(1).sort(dim=1, descending=True, stable=True)
    # In float64: in float32 the sum of a large map can stay below theta = 0.8 by rounding alone.
    sums = values.cumsum(dim=1, dtype=torch.float64)
    return torch.full_like(sums, -1.0).scatter_(1, order[:, 1:], sums[:, :-1]).view(top_map.shape)


def _column(theta: float | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Returns thresholds as a column (B or 1, 1) that can be compared with maps, without waiting for the device."""
    return torch.as_tensor(theta, dtype=torch.float64).to(like.device, non_blocking=True).reshape(-1, 1)


def hard_negative_map(
    similarity: torch.Tensor, top_map: torch.Tensor, theta_b: float = 0.8, temperature: float = 1.0
) -> torch.Tensor:
    """Returns the hard-negative map ``h^`` (B, H, W): softmax of the similarity outside the target (equations 3, 5, 6).

    A map of which nothing is left outside the target is zero everywhere.

    Args:
        similarity: (B, H, W), from :func:`similarity_map`.
        top_map: (B, H, W).
        theta_b: probability mass that counts as target.
        temperature: the similarity is divided by it; 1 is the paper's, made for raw dot products. Cosine similarities
            lie in [-1, 1], where a plain softmax is almost uniform.
    """
    target = target_mask(top_map, theta_b).flatten(1)
    return _softmax_outside(target, similarity.flatten(1) / temperature).view_as(similarity)


def _softmax_outside(target: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Returns the softmax over the last dimension of what is outside ``target``; zeros where nothing is."""
    # The lowest number instead of -inf: with that, the softmax of a map that is all target would not be a number.
    weights = scores.masked_fill(target, torch.finfo(scores.dtype).min).softmax(dim=-1)
    return weights.masked_fill(target, 0.0)


def soft_negatives(
    features: torch.Tensor,
    template: torch.Tensor,
    top_map: torch.Tensor,
    theta_b: float = 0.8,
    temperature: float = 1.0,
) -> torch.Tensor:
    """Returns the SNS ``z^`` (B, C): background features that resemble the template (equations 2 to 4).

    The zero vector where nothing is left outside the target.

    Args:
        features: (B, C, H, W) of the frame that the negative is taken from.
        template: (B, C), the GST of the same frame or of the other one of the pair.
        top_map: (B, H, W) of the frame that the negative is taken from.
        theta_b: see :func:`hard_negative_map`.
        temperature: see :func:`hard_negative_map`.
    """
    similarity = similarity_map(features, template)
    return weighted_sum(features, hard_negative_map(similarity, top_map, theta_b, temperature))


def local_soft_template(features: torch.Tensor, top_map: torch.Tensor, theta_p: float | torch.Tensor) -> torch.Tensor:
    """Returns the LST ``z-`` (B, C): features weighted by the likeliest part of the TOP map (equations 7 and 8).

    Args:
        features: (B, C, H, W).
        top_map: (B, H, W).
        theta_p: probability mass to keep, one number or (B,); at 1 the LST is the GST.
    """
    kept = top_map * target_mask(top_map, theta_p)
    return weighted_sum(features, kept / kept.sum(dim=(1, 2), keepdim=True))


def mix_negatives(
    templates: torch.Tensor, negatives: torch.Tensor, mix: torch.Tensor, normalise: bool = False
) -> torch.Tensor:
    """Returns a harder negative for each template (Q, C): its two hardest soft negatives, interpolated.

    Hard negative mixing (section 3.2.4).

    Args:
        templates: (Q, C), queries.
        negatives: (M, C), M >= 2, among which the two with the largest dot product are taken.
        mix: (Q,), weight of the hardest in (0.5, 1).
        normalise: L2-normalise the result, as for normalised features (Kalantidis et al., MoCHi).

    Raises:
        ValueError: there are fewer than two negatives.
    """
    if len(negatives) < 2:
        raise ValueError(f"mixing needs two negatives, not {len(negatives)}")
    hardest = (templates.detach() @ negatives.detach().T).topk(2, dim=1).indices
    weights = torch.stack([mix, 1 - mix], dim=1).to(negatives, non_blocking=True)
    # A product with a matrix that is almost all zeros: its gradient is one too, and needs no scattered additions.
    mixed = weights.new_zeros(len(templates), len(negatives)).scatter_(1, hardest, weights) @ negatives
    return unit(mixed) if normalise else mixed


# ------------------------------------------------------------------------------------ all samples of a batch at once
def pair_samples(
    features: torch.Tensor,
    top_maps: torch.Tensor,
    *,
    theta_p: torch.Tensor | None,
    theta_b: float | None,
    temperature: float = 1.0,
    normalise: bool = False,
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """Returns the GSTs (2N, C), LSTs (2N, C) and SNSs (4N, C) of N pairs of frames.

    The soft negatives are, for each frame, the one of the first frame's GST and the one of the second frame's.

    Args:
        features: (2N, C, H, W); frames q and q + N show the same target.
        top_maps: (2N, H, W).
        theta_p: (2N,), see :func:`local_soft_template`; None for no LSTs.
        theta_b: see :func:`hard_negative_map`; None for no SNSs.
        temperature: see :func:`hard_negative_map`.
        normalise: L2-normalise every sample, GSTs also before they look for negatives.
    """
    maps = top_maps.flatten(1)
    weights, target = [maps], None
    if theta_p is not None or theta_b is not None:
        mass = likelier_mass(maps)
        if theta_p is not None:
            kept = maps * (mass < _column(theta_p, maps))
            weights.append(kept / kept.sum(dim=1, keepdim=True))
        if theta_b is not None:
            target = (mass < theta_b)[:, None]
    with torch.autocast(features.device.type, enabled=False):  # the gradient is computed without it, too
        return _PairSamples.apply(features, torch.stack(weights, dim=1), target, temperature, normalise)


class _PairSamples(torch.autograd.Function):
    """Soft samples with a gradient written by hand.

    The gradient in a frame's features is a sum of outer products, one for each time that the frame was used: one matrix
    product makes it. Autograd would make a tensor as large as the features for each, and add them up.
    """

    @staticmethod
    def forward(
        ctx: Any,
        features: torch.Tensor,
        maps: torch.Tensor,
        target: torch.Tensor | None,
        temperature: float,
        normalise: bool,
    ) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
        """Takes the weights of GSTs and, if there are two for each frame, LSTs (2N, 1 or 2, HW) and the target."""
        flat = features.flatten(2)
        templates, lengths = _scaled(maps @ flat.mT, normalise)
        queries = hard = negatives = negative_lengths = None
        if target is not None:
            # Both frames of a pair look for what resembles the one's template, and the other's.
            pairs = templates[:, 0].unflatten(0, (2, -1)).transpose(0, 1)
            queries = (pairs / temperature).repeat(2, 1, 1)
            hard = _softmax_outside(target, queries @ flat)
            negatives, negative_lengths = _scaled(hard @ flat.mT, normalise)
        ctx.temperature = temperature
        ctx.save_for_backward(features, maps, templates, lengths, queries, hard, negatives, negative_lengths)
        local = templates[:, 1] if maps.shape[1] == 2 else None
        return templates[:, 0], local, None if negatives is None else negatives.flatten(0, 1)

    @staticmethod
    @once_differentiable
    def backward(  # type: ignore[override]
        ctx: Any, d_global: torch.Tensor, d_local: torch.Tensor | None, d_negatives: torch.Tensor | None
    ) -> tuple[torch.Tensor | None, ...]:
        features, maps, templates, lengths, queries, hard, negatives, negative_lengths = ctx.saved_tensors
        flat = features.flatten(2)
        left, right = [], [maps]
        if negatives is not None and d_negatives is not None:
            d_sums = _scaled_gradient(d_negatives.view_as(negatives), negatives, negative_lengths)
            d_scores = torch.ops.aten._softmax_backward_data(d_sums @ flat, hard, -1, hard.dtype)
            d_queries = (d_scores @ flat.mT).unflatten(0, (2, -1)).sum(dim=0).transpose(0, 1).flatten(0, 1)
            d_global = d_global.add(d_queries, alpha=1 / ctx.temperature)
            left, right = [d_sums, queries], [maps, hard, d_scores]
        d_templates = torch.stack([part for part in (d_global, d_local) if part is not None], dim=1)
        left = [_scaled_gradient(d_templates, templates, lengths), *left]
        one, other = torch.cat(left, dim=1), torch.cat(right, dim=1)
        # In the features' own order of memory: the layers below would copy it otherwise.
        gradient = (other.mT @ one).mT if flat.stride(1) == 1 else one.mT @ other
        return gradient.view(features.shape), None, None, None, None


def unit(samples: torch.Tensor) -> torch.Tensor:
    """Returns samples (..., C) of length 1: ``torch.nn.functional.normalize``, with a gradient in fewer steps."""
    return _Unit.apply(samples)


class _Unit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, samples: torch.Tensor) -> torch.Tensor:
        scaled, lengths = _scaled(samples, True)
        ctx.save_for_backward(scaled, lengths)
        return scaled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return _scaled_gradient(gradient, *ctx.saved_tensors)


def _scaled(samples: torch.Tensor, normalise: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Returns samples (..., C) divided by their lengths, and these; or else the samples as they are, and None."""
    if not normalise:
        return samples, None
    lengths = torch.linalg.vector_norm(samples, dim=-1, keepdim=True).clamp_min_(1e-12)
    return samples / lengths, lengths


def _scaled_gradient(gradient: torch.Tensor, scaled: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Returns the gradient in what :func:`_scaled` was given."""
    if lengths is None:
        return gradient
    along = (gradient * scaled).sum(dim=-1, keepdim=True)
    return torch.addcmul(gradient, scaled, along, value=-1).div_(lengths)
