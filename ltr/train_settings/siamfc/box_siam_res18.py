"""Box-Siam: SiamFC on ResNet-18, learned from boxes with SoCL's crops and schedule (SoCL, section 4.3)."""

from __future__ import annotations

from ltr.config import Data, Optimizer, Recipe, Runtime, Schedule, Score
from ltr.config.part import Actor, Labels, Network, Processing, Sampler
from ltr.data.augmentation import Augmentation
from ltr.data.processing import CropSettings, PairAugmentation

RECIPE = Recipe(
    data=Data(sets=("got10k_train",), embedded_videos=48, labels=Labels("boxes")),
    network=Network(
        "siamfc_resnet18",
        output_layer="layer2",
        stride=8,
        border=3,
        normalise=True,
        calibrated=True,  # cosine similarities become logits by a gain and a bias
        pretrained="imagenet",
    ),
    sampler=Sampler("tracking", max_gap=50, frame_sample_mode="interval"),
    # The magnification is the tracker's: a square target is 64 pixels wide in both crops. With crop.size=255 and
    # crop.search_factor=4 the search crop is the tracker's own; this one is as large as SoCL's crops. Its response ends
    # 32 pixels off its middle, so a target that is shifted farther would have no cell: the shift is smaller than
    # SoCL's.
    processing=Processing(
        "siamfc",
        crop=CropSettings(size=192, search_factor=3.0, scale_jitter=0.2, shift=0.15),
        template_size=127,
        augmentation=PairAugmentation(
            own=Augmentation(brightness=0.2, contrast=0.2, blur=1.5, blur_share=0.2),
            joint=Augmentation(flip=0.5, brightness=0.2, contrast=0.2, saturation=0.3, gray=0.2),
            apart=0.0,
        ),
    ),
    actor=Actor("siamfc", radius=2.0),
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
    short={  # some minutes on two cores
        "network.pretrained": None,
        "optimizer.learning_rate": 1e-3,
        "schedule.epochs": 4,
        "schedule.samples_per_video": 15,
        "schedule.samples_per_epoch": 1500,
        "schedule.batch_size": 12,
        "schedule.decay": "cosine",
        "score.videos": 12,
        "score.frames": 50,
        "score.interval": 2,
        "runtime.num_workers": 1,
    },
)
