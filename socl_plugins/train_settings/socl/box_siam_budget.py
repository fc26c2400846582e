"""Box-Siam that learns from as many boxes as a budget is enough for (SoCL, sections 4.3 and I)."""

from __future__ import annotations

from ltr.config.part import Labels
from ltr.train_settings.siamfc import box_siam_res18
from socl_plugins.clicks.budget import Budget

RECIPE = box_siam_res18.RECIPE.but({"data.labels": Labels("boxes_within_budget", budget=Budget())})
