"""SoCL-TransT: TransT trained on pseudo boxes of sparse boxes and clicks (SoCL, section 3.3), with T = 10.

In the short schedule the boxes are interpolated between the sparse ones: no tracker has to run.
"""

from __future__ import annotations

from ltr.config.part import Labels
from ltr.train_settings.transt import transt50_got10k

RECIPE = transt50_got10k.RECIPE.but(
    {"data.labels": Labels("pseudo_boxes", period=10, noise_px=0.0, method="fused")},
    short={"data.labels.method": "interpolation"},
)
