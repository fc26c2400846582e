"""DiMP on a ResNet-18, trained with boxes (Bhat et al., ICCV 2019)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, cast

import torch
from torch import nn

from ltr.actors.dimp import DiMPActor, DiMPLossSettings
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError
from ltr.data.labels import LabelSettings
from ltr.data.loader import LTRLoader
from ltr.data.processing import CropJitter, DiMPProcessing
from ltr.data.proposals import IoUProposalSettings
from ltr.data.sampler import Processing, TrackingSampler
from ltr.data.transforms import ColorJitter, Grayscale, Transform
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.defaults import PAPER_SETS, sets_here, training_sets
from ltr.engine import Hook, TrainingResult, distributed
from ltr.models.builder import build_network
from ltr.models.tracking import DiMPNet
from ltr.models.tracking.dimpnet import OnlineLoss, OptimizerKind
from ltr.training.scored import ScoredConfig, placed, train_scored

# Learning rates over the configured one. The paper does not say them; these are those of its authors' release.
RATES = {
    "classifier.filter_initializer": 0.25,
    "classifier.filter_optimizer": 2.5,
    "classifier.feature_extractor": 0.25,
    "bb_regressor": 1.0,
    "feature_extractor": 0.1,
}


@dataclass
class DiMPConfig(ScoredConfig):
    """Hyper-parameters of DiMP; the defaults are the short schedule for the embedded videos.

    Attributes:
        network: the registered network.
        pretrained: where the backbone starts: none, ``imagenet`` or a file.
        frozen_backbone_layers: the backbone's layers that do not learn.
        optim_iter: recursions of the optimizer module; 0: the filter is the initializer's (table 1, Init).
        optimizer: see :func:`ltr.models.tracking.dimpnet.dimpnet18`; ``gradient`` is table 1's GD.
        initializer: likewise.
        online_loss: likewise.
        classification_block: whether the classifier has a convolutional block of its own before it (table 2, Cls).
        decay_interval: epochs after which learning rates fall to a fifth; none: they stay.
        max_gap: half of the segment's length in frames; train frames come from its first half.
        frames: train frames of a sample, and test frames.
        other_sets: data sets besides GOT-10k, each drawn as often; of all of them, those that are not set are left out.
        train_crop: crops of train frames.
        test_crop: crops of test frames.
        sigma: standard deviation of the label over the target's size.
        proposals: boxes to judge.
        loss: weights of its parts.
    """

    network: Literal["dimpnet18", "dimpnet50"] = "dimpnet18"
    pretrained: str | None = None
    frozen_backbone_layers: tuple[str, ...] = ()
    optim_iter: int = 5
    optimizer: OptimizerKind = "steepest"
    initializer: bool = True
    online_loss: OnlineLoss = "learned"
    classification_block: bool = True
    decay_interval: int | None = None
    max_gap: int = 30
    frames: int = 3
    other_sets: tuple[str, ...] = ()
    held_out_videos: int = 2
    held_out_frames: int = 20
    tracker_parameters: str = "dimp/dimp18"
    train_crop: CropJitter = field(default_factory=lambda: CropJitter(288, 5.0, center_jitter=3.0, scale_jitter=0.25))
    test_crop: CropJitter = field(default_factory=lambda: CropJitter(288, 5.0, center_jitter=4.5, scale_jitter=0.5))
    sigma: float = 0.25
    proposals: IoUProposalSettings = field(default_factory=IoUProposalSettings)
    loss: DiMPLossSettings = field(default_factory=DiMPLossSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_counts("max_gap", "frames")
        if self.optim_iter < 0:
            raise SettingsError(f"optim_iter is {self.optim_iter}, but must be at least 0")
        if self.decay_interval is not None:
            self.check_counts("decay_interval")
        if self.train_crop.size != self.test_crop.size or self.test_crop.size % 16:
            raise SettingsError("train_crop.size and test_crop.size must be one number, and a multiple of 16")


def default_config(env: Environment, other_sets: tuple[str, ...] = PAPER_SETS) -> DiMPConfig:
    """Returns the paper's schedule (section 3.6) where a data set is set, else one of a few minutes on two CPU cores.

    The paper's: 50 epochs of 20,000 samples, a fifth of the learning rates every 15 epochs. Batches of 26 are its
    authors' choice; the processes of a distributed run share one.

    Args:
        env: says which data sets are set.
        other_sets: those that the recipe may learn from besides GOT-10k.
    """
    processes = distributed.world_size()
    if not sets_here(env, ("got10k", *other_sets)):
        return DiMPConfig(
            epochs=2, samples_per_epoch=48, batch_size=max(4 // processes, 1), num_workers=1, learning_rate=2e-4
        )
    return DiMPConfig(
        pretrained="imagenet",
        epochs=50,
        samples_per_epoch=20_000,
        batch_size=max(26 // processes, 1),
        num_workers=min(8, os.cpu_count() or 1),
        learning_rate=2e-4,
        decay_interval=15,
        other_sets=other_sets,
        score_interval=5,
        held_out_videos=60,
        held_out_frames=100,
    )


def run(settings: Settings) -> TrainingResult:
    """Trains DiMP-18 on what is set of GOT-10k, LaSOT, TrackingNet and COCO, or on the embedded videos."""
    return train(settings, settings.configure(default_config(settings.env)))


def build_net(config: DiMPConfig) -> DiMPNet:
    """Returns the network to learn."""
    cells = config.test_crop.size // 16
    net = build_network(
        config.network,
        optim_iter=config.optim_iter,
        optimizer=config.optimizer,
        initializer=config.initializer,
        online_loss=config.online_loss,
        **({} if config.classification_block else {"clf_feat_blocks": None}),
        init_gauss_sigma=config.sigma / config.test_crop.factor * cells,
        frozen_backbone_layers=config.frozen_backbone_layers,
        pretrained=config.pretrained,
    )
    return cast(DiMPNet, net)


def train(
    settings: Settings,
    config: DiMPConfig,
    actor: DiMPActor | None = None,
    loader: LTRLoader | None = None,
    hooks: Iterable[Hook] = (),
) -> TrainingResult:
    """Trains DiMP and returns how it tracks held-out videos before and after.

    Args:
        settings: of the run.
        config: the recipe's hyper-parameters.
        actor: the learning step with its network; by default DiMP's own.
        loader: what is learned from; by default boxes of all data sets that are set.
        hooks: called before the held-out score.
    """
    actor = actor or DiMPActor(build_net(config), config.loss)
    if loader is None:
        datasets = training_sets(settings.env, config.videos, config.other_sets)
        loader = training_loader(datasets, config, settings.seed)
    net = placed(actor.net, settings.device)
    optimizer = torch.optim.Adam(parameter_groups(net, config.learning_rate), config.learning_rate)
    decay = torch.optim.lr_scheduler.StepLR(optimizer, config.decay_interval or config.epochs + 1, gamma=0.2)
    return train_scored(
        settings,
        config,
        actor,
        loader,
        optimizer,
        decay,
        "dimp",
        hooks,
        find_unused_parameters=True,  # the backbone's last layer and its ImageNet classifier
    )


def parameter_groups(net: nn.Module, rate: float) -> list[dict[str, object]]:
    """Returns the network's parameters that learn, each part with its learning rate."""
    return [
        {"params": [p for p in net.get_submodule(part).parameters() if p.requires_grad], "lr": rate * factor}
        for part, factor in RATES.items()
    ]


def processing_arguments(
    config: DiMPConfig,
) -> tuple[CropJitter, CropJitter, LabelSettings, IoUProposalSettings, Transform, Transform]:
    """Returns the arguments of :class:`DiMPProcessing`: crops, labels, boxes to judge and augmentation."""
    label = LabelSettings(config.test_crop.size // 16, config.sigma / config.test_crop.factor)
    return config.train_crop, config.test_crop, label, config.proposals, ColorJitter(0.2), Grayscale(0.05)


def training_loader(
    datasets: list[BaseVideoDataset], config: DiMPConfig, seed: int = 0, processing: Processing | None = None
) -> LTRLoader:
    """Returns batches of samples of train and test frames, with the dimension of frames first."""
    sampler = TrackingSampler(
        datasets,
        [1.0] * len(datasets),
        samples_per_epoch=config.samples_per_epoch,
        max_gap=config.max_gap,
        num_test_frames=config.frames,
        num_train_frames=config.frames,
        processing=processing or DiMPProcessing(*processing_arguments(config)),
        frame_sample_mode="segment",
        seed=seed,
    )
    return LTRLoader("train", sampler, batch_size=config.batch_size, num_workers=config.num_workers, stack_dim=1)
