"""Soft contrastive learning (SoCL, section 3.2): soft samples, the loss, the learning step and what feeds it.

Where clicks and TOP maps come from is the business of ``clicks`` and ``top_map``; recipes live in ``train_settings``.
"""

from socl_plugins.soft_contrastive.equations import (
    global_soft_template,
    hard_negative_map,
    local_soft_template,
    mix_negatives,
    similarity_map,
    soft_negatives,
    target_mask,
)
from socl_plugins.soft_contrastive.loss import (
    SampleNumbers,
    SoftContrastiveSettings,
    SoftSamples,
    draw_samples,
    soft_contrastive_loss,
)

__all__ = [
    "SoftContrastiveSettings",
    "SampleNumbers",
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
