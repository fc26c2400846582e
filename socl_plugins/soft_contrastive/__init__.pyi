from .equations import (
    global_soft_template,
    hard_negative_map,
    local_soft_template,
    mix_negatives,
    similarity_map,
    soft_negatives,
    target_mask,
)
from .loss import SampleNumbers, SoftContrastiveSettings, SoftSamples, draw_samples, soft_contrastive_loss

__all__ = [
    "SampleNumbers",
    "SoftContrastiveSettings",
    "SoftSamples",
    "draw_samples",
    "global_soft_template",
    "hard_negative_map",
    "local_soft_template",
    "mix_negatives",
    "similarity_map",
    "soft_contrastive_loss",
    "soft_negatives",
    "target_mask",
]
