"""`pul noisy_box_res18` on SiamFC's AlexNet, from random weights, as the supplement's figure 6 has it."""

from __future__ import annotations

from ltr.train_settings.siamfc import box_siam_alexnet
from socl_plugins.train_settings.pul import noisy_box_res18

RECIPE = noisy_box_res18.RECIPE.but({"network": box_siam_alexnet.NETWORK})
