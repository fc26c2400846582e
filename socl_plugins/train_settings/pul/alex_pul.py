"""AlexPUL: SiamFC's AlexNet, learned from video without any label (PUL, supplement).

Before the first round patches are told apart (background discrimination); from then on the network also learns where
the mined pairs are (temporal correspondence). Of these numbers the supplement gives the sizes of the crops. The
schedule is SoCL's, since PUL's is unknown.
"""

from __future__ import annotations

from ltr.config import Data, Optimizer, Recipe, Runtime, Schedule, Score
from ltr.config.part import Actor, Labels, Processing, RunHook, Sampler
from ltr.data.augmentation import Augmentation
from ltr.data.processing import CropSettings, PairAugmentation
from ltr.train_settings.siamfc import box_siam_alexnet
from socl_plugins.progressive.mining import MiningSettings
from socl_plugins.progressive.noise_robust import LabelNoise
from socl_plugins.progressive.patches import PatchSettings

RECIPE = Recipe(
    data=Data(sets=("got10k_train",), embedded_videos=48, labels=Labels("none")),
    network=box_siam_alexnet.NETWORK,
    sampler=Sampler(
        "anchor",
        patches=PatchSettings(
            frames=1, per_frame=2, side_range=(0.1, 0.35), overlap=0.3, candidates=100, frame_side=160
        ),
    ),
    processing=Processing(
        "progressive",
        crop=CropSettings(size=255, search_factor=4.0, scale_jitter=0.2, shift=0.2),  # SiamFC's own search crop
        template_size=127,
        augmentation=PairAugmentation(
            own=Augmentation(stretch=0.05, brightness=0.2, contrast=0.2, blur=1.5, blur_share=0.2),
            joint=Augmentation(flip=0.5, brightness=0.2, contrast=0.2, saturation=0.3, gray=0.2),
            apart=0.0,
        ),
    ),
    actor=Actor(
        "progressive",
        # A square patch is 64 pixels wide. Without a scale it is 30, or 1 for ``taylor``.
        noise=LabelNoise(crop_px=8.0, shifts=64, expansion="exact", scale=None),
        radius=2.0,
        tau=0.1,
        contrast=1.0,
    ),
    optimizer=Optimizer("adam", learning_rate=3e-4),
    schedule=Schedule(
        epochs=1000,
        samples_per_epoch=9335,
        batch_size=96,
        decay="epochs",
        decay_epochs=(500,),
        decay_factor=0.1,
        average_decay=0.98,
    ),
    score=Score("tracking_auc", videos=60, frames=100, interval=10),
    runtime=Runtime(),
    hooks={
        "mine_pairs": RunHook("mine_pairs", rounds=(251, 501, 751), mining=MiningSettings(hop=5, hops=3)),
        "refresh_neighbours": RunHook("refresh_neighbours", selection="neighbours", every=10),
    },
    short={  # some minutes on two cores; the search crop is smaller, at the same magnification
        "processing.crop.size": 192,
        "processing.crop.search_factor": 3.0,
        "optimizer.learning_rate": 1e-3,
        "schedule.epochs": 4,
        "schedule.samples_per_video": 5,
        "schedule.samples_per_epoch": 500,
        "schedule.batch_size": 12,
        "schedule.decay": "cosine",
        "score.videos": 12,
        "score.frames": 50,
        "score.interval": 2,
        "hooks.mine_pairs.rounds": (2, 3),
        "hooks.mine_pairs.mining.hops": 1,
        "hooks.refresh_neighbours.every": 1,
        "runtime.num_workers": 1,
    },
)
