"""TransT trained on GOT-10k alone, as GOT-10k's own test asks for it: half the epochs at twice the learning rate."""

from __future__ import annotations

from ltr.train_settings.transt import transt50

RECIPE = transt50.RECIPE.but(
    {
        "data.sets": ("got10k_train",),
        "optimizer.learning_rate": 2e-4,
        "optimizer.rates.backbone": 2e-5,
        "schedule.epochs": 500,
        "schedule.decay_epochs": (250,),
    },
    short={"optimizer.learning_rate": 1e-4, "optimizer.rates.backbone": 1e-5},
)
