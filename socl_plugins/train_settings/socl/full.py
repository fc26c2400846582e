"""The last row of SoCL's Table 1: ``socl socl_res18``, all kinds of samples, beside the rows above it."""

from __future__ import annotations

from socl_plugins.train_settings.socl.socl_res18 import RECIPE

__all__ = ["RECIPE"]
