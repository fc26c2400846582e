"""SoCL's loss in the form that the paper prints: ``socl socl_res18`` on features as they are, not as unit vectors.

Equation 9 compares samples, and the tracker compares features, by dot products. ``tau`` is 0.5, the softmax over the
background has no temperature, and the frames of a pair are mirrored and colored alike.
"""

from __future__ import annotations

from socl_plugins.train_settings.socl import socl_res18

RECIPE = socl_res18.RECIPE.but(
    {
        "network.normalise": False,
        "actor.objective.normalise": False,
        "actor.objective.tau": 0.5,
        "actor.objective.background_temperature": 1.0,
        "processing.augmentation.apart": 0.0,
    }
)
