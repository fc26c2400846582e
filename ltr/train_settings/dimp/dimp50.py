"""DiMP on a ResNet-50: ``dimp dimp18`` with another network, and its authors' learning rates and batch for it."""

from __future__ import annotations

from ltr.train_settings.dimp import dimp18

RECIPE = dimp18.RECIPE.but(
    {
        "network": "dimpnet50",
        "network.clf_feat_blocks": 0,
        "optimizer.rates.bb_regressor": 2e-4,
        "optimizer.rates.feature_extractor": 2e-5,
        "schedule.batch_size": 10,
        "score.parameters": "dimp/dimp50",
    }
)
