"""ResPUL: SiamDW's ResNet-22, learned from video without any label; it crops what its padding reaches."""

from __future__ import annotations

from ltr.config.part import Network
from socl_plugins.train_settings.pul import alex_pul

RECIPE = alex_pul.RECIPE.but({"network": Network("siamfc_resnet22", normalise=True, calibrated=True, weights=None)})
