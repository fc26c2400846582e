"""Box-Siam on boxes that are drawn in the wrong place (PUL, supplement, section D, figure 6).

With ``--set actor=noise_robust --set actor.noise.frame_px=20`` it learns with the noise-robust loss.
"""

from __future__ import annotations

from ltr.config.part import Labels
from ltr.train_settings.siamfc import box_siam_res18

RECIPE = box_siam_res18.RECIPE.but({"data.labels": Labels("noisy_boxes", noise_px=20.0)})
