"""TransT on a ResNet-50, trained with boxes (Chen et al., CVPR 2021)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from ltr.actors.transt import TransTActor
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError
from ltr.data.loader import LTRLoader
from ltr.data.processing import CropJitter, TemplateSearchProcessing
from ltr.data.sampler import TrackingSampler
from ltr.data.transforms import ColorJitter, Compose, Grayscale, HorizontalFlip
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.defaults import PAPER_SETS, sets_here, training_sets
from ltr.engine import Hook, TrainingResult, distributed
from ltr.models.builder import build_network
from ltr.models.loss.transt import TransTLossWeights
from ltr.training.scored import ScoredConfig, placed, train_scored


@dataclass
class TransTConfig(ScoredConfig):
    """Hyper-parameters of TransT; the defaults are the short schedule for the embedded videos.

    Attributes:
        network: the registered network.
        pretrained: where the backbone starts: none, ``imagenet`` or a file.
        backbone_rate: the backbone's learning rate over that of the rest.
        weight_decay: of AdamW.
        decay_epochs: learning rates fall to a tenth after these epochs.
        hidden: width of the fusion's feed-forward networks.
        fusion_layers: their number.
        dropout: in the fusion. Without it a step takes a third of the time on a CPU, whose fused attention has none.
        max_gap: how many frames apart template and search frame may be.
        other_sets: data sets besides GOT-10k, each drawn as often; of all of them, those that are not set are left out.
        template: the crop that shows what to look for.
        search: the crop that it is looked for in.
        loss: weights of its parts.
    """

    network: Literal["transt50", "transt18"] = "transt50"
    pretrained: str | None = None
    backbone_rate: float = 0.1
    weight_decay: float = 1e-4
    decay_epochs: tuple[int, ...] = ()
    hidden: int = 2048
    fusion_layers: int = 4
    dropout: float = 0.1
    max_gap: int = 100
    other_sets: tuple[str, ...] = ()
    held_out_videos: int = 2
    held_out_frames: int = 20
    tracker_parameters: str = "transt/transt50"
    template: CropJitter = field(default_factory=lambda: CropJitter(128, 2.0))
    search: CropJitter = field(default_factory=lambda: CropJitter(256, 4.0, center_jitter=3.0, scale_jitter=0.25))
    loss: TransTLossWeights = field(default_factory=TransTLossWeights)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"dropout is {self.dropout}; it is a share, at least 0 and below 1")
        self.check_counts("max_gap", "hidden", "fusion_layers")


def default_config(env: Environment, other_sets: tuple[str, ...] = PAPER_SETS) -> TransTConfig:
    """Returns the paper's schedule where a data set is set, else one of a few minutes on two CPU cores.

    The paper's: 1,000 epochs of 1,000 steps of 38 pairs, a tenth of the learning rate after 500. The processes of a
    distributed run share a step.

    Args:
        env: says which data sets are set.
        other_sets: those that the recipe may learn from besides GOT-10k.
    """
    processes = distributed.world_size()
    if not sets_here(env, ("got10k", *other_sets)):
        return TransTConfig(epochs=2, samples_per_epoch=48, batch_size=max(4 // processes, 1), num_workers=1)
    return TransTConfig(
        pretrained="imagenet",
        epochs=1000,
        samples_per_epoch=38_000,
        batch_size=max(38 // processes, 1),
        num_workers=min(8, os.cpu_count() or 1),
        decay_epochs=(500,),
        other_sets=other_sets,
        score_interval=10,
        held_out_videos=60,
        held_out_frames=100,
    )


def run(settings: Settings) -> TrainingResult:
    """Trains TransT on what is set of GOT-10k, LaSOT, TrackingNet and COCO, or on the embedded videos."""
    config = settings.configure(default_config(settings.env))
    return train(settings, config, training_sets(settings.env, config.videos, config.other_sets))


def train(
    settings: Settings, config: TransTConfig, datasets: Sequence[BaseVideoDataset], hooks: Sequence[Hook] = ()
) -> TrainingResult:
    """Trains TransT and returns how it tracks held-out videos before and after.

    Args:
        settings: of the run.
        config: of the recipe, as ``settings.configure`` returned it.
        datasets: show ``bbox``; each is drawn equally often.
        hooks: more of them.
    """
    net = build_network(
        config.network,
        hidden=config.hidden,
        fusion_layers=config.fusion_layers,
        dropout=config.dropout,
        pretrained=config.pretrained,
    )
    placed(net, settings.device)
    rates = (config.learning_rate, config.learning_rate * config.backbone_rate)
    parts = (net.other_parameters(), net.backbone_parameters())  # type: ignore[operator]
    groups = [{"params": part, "lr": rate} for part, rate in zip(parts, rates)]
    optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
    return train_scored(
        settings,
        config,
        TransTActor(net, config.loss, frozen_norm=config.pretrained is not None),
        training_loader(datasets, config, settings.seed),
        optimizer,
        torch.optim.lr_scheduler.MultiStepLR(optimizer, list(config.decay_epochs)),
        "transt",
        hooks,
    )


def training_loader(datasets: Sequence[BaseVideoDataset], config: TransTConfig, seed: int = 0) -> LTRLoader:
    """Returns batches of augmented pairs of template and search crops with their boxes."""
    processing = TemplateSearchProcessing(
        config.template,
        config.search,
        transform=ColorJitter(0.2),
        joint_transform=Compose(HorizontalFlip(), Grayscale(0.05)),
    )
    sampler = TrackingSampler(
        datasets,
        [1.0] * len(datasets),
        samples_per_epoch=config.samples_per_epoch,
        max_gap=config.max_gap,
        processing=processing,
        frame_sample_mode="interval",
        seed=seed,
    )
    return LTRLoader("train", sampler, batch_size=config.batch_size, num_workers=config.num_workers)
