"""Box-Siam on SiamDW's ResNet-22, from random weights: what `pul res_pul` learns without labels, learned from boxes."""

from __future__ import annotations

from ltr.config.part import Network
from ltr.train_settings.siamfc import box_siam_res18

RECIPE = box_siam_res18.RECIPE.but(
    {"network": Network("siamfc_resnet22", normalise=True, calibrated=True, weights=None)}
)
