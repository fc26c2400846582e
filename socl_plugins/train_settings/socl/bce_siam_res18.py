"""BCE-Siam: SiamFC on ResNet-18, learned from boxes that TOP maps of single clicks give (SoCL, figure 8)."""

from __future__ import annotations

from ltr.config.part import Labels
from ltr.train_settings.siamfc import box_siam_res18

LABELS = Labels("top_map_boxes", alpha=0.5, noise_px=0.0, store="top_maps", prepare_frames=20_000)

RECIPE = box_siam_res18.RECIPE.but({"data.labels": LABELS})
