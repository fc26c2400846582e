"""What recipes are composed of: parts by their registered names, small frozen settings, and the run that they make.

What lives here: the pieces, how ``--set`` reaches each number of them, how ``--help`` lists them, and the training that
they describe. What never does: the numbers of a recipe, which its own file in ``train_settings`` has.
"""

from __future__ import annotations

from ltr.config.part import Part
from ltr.config.recipe import Data, Optimizer, Recipe, Runtime, Schedule, Score

__all__ = ["Data", "Optimizer", "Part", "Recipe", "Runtime", "Schedule", "Score"]
