"""A row of SoCL's Table 1: global soft templates, soft negatives, and negatives mixed of these."""

from __future__ import annotations

from socl_plugins.train_settings.socl import socl_res18

RECIPE = socl_res18.RECIPE.but({"actor.objective.use_local": False})
