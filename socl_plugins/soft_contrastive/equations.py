"""Equations 1 to 10 of SoCL (section 3.2), each as a function: training computes with just these.

``features`` are (B, C, H, W) and ``top_map`` (B, H, W), each map summing to 1. A function takes a whole batch and is
differentiable in the features. Where a shape begins with ``...``, several templates a frame can be taken at once.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ltr.admin.devices import double_device


def weighted_sum(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Returns ``f(I)^T h`` (..., B, C): features summed over locations with weights (..., B, H, W)."""
    return torch.einsum("bchw,...bhw->...bc", features, weights)


def global_soft_template(features: torch.Tensor, top_map: torch.Tensor) -> torch.Tensor:
    """Returns the GST ``z`` (B, C): features weighted by the TOP map (equation 1)."""
    return weighted_sum(features, top_map)


def similarity_map(features: torch.Tensor, template: torch.Tensor) -> torch.Tensor:
    """Returns ``g = f(I) * z`` (..., B, H, W): templates (..., B, C) times each location (equation 2)."""
    return torch.einsum("bchw,...bc->...bhw", features, template)


def target_mask(top_map: torch.Tensor, theta: float | torch.Tensor) -> torch.Tensor:
    """Returns a mask (B, H, W) of the fewest locations whose probabilities sum to ``theta`` or more (equation 5).

    Locations come in descending order of probability, equal ones in reading order. At least one is always taken, and
    all of them where rounding keeps the sum below ``theta``.

    Args:
        top_map: (B, H, W).
        theta: one threshold in [0, 1], or one for each map (B,).
    """
    device = double_device(top_map.device)
    # As a tensor on the device without waiting for it.
    threshold = torch.as_tensor(theta, dtype=torch.float64).to(device, non_blocking=True).reshape(-1, 1)
    values, order = top_map.detach().flatten(1).to(device).sort(dim=1, descending=True, stable=True)
    # In float64: in float32 the sum of a large map can stay below theta = 0.8 by rounding alone.
    mass_before = F.pad(values.cumsum(dim=1, dtype=torch.float64)[:, :-1], (1, 0), value=-1.0)
    return (
        torch.empty_like(order, dtype=torch.bool)
        .scatter_(1, order, mass_before < threshold)
        .view_as(top_map)
        .to(top_map.device)
    )


def hard_negative_map(
    similarity: torch.Tensor, top_map: torch.Tensor, theta_b: float = 0.8, temperature: float = 1.0
) -> torch.Tensor:
    """Returns the hard-negative map ``h^`` (..., B, H, W): softmax of similarity outside the target (equations 3, 6).

    A map of which nothing is left outside the target is zero everywhere.

    Args:
        similarity: (..., B, H, W), from :func:`similarity_map`.
        top_map: (B, H, W).
        theta_b: probability mass that counts as target (equation 5).
        temperature: the similarity is divided by it; 1 is the paper's, made for raw dot products. Cosine similarities
            lie in [-1, 1], where a plain softmax is almost uniform.
    """
    target = target_mask(top_map, theta_b)
    # The lowest number instead of -inf: with that, the softmax of a map that is all target would not be a number.
    background = (similarity / temperature).masked_fill(target, torch.finfo(similarity.dtype).min)
    return background.flatten(-2).softmax(dim=-1).view_as(background).masked_fill(target, 0.0)


def soft_negatives(
    features: torch.Tensor,
    template: torch.Tensor,
    top_map: torch.Tensor,
    theta_b: float = 0.8,
    temperature: float = 1.0,
) -> torch.Tensor:
    """Returns the SNS ``z^`` (..., B, C): background features that resemble the template (equation 4).

    The zero vector where nothing is left outside the target.

    Args:
        features: (B, C, H, W) of the frame that the negative is taken from.
        template: (..., B, C), the GST of the same frame or of the other one of the pair.
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
    """Returns a harder negative (Q, C) for each template: its two hardest soft negatives, interpolated (3.2.4).

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
    return F.normalize(mixed, dim=1) if normalise else mixed


def contrastive_loss(positive: torch.Tensor, negatives: torch.Tensor, include_positive: bool = False) -> torch.Tensor:
    """Returns ``-log(exp(p) / sum_k exp(n_k))`` (..., Q) of each query (equation 9).

    Args:
        positive: (..., Q), logits ``p = z . z_j / tau`` of the queries' positive samples; K for each query are (K, Q).
        negatives: (Q, M), logits ``n_k`` of the queries' negative samples; -inf for one that does not count.
        include_positive: add the positive to the sum, as InfoNCE does; equation 9 as printed leaves it out.
    """
    loss = negatives.logsumexp(dim=1) - positive
    return -F.logsigmoid(-loss) if include_positive else loss  # log(exp(loss) + 1), wherever that is
