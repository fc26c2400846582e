"""SoCL-SiamFC: SiamFC's AlexNet that learns from single clicks, from random weights (SoCL, section 4.1)."""

from __future__ import annotations

from ltr.config.part import Network
from socl_plugins.train_settings.socl import socl_res18

NETWORK = Network("siamfc_alexnet", normalise=True, projection=False, weights=None)

RECIPE = socl_res18.RECIPE.but({"network": NETWORK})
