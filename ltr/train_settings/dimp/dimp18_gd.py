"""DiMP with gradient descent, GD of the paper's table 1: ``dimp dimp18`` with learned step lengths."""

from __future__ import annotations

from ltr.train_settings.dimp import dimp18

RECIPE = dimp18.RECIPE.but({"network.optimizer": "gradient", "score.parameters": "dimp/dimp18_gd"})
