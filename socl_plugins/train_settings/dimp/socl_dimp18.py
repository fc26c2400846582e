"""SoCL-DiMP: DiMP on a ResNet-18 that never sees a dense box.

The classifier learns from clicks and TOP maps; the box branch from pseudo boxes, which come of sparse boxes and clicks
(SoCL, section 3.3), or from the sparse boxes alone. In the short schedule pseudo boxes are interpolated between the
sparse
ones: no tracker has to run. The backbone starts from what ``socl socl_res18`` has learned in this workspace, if
anything.

With ``--set actor=noise_robust_dimp --set actor.noise.frame_px=20`` clicks are believed to be that far off: as much as
``data.labels.noise_px`` is a fair start, since the train frames' clicks are off, too.
"""

from __future__ import annotations

from ltr.config.part import Labels, RunHook
from ltr.train_settings.dimp import dimp18
from socl_plugins.dimp.processing import SoftLabelSettings

RECIPE = dimp18.RECIPE.but(
    {
        "data.sets": ("got10k_train",),
        "data.labels": Labels(
            "clicks_and_boxes",
            period=10,
            noise_px=0.0,
            boxes="pseudo",
            method="fused",
            store="top_maps",
            prepare_frames=20_000,
        ),
        "processing": "weak_dimp",
        "processing.soft": SoftLabelSettings(softness=0.3, eta=0.1, temperature=0.25, extent="top_map"),
        "actor": "weak_dimp",
        "hooks": {"start_backbone": RunHook("start_backbone", backbone="auto")},
        "score.parameters": "dimp/socl_dimp18",
    },
    short={"data.labels.method": "interpolation"},
)
