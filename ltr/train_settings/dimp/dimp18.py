"""DiMP on a ResNet-18, trained with boxes (Bhat et al., ICCV 2019, section 3.6)."""

from __future__ import annotations

from ltr.actors.dimp import DiMPLossSettings
from ltr.config import Data, Optimizer, Recipe, Runtime, Schedule, Score
from ltr.config.part import Actor, Labels, Network, Processing, Sampler
from ltr.data.augmentation import Augmentation
from ltr.data.labels import LabelSettings
from ltr.data.processing import CropJitter
from ltr.data.proposals import IoUProposalSettings

RECIPE = Recipe(
    data=Data(sets=("got10k_train", "lasot", "trackingnet", "coco"), weights=(), labels=Labels("boxes")),
    network=Network(
        "dimpnet18",
        optim_iter=5,  # recursions of the optimizer module while training
        optimizer="steepest",
        initializer=True,
        online_loss="learned",
        clf_feat_blocks=1,
        init_gauss_sigma=0.9,  # in cells: a quarter of the target, which is 18 / 5 cells wide
        frozen_backbone_layers=(),
        pretrained="imagenet",
    ),
    sampler=Sampler("tracking", max_gap=30, num_train_frames=3, num_test_frames=3, frame_sample_mode="segment"),
    processing=Processing(
        "dimp",
        train=CropJitter(size=288, factor=5.0, center_jitter=3.0, scale_jitter=0.25),
        test=CropJitter(size=288, factor=5.0, center_jitter=4.5, scale_jitter=0.5),
        label=LabelSettings(cells=18, sigma_factor=0.05),  # a quarter of the target over the crop's five
        proposals=IoUProposalSettings(boxes_per_frame=8, min_iou=0.1, sigma_factors=(0.01, 0.05, 0.1, 0.2, 0.3)),
        transform=Augmentation(brightness=0.2),
        joint_transform=Augmentation(gray=0.05),
    ),
    actor=Actor(
        "dimp",
        objective=DiMPLossSettings(
            iou=1.0, test_clf=100.0, test_init_clf=100.0, test_iter_clf=100.0, hinge_threshold=0.05
        ),
    ),
    # The paper gives no learning rates and no batch; these are its authors' release's for DiMP-18.
    optimizer=Optimizer(
        "adam",
        learning_rate=2e-4,
        rates={
            "classifier.filter_initializer": 5e-5,
            "classifier.filter_optimizer": 5e-4,
            "classifier.feature_extractor": 5e-5,
            "bb_regressor": 1e-3,
            "feature_extractor": 2e-4,
        },
    ),
    schedule=Schedule(
        epochs=50,
        samples_per_epoch=20_000,
        batch_size=26,
        decay="epochs",
        decay_epochs=(15, 30, 45),
        decay_factor=0.2,
    ),
    score=Score("tracking_auc", videos=60, frames=100, interval=5, parameters="dimp/dimp18"),
    runtime=Runtime(),
    frozen_norm=False,
    stack_dim=1,
    tracker="dimp",
    short={  # a few minutes on two cores
        "network.pretrained": None,
        "schedule.epochs": 2,
        "schedule.samples_per_video": 1,
        "schedule.samples_per_epoch": 260,
        "schedule.batch_size": 4,
        "schedule.decay": "none",
        "score.videos": 2,
        "score.frames": 20,
        "score.interval": 1,
        "runtime.num_workers": 1,
    },
)
