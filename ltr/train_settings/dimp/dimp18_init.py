"""DiMP without its optimizer module, Init of the paper's table 1: the filter is predicted from the target alone."""

from __future__ import annotations

from ltr.train_settings.dimp import dimp18

RECIPE = dimp18.RECIPE.but({"network.optim_iter": 0, "score.parameters": "dimp/dimp18_init"})
