"""TransT on a ResNet-50, trained with boxes (Chen et al., CVPR 2021)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from ltr.actors.transt import TransTActor
from ltr.admin import distributed
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError, TrainConfig
from ltr.data.loader import LTRLoader
from ltr.data.processing import CropJitter, TemplateSearchProcessing
from ltr.data.sampler import TrackingSampler
from ltr.data.transforms import ColorJitter, Compose, Grayscale, HorizontalFlip
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.defaults import held_out_videos, training_videos
from ltr.dataset.named import EMBEDDED_VIDEOS, open_dataset
from ltr.models.builder import build_network
from ltr.models.loss.transt import TransTLossWeights
from ltr.registry import DATASETS, HELD_OUT_SCORES
from ltr.trainers import HeldOutScore, LTRTrainer, TrainingResult, WeightAverage
from ltr.trainers.hooks import Hook

OTHER_SETS = ("lasot", "trackingnet", "coco")
"""What the paper learns from besides GOT-10k."""


@dataclass
class TransTConfig(TrainConfig):
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
        other_sets: data sets besides GOT-10k, each drawn as often as it; those that are not set are left out.
        videos: embedded videos to learn from.
        held_out_videos: videos of the held-out score.
        held_out_frames: frames of each that are tracked.
        tracker_parameters: the parameter set that the held-out score tracks with.
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
    videos: int = EMBEDDED_VIDEOS
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
        for name in ("max_gap", "videos", "held_out_videos", "hidden", "fusion_layers"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}, but must be at least 1")
        if self.held_out_frames < 2:
            raise SettingsError(f"held_out_frames is {self.held_out_frames}; tracking needs 2 at the least")


def default_config(env: Environment) -> TransTConfig:
    """Returns the paper's schedule where GOT-10k is set, else one of a few minutes on two CPU cores.

    The paper's: 1,000 epochs of 1,000 steps of 38 pairs, a tenth of the learning rate after 500. The processes of a
    distributed run share a step.
    """
    processes = distributed.world_size()
    if env.got10k_dir is None:
        return TransTConfig(epochs=2, samples_per_epoch=48, batch_size=max(4 // processes, 1), num_workers=1)
    return TransTConfig(
        pretrained="imagenet",
        epochs=1000,
        samples_per_epoch=38_000,
        batch_size=max(38 // processes, 1),
        num_workers=min(8, os.cpu_count() or 1),
        decay_epochs=(500,),
        other_sets=OTHER_SETS,
        score_interval=10,
        held_out_videos=60,
        held_out_frames=100,
    )


def run(settings: Settings) -> TrainingResult:
    """Trains TransT on GOT-10k and what is set of LaSOT, TrackingNet and COCO, or on the embedded videos."""
    config = settings.configure(default_config(settings.env))
    return train(settings, config, training_sets(settings.env, config))


def training_sets(env: Environment, config: TransTConfig) -> list[BaseVideoDataset]:
    """Returns the data sets to learn from; those that are left out are named."""
    sets = [training_videos(env, config.videos)]
    missing = []
    for name in config.other_sets:
        if name in DATASETS and getattr(env, f"{name}_dir", None) is not None:
            sets.append(open_dataset(name, env))
        else:
            missing.append(name)
    if missing and distributed.is_main():
        print(f"not set on this machine, so not learned from: {', '.join(missing)}")
    return sets


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
    net.to(settings.device)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    loader = training_loader(datasets, config, settings.seed)
    rates = (config.learning_rate, config.learning_rate * config.backbone_rate)
    parts = (net.other_parameters(), net.backbone_parameters())  # type: ignore[operator]
    groups = [{"params": part, "lr": rate} for part, rate in zip(parts, rates)]
    optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
    average = WeightAverage(config.average_decay) if config.average_decay is not None else None
    score = HELD_OUT_SCORES["tracking_auc"](
        held_out_videos(settings.env, config.held_out_videos, config.held_out_frames),
        max_frames=config.held_out_frames,
        parameter_set=config.tracker_parameters,
    )
    held_out = HeldOutScore(score, "AUC", config.score_interval, average)
    trainer = LTRTrainer(
        TransTActor(net, config.loss, frozen_norm=config.pretrained is not None),
        [loader],
        optimizer,
        settings,
        torch.optim.lr_scheduler.MultiStepLR(optimizer, list(config.decay_epochs)),
        hooks=[*([average] if average else []), *hooks, held_out],
    )
    result = trainer.train(config.epochs)
    result.next_command = f"pytracking/run_tracker.py transt {settings.script_name} --dataset_name synthetic"
    return result


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
