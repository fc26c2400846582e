"""SuperDiMP: ``dimp dimp50`` with larger crops that stay in the frame, and a box branch that learns a density of boxes.

No paper of its own describes it; its settings are those of its authors' release. The density is that of Danelljan et
al., PrDiMP (CVPR 2020, section 4.1).
"""

from __future__ import annotations

from ltr.data.augmentation import Augmentation
from ltr.data.processing import CropJitter
from ltr.data.proposals import DensityProposalSettings
from ltr.train_settings.dimp import dimp50

FACTOR = 6.0
CELLS = 22  # of 16 pixels, in a crop of 352

RECIPE = dimp50.RECIPE.but(
    {
        "network.box_branch": "density",
        "network.frozen_backbone_layers": ("conv1", "bn1", "layer1", "layer2"),
        "network.init_gauss_sigma": CELLS / FACTOR / 4,
        "sampler.max_gap": 100,
        "processing.train": CropJitter(size=352, factor=FACTOR, center_jitter=3.0, scale_jitter=0.25),
        "processing.test": CropJitter(size=352, factor=FACTOR, center_jitter=5.5, scale_jitter=0.5),
        "processing.label.cells": CELLS,
        "processing.label.sigma_factor": 1 / FACTOR / 4,
        "processing.proposals": DensityProposalSettings(boxes_per_frame=128, sigmas=(0.05, 0.5), true_sigma=0.05),
        "processing.crop_type": "inside_major",
        "processing.max_scale_change": 1.5,
        "processing.transform": Augmentation(flip=0.5, brightness=0.2),
        "processing.joint_transform": Augmentation(flip=0.5, gray=0.05),
        # The release weighs the filters between first and last by 400 together, which is 100 for each of four.
        "actor.objective.iou": 0.01,
        "optimizer.rates.bb_regressor": 1e-3,
        "schedule.samples_per_epoch": 40_000,
        "schedule.batch_size": 20,
        "score.parameters": "dimp/super_dimp",
    }
)
