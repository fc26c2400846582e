"""SiamFC as its authors train it: AlexNet from random weights, correlated as it is (Bertinetto et al., ECCVW 2016)."""

from __future__ import annotations

from ltr.config import Optimizer
from ltr.config.part import Network, Sampler
from ltr.data.augmentation import Augmentation
from ltr.data.processing import CropSettings, PairAugmentation
from ltr.train_settings.siamfc import box_siam_res18

SEARCH = 239  # pixels: a search region of 255, less the 8 on each side that its random place in training takes

RECIPE = box_siam_res18.RECIPE.but(
    {
        "network": Network("siamfc_alexnet", normalise=False, weights=None),  # logits are .001 times the correlation
        "sampler": Sampler("tracking", max_gap=100, frame_sample_mode="interval"),
        "processing.crop": CropSettings(
            size=SEARCH, search_factor=4 * SEARCH / 255, scale_jitter=0.0, shift=8 / SEARCH
        ),
        "processing.augmentation": PairAugmentation(own=Augmentation(stretch=0.05), joint=Augmentation(), apart=0.0),
        "optimizer": Optimizer("sgd", learning_rate=1e-2, weight_decay=5e-4, momentum=0.9),
        "schedule.epochs": 50,
        "schedule.batch_size": 8,
        "schedule.decay": "geometric",
        "schedule.decay_factor": 1e-3,  # from 1e-2 to 1e-5
        "schedule.average_decay": None,
    },
    short={"optimizer.learning_rate": 1e-2, "schedule.decay": "geometric"},
)
