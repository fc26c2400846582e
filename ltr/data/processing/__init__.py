"""What a network sees of the frames that were drawn: augmented crops, and the targets that a loss compares with.

Each is a callable ``processing(data, rng) -> TensorDict`` in the registry PROCESSINGS. How a crop is cut and changed is
the business of ``ltr.data.crops`` and ``ltr.data.transforms``.
"""

from ltr.data.processing.dimp import DiMPProcessing
from ltr.data.processing.pair import (
    PARTS,
    CropSettings,
    PairAugmentation,
    SiamFCProcessing,
    as_tensor,
    jittered_crop,
)
from ltr.data.processing.template_search import CropJitter, TemplateSearchProcessing

__all__ = [
    "PARTS",
    "CropJitter",
    "CropSettings",
    "DiMPProcessing",
    "PairAugmentation",
    "SiamFCProcessing",
    "TemplateSearchProcessing",
    "as_tensor",
    "jittered_crop",
]
