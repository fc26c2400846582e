"""SoCL-CF: a ResNet-18 that learns from single clicks, through a projection head, for a correlation-filter tracker.

The whole ResNet-18 with its last layer at stride 16, and a head (SoCL, sections 4.1 and J); the tracker takes Conv1 and
Layer3 of what is learned, and not the head. The paper's schedule has 500 epochs, with a tenth of the learning rate
after 50. Of our choosing is that one cell is dropped on each side: at this stride a third of a 192-pixel crop would go
with two. The held-out score tracks with SiamFC on the last layer, which compares checkpoints, and says little of how a
correlation filter tracks.
"""

from __future__ import annotations

from socl_plugins.train_settings.socl import socl_res18

RECIPE = socl_res18.RECIPE.but(
    {
        "network.output_layer": "layer4",
        "network.stride": 16,
        "network.border": 1,
        "network.projection": True,
        "schedule.epochs": 500,
        "schedule.decay_epochs": (50,),
    }
)
