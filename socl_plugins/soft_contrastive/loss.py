"""The soft contrastive loss (SoCL, section 3.2.4, equations 9 and 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from ltr.engine import distributed
from socl_plugins.soft_contrastive.samples import mix_negatives, pair_samples


@dataclass(frozen=True)
class SoftContrastiveSettings:
    """What the loss is made of.

    The paper's form is ``tau=0.5, background_temperature=1, normalise=False``. Its temperatures fit raw dot products;
    the defaults here are for L2-normalised features.

    Attributes:
        tau: temperature of the loss.
        background_temperature: of the softmax that finds hard negatives.
        theta_b: probability mass of the TOP map that counts as target.
        b_p: smallest mass of a local soft template; the mass is uniform in [b_p, 1).
        normalise: L2-normalise every sample before comparing.
        include_positive: add the positive pair to the denominator (InfoNCE); equation 9 as printed leaves it out.
        use_negatives: soft negatives (SNS).
        use_mixing: mixed negatives; needs ``use_negatives``.
        use_local: local soft templates (LST).
    """

    tau: float = 0.07
    background_temperature: float = 0.05
    theta_b: float = 0.8
    b_p: float = 0.6
    normalise: bool = True
    include_positive: bool = False
    use_negatives: bool = True
    use_mixing: bool = True
    use_local: bool = True

    def __post_init__(self) -> None:
        for name in ("tau", "background_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; a temperature must be positive")
        for name in ("theta_b", "b_p"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is a part of the TOP map's mass, in [0, 1]")
        if self.use_mixing and not self.use_negatives:
            raise ValueError("use_mixing mixes soft negatives; it needs use_negatives")


@dataclass(frozen=True)
class SoftSamples:
    """The samples of a batch of N pairs of frames; index i of the first N rows and of the last N is one video.

    In a distributed run, negatives are those of all processes, P of them.

    Attributes:
        templates: (2N, C), global soft templates.
        local_templates: (2N, C), or None.
        negatives: (4NP, C), soft negatives, or None.
        mixed: (2NP, C), mixed negatives, or None.
    """

    templates: torch.Tensor
    local_templates: torch.Tensor | None
    negatives: torch.Tensor | None
    mixed: torch.Tensor | None


@dataclass(frozen=True)
class SampleNumbers:
    """What is random about soft samples.

    Attributes:
        theta_p: (2N,), mass of each local soft template.
        mix: (2N,), weight of the hardest negative in each mixed one.
    """

    theta_p: torch.Tensor
    mix: torch.Tensor

    @classmethod
    def draw(
        cls, count: int, settings: SoftContrastiveSettings, generator: torch.Generator | None = None
    ) -> SampleNumbers:
        """Draws the numbers of ``count`` = 2N samples: on the CPU, so that every device gets the same."""
        theta_p, mix = (torch.rand(count, generator=generator) for _ in range(2))
        return cls(settings.b_p + (1 - settings.b_p) * theta_p, 0.5 + 0.5 * mix)


def draw_samples(
    features: torch.Tensor,
    top_maps: torch.Tensor,
    settings: SoftContrastiveSettings,
    numbers: SampleNumbers | None = None,
) -> SoftSamples:
    """Returns the soft samples of N pairs of frames; in a distributed run every process must call it.

    Args:
        features: (2N, C, H, W); frames q and q + N show the same target.
        top_maps: (2N, H, W).
        settings: see :class:`SoftContrastiveSettings`.
        numbers: by default drawn anew.
    """
    numbers = numbers or SampleNumbers.draw(len(features), settings)
    templates, local_templates, negatives = pair_samples(
        features,
        top_maps,
        theta_p=numbers.theta_p if settings.use_local else None,
        theta_b=settings.theta_b if settings.use_negatives else None,
        temperature=settings.background_temperature,
        normalise=settings.normalise,
    )
    mixed = None
    if negatives is not None:
        negatives = distributed.gather_rows(negatives)
        if settings.use_mixing:
            mixed = distributed.gather_rows(mix_negatives(templates, negatives, numbers.mix, settings.normalise))
    return SoftSamples(templates, local_templates, negatives, mixed)


def soft_contrastive_loss(
    samples: SoftSamples, tau: float = 0.07, include_positive: bool = False, videos: torch.Tensor | None = None
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Returns the loss (equation 10), averaged over the 2N templates, and its parts.

    Every template has the 2N - 2 templates of the other videos, the 4N soft negatives and the 2N mixed ones as
    negatives: 8N - 2 with all of them, if the N videos differ. Of a video that is in the batch twice the templates show
    one target, so they are not negatives of each other.

    In a distributed run N counts the pairs of all processes, each process has the loss of its own templates, and their
    mean over the processes is the loss of one process with the whole batch.

    Args:
        samples: from :func:`draw_samples`.
        tau: temperature.
        include_positive: add the positive pair to the denominator of equation 9.
        videos: (N,) a number for each pair that says which video it is of; by default all differ.

    Raises:
        ValueError: one video alone and no soft negatives: there is nothing to contrast with.
    """
    query, local = samples.templates, samples.local_templates
    half = len(query) // 2
    templates = distributed.gather_rows(query)
    negatives = torch.cat([part for part in (templates, samples.negatives, samples.mixed) if part is not None])
    if videos is None:
        videos = torch.arange(half) + distributed.rank() * half
    video = videos.to(query.device, non_blocking=True).repeat(2)
    own_video = video[:, None] == distributed.gather_rows(video)
    # Looked at only where it can be: the processor would wait for the device.
    if len(negatives) == len(templates) and bool(own_video.all()):
        raise ValueError("a batch of one video and no soft negatives holds no negative sample; use a larger batch")

    names, positives = ["global"], [query.roll(half, dims=0)]
    if local is not None:
        names, positives = [*names, "local_other", "local_own"], [*positives, local.roll(half, dims=0), local]
    with torch.autocast(query.device.type, enabled=False):  # the gradient is computed without it, too
        margins = _Margins.apply(query, torch.stack(positives), negatives, own_video, tau)
    # With the positive in the denominator: log(exp(margin) + 1).
    parts = (-F.logsigmoid(-margins) if include_positive else margins).mean(dim=1)
    return parts.sum(), dict(zip(names, parts.detach()))


class _Margins(torch.autograd.Function):
    """How far positives (K, Q, C) are below the negatives (M, C), for each query (Q, C): equation 9's logarithms.

    They are ``logsumexp_m(q . n_m / tau) - q . p / tau`` (K, Q). ``hidden`` (Q, M' <= M) says which of the first
    negatives do not count for a query. The gradient is written by hand, as the K positives share what is large.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        positives: torch.Tensor,
        negatives: torch.Tensor,
        hidden: torch.Tensor,
        tau: float,
    ) -> torch.Tensor:
        scaled = query / tau
        logits = scaled @ negatives.T
        logits[:, : hidden.shape[1]].masked_fill_(hidden, float("-inf"))
        logarithms = logits.log_softmax(dim=1)
        total = logits.amax(dim=1) - logarithms.amax(dim=1)  # logsumexp
        ctx.tau = tau
        ctx.save_for_backward(scaled, positives, negatives, logarithms)
        return total - (positives * scaled).sum(dim=2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        scaled, positives, negatives, logarithms = ctx.saved_tensors
        pull = gradient[..., None]
        d_logits = logarithms.exp().mul_(pull.sum(dim=0))
        d_query = torch.addmm((positives * pull).sum(dim=0), d_logits, negatives, beta=-1).div_(ctx.tau)
        return d_query, pull.neg() * scaled, d_logits.T @ scaled, None, None
