"""What recipes on pairs of frames share: hyper-parameters, one schedule, the loader and the run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import torch

from ltr.actors.base_actor import BaseActor
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError
from ltr.data.loader import LTRLoader
from ltr.data.processing import PairAugmentation
from ltr.data.sampler import Processing, TrackingSampler
from ltr.data.transforms import Blur, ColorJitter, Compose, Grayscale, HorizontalFlip
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.engine import Hook, TrainingResult, distributed
from ltr.models.tracking import SiamFCNet
from ltr.training.scored import ScoredConfig, placed, train_scored


@dataclass
class PairConfig(ScoredConfig):
    """Hyper-parameters of every recipe that learns from pairs of frames of a video; a subclass says of which network.

    Attributes:
        pretrained: weights to start from: none, for random ones, or a file. The norm layers of such weights keep their
            statistics.
        max_gap: how many frames apart the two frames of a pair may be.
        decay_epochs: the learning rate falls to a tenth after these epochs; none: it follows a cosine to zero.
        augment_apart: share of the pairs whose frames are mirrored and coloured independently of each other.
    """

    paper_weights: ClassVar[str | None] = None  # where the paper's run starts
    pretrained: str | None = None
    max_gap: int = 50
    decay_epochs: tuple[int, ...] = ()
    augment_apart: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_counts("max_gap")
        if min(self.decay_epochs, default=1) < 1:
            raise SettingsError("decay_epochs count from 1")

    def build_network(self, *, projection: bool = False, calibrated: bool = False) -> SiamFCNet:
        """Returns the network to learn; the arguments are those of :class:`SiamFCNet`."""
        raise NotImplementedError(f"{type(self).__name__} does not say which network is to be learned")


P = TypeVar("P", bound=PairConfig)


def scheduled(config: P, env: Environment) -> P:
    """Returns ``config`` with SoCL's schedule (section 4.1) where GOT-10k is set, else one of minutes on two CPU cores.

    The processes of a distributed run share a batch. The paper does not say how many pairs an epoch has: here, one for
    each of GOT-10k's 9,335 videos.
    """
    processes = distributed.world_size()
    schedule: dict[str, Any] = {
        "epochs": 4,
        "samples_per_epoch": 720,
        "batch_size": max(12 // processes, 1),
        "num_workers": 1,
        "learning_rate": 1e-3,
        "score_interval": 2,
        "average_decay": 0.98,
    }
    if env.got10k_dir is not None:
        schedule |= {
            "pretrained": config.paper_weights,
            "epochs": 1000,
            "samples_per_epoch": 9335,
            "batch_size": max(96 // processes, 1),
            "num_workers": min(8, os.cpu_count() or 1),
            "learning_rate": 3e-4,
            "decay_epochs": (500,),
            "score_interval": 10,
            "held_out_videos": 60,
            "held_out_frames": 100,
        }
    return replace(config, **schedule)


def train_pairs(
    settings: Settings,
    config: PairConfig,
    actor: BaseActor,
    loader: LTRLoader,
    hooks: Iterable[Hook] = (),
    *,
    find_unused_parameters: bool = False,
) -> TrainingResult:
    """Trains an actor's network with Adam and returns how it tracks held-out videos before and after.

    Args:
        settings: of the run.
        config: the recipe's hyper-parameters.
        actor: the learning step; its network is a :class:`ltr.models.tracking.SiamFCNet`.
        loader: the pairs.
        hooks: called before the held-out score.
        find_unused_parameters: see :class:`ltr.engine.LTRTrainer`.
    """
    optimizer = torch.optim.Adam(placed(actor.net, settings.device).parameters(), config.learning_rate)
    return train_scored(
        settings,
        config,
        actor,
        loader,
        optimizer,
        learning_rate_schedule(optimizer, config, len(loader)),
        "siamfc",
        hooks,
        scheduler_interval="step",
        find_unused_parameters=find_unused_parameters,
    )


def pair_loader(dataset: BaseVideoDataset, processing: Processing, config: PairConfig, seed: int = 0) -> LTRLoader:
    """Returns batches of pairs of frames of a video.

    Args:
        dataset: the videos.
        processing: what the network sees of a pair.
        config: of the run.
        seed: of everything that is drawn.
    """
    sampler = TrackingSampler(
        [dataset],
        samples_per_epoch=config.samples_per_epoch,
        max_gap=config.max_gap,
        processing=processing,
        frame_sample_mode="interval",
        seed=seed,
    )
    return LTRLoader("train", sampler, batch_size=config.batch_size, num_workers=config.num_workers)


def augmentation(config: PairConfig) -> PairAugmentation:
    """Returns how the crops of a pair are mirrored, coloured and blurred."""
    return PairAugmentation(
        own=Compose(ColorJitter(0.2, 0.2), Blur(1.5, 0.2)),
        joint=Compose(HorizontalFlip(), ColorJitter(0.2, 0.2, 0.3), Grayscale(0.2)),
        apart=config.augment_apart,
    )


def learning_rate_schedule(
    optimizer: torch.optim.Optimizer, config: PairConfig, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Returns the schedule, stepped once a training step: tenths after ``decay_epochs``, or a cosine to zero."""
    total = config.epochs * steps_per_epoch
    if config.decay_epochs:
        milestones = [epoch * steps_per_epoch for epoch in config.decay_epochs]
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / total, 1)))
    )
