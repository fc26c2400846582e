"""TransT on a ResNet-50, trained with boxes (Chen et al., CVPR 2021, section 3.4)."""

from __future__ import annotations

from ltr.config import Data, Optimizer, Recipe, Runtime, Schedule, Score
from ltr.config.part import Actor, Labels, Network, Processing, Sampler
from ltr.data.augmentation import Augmentation
from ltr.data.processing import CropJitter
from ltr.models.loss.transt import TransTLossWeights

RECIPE = Recipe(
    data=Data(sets=("got10k_train", "lasot", "trackingnet", "coco"), weights=(), labels=Labels("boxes")),
    network=Network(
        "transt50",
        channels=256,
        heads=8,
        hidden=2048,
        fusion_layers=4,
        dropout=0.1,  # without it a step takes a third of the time on a CPU, whose fused attention has none
        pretrained="imagenet",
    ),
    sampler=Sampler("tracking", max_gap=100, frame_sample_mode="interval"),
    processing=Processing(
        "template_search",
        template=CropJitter(size=128, factor=2.0, center_jitter=0.0, scale_jitter=0.0),
        search=CropJitter(size=256, factor=4.0, center_jitter=3.0, scale_jitter=0.25),
        transform=Augmentation(brightness=0.2),
        joint_transform=Augmentation(gray=0.05),
    ),
    actor=Actor("transt", objective=TransTLossWeights(classification=8.334, l1=5.0, giou=2.0, background=1 / 16)),
    optimizer=Optimizer("adamw", learning_rate=1e-4, rates={"backbone": 1e-5}, weight_decay=1e-4),
    schedule=Schedule(
        epochs=1000,
        samples_per_epoch=38_000,
        batch_size=38,
        decay="epochs",
        decay_epochs=(500,),
        decay_factor=0.1,
    ),
    score=Score("tracking_auc", videos=60, frames=100, interval=10, parameters="transt/transt50"),
    runtime=Runtime(),
    frozen_norm=False,
    tracker="transt",
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
