"""What progressive learning sees of a patch: SiamFC's template and search crop, and a second template."""

from __future__ import annotations

import numpy as np

from ltr.data.processing import SiamFCProcessing, as_tensor
from ltr.data.tensordict import TensorDict
from ltr.registry import PROCESSINGS


@PROCESSINGS.register("progressive")
class ProgressiveProcessing(SiamFCProcessing):
    """SiamFC's processing, and a second template to contrast the first one with."""

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        """Returns what SiamFC's does, and ``positive_images`` (3, Z, Z) uint8: the template of the test frame."""
        result = super().__call__(data, rng)
        crop, _ = self.template(data["test_images"][0], data["test_anno"][0].double().numpy())
        result["positive_images"] = as_tensor(self.augmentation.draw(rng)[0].image(crop))
        return result
