"""What SoCL-TransT is compared with: boxes on all frames of fewer videos, for the same hours (SoCL, Table 7)."""

from __future__ import annotations

from ltr.config.part import Labels
from ltr.train_settings.transt import transt50_got10k

RECIPE = transt50_got10k.RECIPE.but({"data.labels": Labels("boxes_for_same_hours", period=10, noise_px=0.0)})
