"""SoCL-Siam: a ResNet-18 that learns from single clicks what a Siamese tracker compares (SoCL, section 4.1)."""

from __future__ import annotations

from ltr.config import Data, Optimizer, Recipe, Runtime, Schedule, Score
from ltr.config.part import Actor, Labels, Network, Processing, RunHook, Sampler
from ltr.data.augmentation import Augmentation
from ltr.data.processing import PairAugmentation
from socl_plugins.clicks.budget import Budget
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings
from socl_plugins.soft_contrastive.processing import TopMapCropSettings
from socl_plugins.soft_contrastive.response import ResponseSettings
from socl_plugins.top_map.propose import ProposalSettings

RECIPE = Recipe(
    data=Data(
        sets=("got10k_train",),
        embedded_videos=48,
        labels=Labels(
            "clicks",
            noise_px=0.0,
            budget=Budget(hours=None, part=None, frame_part=1.0),
            proposals=ProposalSettings(5000, edge_count=1000, edge_radius=30.0, nms_threshold=0.7, keep=64),
            store="top_maps",
            prepare_frames=20_000,
        ),
    ),
    network=Network(
        "siamfc_resnet18",
        output_layer="layer2",
        stride=8,
        border=3,
        normalise=True,
        projection=False,  # a head that tracking leaves out (section J)
        pretrained="imagenet",
    ),
    sampler=Sampler("tracking", max_gap=50, frame_sample_mode="interval"),
    processing=Processing(
        "soft_contrastive",
        crop=TopMapCropSettings(size=192, search_factor=3.0, scale_jitter=0.2, shift=0.25, eta=0.1, temperature=0.25),
        augmentation=PairAugmentation(
            own=Augmentation(brightness=0.2, contrast=0.2, blur=1.5, blur_share=0.2),
            joint=Augmentation(flip=0.5, brightness=0.2, contrast=0.2, saturation=0.3, gray=0.2),
            apart=1.0,  # each frame of a pair is mirrored and colored on its own
        ),
    ),
    actor=Actor(
        "socl",
        objective=SoftContrastiveSettings(
            tau=0.07,
            background_temperature=0.05,
            theta_b=0.8,
            b_p=0.6,
            normalise=True,
            include_positive=False,
            use_negatives=True,
            use_mixing=True,
            use_local=True,
        ),
        response=ResponseSettings(weight=0.0, sigma=1.0, temperature=0.05),
    ),
    optimizer=Optimizer("adam", learning_rate=3e-4),
    schedule=Schedule(
        epochs=1000,
        samples_per_epoch=9335,  # a pair of each of GOT-10k's videos; the paper does not say how many
        batch_size=96,
        decay="epochs",
        decay_epochs=(500,),
        decay_factor=0.1,
        average_decay=0.98,
    ),
    score=Score("tracking_auc", videos=60, frames=100, interval=10),
    runtime=Runtime(),
    hooks={"sample_pictures": RunHook("sample_pictures", interval=10)},
    short={  # some minutes on two cores
        "network.pretrained": None,
        # Among the embedded videos often only its color tells a target from others of its kind.
        "processing.augmentation.apart": 0.0,
        "optimizer.learning_rate": 1e-3,
        "schedule.epochs": 4,
        "schedule.samples_per_video": 15,
        "schedule.samples_per_epoch": 1500,
        "schedule.batch_size": 12,
        "schedule.decay": "cosine",
        "score.videos": 12,
        "score.frames": 50,
        "score.interval": 2,
        "hooks.sample_pictures.interval": 2,
        "runtime.num_workers": 1,
    },
)
