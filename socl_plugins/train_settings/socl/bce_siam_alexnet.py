"""BCE-Siam on SiamFC's AlexNet."""

from __future__ import annotations

from ltr.train_settings.siamfc import box_siam_alexnet
from socl_plugins.train_settings.socl import bce_siam_res18

RECIPE = bce_siam_res18.RECIPE.but({"network": box_siam_alexnet.NETWORK})
