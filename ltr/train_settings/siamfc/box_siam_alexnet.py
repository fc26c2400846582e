"""Box-Siam on SiamFC's AlexNet, from random weights; features are compared by cosine similarity, as a ResNet's are."""

from __future__ import annotations

from ltr.config.part import Network
from ltr.train_settings.siamfc import box_siam_res18

NETWORK = Network("siamfc_alexnet", normalise=True, calibrated=True, weights=None)

RECIPE = box_siam_res18.RECIPE.but({"network": NETWORK})
