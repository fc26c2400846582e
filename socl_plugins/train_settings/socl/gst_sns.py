"""A row of SoCL's Table 1: global soft templates and soft negatives."""

from __future__ import annotations

from socl_plugins.train_settings.socl import socl_res18

RECIPE = socl_res18.RECIPE.but({"actor.objective.use_mixing": False, "actor.objective.use_local": False})
