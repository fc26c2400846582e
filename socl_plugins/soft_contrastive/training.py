"""What every SoCL recipe does: clicks, TOP maps, pairs of crops, the loss, and a held-out tracking score."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ltr.admin import distributed
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError, TrainConfig
from ltr.data.loader import LTRLoader
from ltr.data.sampler import TrackingSampler
from ltr.data.transforms import Blur, ColorJitter, Compose, Grayscale, HorizontalFlip
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.defaults import held_out_videos, training_videos
from ltr.dataset.named import EMBEDDED_VIDEOS
from ltr.models.builder import build_network
from ltr.registry import HELD_OUT_SCORES
from ltr.trainers import HeldOutScore, LTRTrainer, TrainingResult, WeightAverage
from pytracking.registry import PARAMETERS
from socl_plugins.labels import FewerFrames, PointAnnotated, WithinBudget, dataset_labels
from socl_plugins.labels.cost_hook import LabelCost
from socl_plugins.soft_contrastive.actor import SoCLActor
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings
from socl_plugins.soft_contrastive.processing import CropSettings, SoftContrastiveProcessing
from socl_plugins.top_map import ObjectnessAnnotated, ProposalSettings
from socl_plugins.top_map.store import open_reader, store_name


@dataclass
class SoCLConfig(TrainConfig):
    """Hyper-parameters of a SoCL recipe; the defaults are the short schedule for the embedded videos.

    Attributes:
        output_layer: the backbone's layer whose features are learned and compared.
        pretrained: weights to start from: none, ``imagenet`` or a file.
        border: feature cells dropped on each side.
        noise_px: shift of the clicks in pixels; the same for every seed of a run, since clicks are made once.
        budget_hours: learn from as many whole videos as so many hours of annotation are enough for; none: from all.
        budget_seed: of the choice of videos, and of frames.
        frame_part: the part of each video's frames whose clicks are used.
        max_gap: how many frames apart the two frames of a pair may be.
        decay_epochs: the learning rate falls to a tenth after these epochs; none: it follows a cosine to zero.
        videos: embedded videos to learn from.
        held_out_videos: videos of the held-out score.
        held_out_frames: frames of each that are tracked.
        tracker_parameters: the parameter set of SiamFC that the held-out score tracks with.
        augment_apart: share of the pairs whose frames are mirrored and coloured independently of each other.
        store: folder of stored proposals, as ``python -m socl_plugins.top_map build`` writes them; by default
            ``top_maps`` in the workspace; ``none``: no store is read, whatever is there.
        prepare_frames: in a data set of so many frames at most, the proposals that are not stored are computed before
            training and kept in memory.
        loss: what the loss is made of.
        crop: what the network sees of a frame.
        proposals: what TOP maps are made of.
    """

    output_layer: str = "layer2"
    pretrained: str | None = None
    border: int = 3
    noise_px: float = 0.0
    budget_hours: float | None = None
    budget_seed: int = 0
    frame_part: float = 1.0
    max_gap: int = 50
    decay_epochs: tuple[int, ...] = ()
    videos: int = EMBEDDED_VIDEOS
    held_out_videos: int = 12
    held_out_frames: int = 50
    tracker_parameters: str = "siamfc/socl_res18"
    augment_apart: float = 0.0
    store: str = "top_maps"
    prepare_frames: int = 20_000
    loss: SoftContrastiveSettings = field(default_factory=SoftContrastiveSettings)
    crop: CropSettings = field(default_factory=CropSettings)
    proposals: ProposalSettings = field(default_factory=ProposalSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_gap", "videos", "held_out_videos"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} is {getattr(self, name)}, but must be at least 1")
        if self.held_out_frames < 2:
            raise SettingsError(f"held_out_frames is {self.held_out_frames}; tracking needs 2 at the least")
        if self.border < 0 or self.prepare_frames < 0 or min(self.decay_epochs, default=1) < 1:
            raise SettingsError("border and prepare_frames must not be negative, and decay_epochs count from 1")


def default_config(env: Environment) -> SoCLConfig:
    """Returns the paper's schedule (section 4.1) where GOT-10k is set, else one of a few minutes on two CPU cores.

    The processes of a distributed run share a batch.
    The frames of a pair share their augmentation among the embedded videos, where often only its colour tells a target
    from others of its kind; on real video, where light changes, they do not. Which is better there is not settled.
    The paper does not say how many pairs an epoch has: here, one for each of GOT-10k's 9,335 videos.
    """
    processes = distributed.world_size()
    if env.got10k_dir is None:
        return SoCLConfig(
            epochs=4,
            samples_per_epoch=720,
            batch_size=max(12 // processes, 1),
            num_workers=1,
            learning_rate=1e-3,
            score_interval=2,
            average_decay=0.98,
        )
    return SoCLConfig(
        pretrained="imagenet",
        augment_apart=1.0,
        epochs=1000,
        samples_per_epoch=9335,
        batch_size=max(96 // processes, 1),
        num_workers=min(8, os.cpu_count() or 1),
        learning_rate=3e-4,
        decay_epochs=(500,),
        score_interval=10,
        held_out_videos=60,
        held_out_frames=100,
        average_decay=0.98,
    )


def train_with(settings: Settings, **loss: Any) -> TrainingResult:
    """Trains with :func:`default_config` and these changes of the loss; what ``--set`` says comes last."""
    config = default_config(settings.env)
    return train(settings, settings.configure(replace(config, loss=replace(config.loss, **loss))))


def train(settings: Settings, config: SoCLConfig) -> TrainingResult:
    """Trains a network from clicks and returns how it tracks held-out videos before and after."""
    net = build_network(
        "siamfc_resnet18", output_layer=config.output_layer, border=config.border, pretrained=config.pretrained
    )
    stride = int(net.stride)  # type: ignore[arg-type]  # of whatever network was named
    dataset = training_clicks(settings.env, config)
    if has_at_most(dataset, config.prepare_frames):
        dataset.prepare(progress=distributed.is_main())
    loader = training_loader(dataset, config, stride, settings.seed)
    net.to(settings.device)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(net.parameters(), config.learning_rate)
    average = WeightAverage(config.average_decay) if config.average_decay is not None else None
    score = HELD_OUT_SCORES["tracking_auc"](
        held_out_videos(settings.env, config.held_out_videos, config.held_out_frames),
        max_frames=config.held_out_frames,
        params=PARAMETERS[config.tracker_parameters](),
    )
    held_out = HeldOutScore(score, "AUC", config.score_interval, average)
    trainer = LTRTrainer(
        SoCLActor(net, config.loss, frozen_norm=config.pretrained is not None),
        [loader],
        optimizer,
        settings,
        learning_rate_schedule(optimizer, config, len(loader)),
        hooks=[*([average] if average else []), LabelCost(dataset_labels(dataset)), held_out],
        scheduler_interval="step",
    )
    result = trainer.train(config.epochs)
    result.next_command = f"pytracking/run_tracker.py siamfc {settings.script_name} --dataset_name synthetic"
    return result


def training_loader(dataset: BaseVideoDataset, config: SoCLConfig, stride: int, seed: int = 0) -> LTRLoader:
    """Returns batches of augmented pairs of crops with their TOP maps, for a network of that stride.

    Args:
        dataset: shows ``point`` and ``proposals``.
        config: of the run.
        stride: image pixels for one feature cell.
        seed: of everything that is drawn.
    """
    joint = Compose(HorizontalFlip(), ColorJitter(0.2, 0.2, 0.3), Grayscale(0.2))
    own = Compose(ColorJitter(0.2, 0.2), Blur(1.5, 0.2))
    sampler = TrackingSampler(
        [dataset],
        samples_per_epoch=config.samples_per_epoch,
        max_gap=config.max_gap,
        processing=SoftContrastiveProcessing(config.crop, stride, config.border, own, joint, config.augment_apart),
        frame_sample_mode="interval",
        seed=seed,
    )
    return LTRLoader("train", sampler, batch_size=config.batch_size, num_workers=config.num_workers)


def training_clicks(env: Environment, config: SoCLConfig) -> ObjectnessAnnotated:
    """Returns the training videos with clicks and proposals, stored ones where there is a store of them."""
    clicks: BaseVideoDataset = PointAnnotated(training_videos(env, config.videos), config.noise_px)
    if config.budget_hours is not None:
        clicks = WithinBudget(clicks, config.budget_hours, config.budget_seed)
    if config.frame_part != 1:
        clicks = FewerFrames(clicks, config.frame_part, config.budget_seed)
    store = None
    if config.store != "none":
        folder = env.workspace_dir / config.store
        if config.store != SoCLConfig.store and not folder.is_dir():
            raise SettingsError(f"store is {config.store}, but there is no folder {folder}; none: read no store")
        store = open_reader(folder, store_name(clicks), config.proposals, config.noise_px)
        if store is not None and distributed.is_main():
            print(f"TOP maps: {len(store)} frames are stored in {store.path}")
    return ObjectnessAnnotated(clicks, config.proposals, store)


def has_at_most(dataset: BaseVideoDataset, frames: int) -> bool:
    """Returns whether a data set has no more frames than that, without looking further than it must."""
    total = 0
    for video in range(len(dataset)):
        total += len(dataset.get_sequence_info(video)["visible"])
        if total > frames:
            return False
    return True


def learning_rate_schedule(
    optimizer: torch.optim.Optimizer, config: SoCLConfig, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Returns the schedule, stepped once a training step: tenths after ``decay_epochs``, or a cosine to zero."""
    total = config.epochs * steps_per_epoch
    if config.decay_epochs:
        milestones = [epoch * steps_per_epoch for epoch in config.decay_epochs]
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones)
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / total, 1)))
    )
