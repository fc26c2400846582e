"""SoCL-Siam with a term on the tracker's response, which the paper does not have.

The response weighs far above the pooled vectors, and the frames of a pair share their augmentation, as Box-Siam's do.
The weight was chosen on held-out videos.
"""

from __future__ import annotations

from socl_plugins.train_settings.socl import socl_res18

RECIPE = socl_res18.RECIPE.but({"actor.response.weight": 20.0, "processing.augmentation.apart": 0.0})
