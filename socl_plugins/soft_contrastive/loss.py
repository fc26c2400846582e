"""The soft contrastive loss (SoCL, section 3.2.4, equations 9 and 10)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ltr.engine import distributed
from socl_plugins.soft_contrastive.equations import (
    contrastive_loss,
    global_soft_template,
    local_soft_template,
    mix_negatives,
    soft_negatives,
)


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
    half = len(features) // 2

    def scaled(samples: torch.Tensor) -> torch.Tensor:
        return F.normalize(samples, dim=1) if settings.normalise else samples

    templates = scaled(global_soft_template(features, top_maps))
    local_templates = negatives = mixed = None
    if settings.use_local:
        local_templates = scaled(local_soft_template(features, top_maps, numbers.theta_p))
    if settings.use_negatives:
        # In each frame both frames of the pair look for what resembles their templates.
        both = torch.stack([templates, templates.roll(half, dims=0)])
        negatives = soft_negatives(features, both, top_maps, settings.theta_b, settings.background_temperature)
        negatives = distributed.gather_rows(scaled(negatives.flatten(0, 1)))
        if settings.use_mixing:
            mixed = mix_negatives(templates, negatives, numbers.mix, settings.normalise)
            mixed = distributed.gather_rows(mixed)
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
    query = query / tau
    negative_logits = query @ negatives.T
    negative_logits[:, : own_video.shape[1]].masked_fill_(own_video, float("-inf"))
    positive_logits = (torch.stack(positives) * query).sum(dim=2)
    parts = contrastive_loss(positive_logits, negative_logits, include_positive).mean(dim=1)
    return parts.sum(), dict(zip(names, parts.detach()))
