"""BCE-Siam from ImageNet's weights, on features as they are, at a rate that keeps what they have learned.

At this rate 240 steps from 52 short videos change little, 1,440 gain more (the study ``steps_imagenet``). The short
schedule has 30 steps for each video: about as many on so many videos. The paper's schedule was not measured with it.
"""

from __future__ import annotations

from socl_plugins.train_settings.socl import bce_siam_res18

RECIPE = bce_siam_res18.RECIPE.but(
    {"network.normalise": False, "optimizer.learning_rate": 1e-5},
    short={"network.pretrained": "imagenet", "optimizer.learning_rate": 1e-5, "schedule.epochs": 24},
)
