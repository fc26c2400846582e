"""Soft samples: templates and negatives as weighted sums of features (SoCL, section 3.2, equations 1 to 8).

Features are (B, C, H, W), maps (B, H, W); every function is differentiable in the features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


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
    flat = top_map.detach().flatten(1)
    values, order = flat.sort(dim=1, descending=True, stable=True)
    threshold = torch.as_tensor(theta, dtype=torch.float64, device=flat.device).reshape(-1, 1)
    # In float64: in float32 the sum of a large map can stay below theta = 0.8 by rounding alone.
    reached = values.double().cumsum(dim=1) >= threshold
    # A location belongs to the target unless the sum was reached before it.
    chosen = ~reached.roll(1, dims=1)
    chosen[:, 0] = True
    return torch.zeros_like(chosen).scatter(1, order, chosen).view_as(top_map)


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
    scores = (similarity.flatten(1) / temperature).masked_fill(target, float("-inf"))
    empty = target.all(dim=1, keepdim=True)
    weights = F.softmax(scores.masked_fill(empty, 0.0), dim=1).masked_fill(empty, 0.0)
    return weights.view_as(similarity)


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
    weight = mix.to(negatives.dtype)[:, None]
    mixed = weight * negatives[hardest[:, 0]] + (1 - weight) * negatives[hardest[:, 1]]
    return F.normalize(mixed, dim=1) if normalise else mixed
