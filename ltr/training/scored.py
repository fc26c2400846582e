"""The run that every recipe ends in: between epochs held-out videos are tracked, and that score chooses the weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from ltr.actors.base_actor import BaseActor
from ltr.admin.settings import Settings, SettingsError, TrainConfig
from ltr.data.loader import LTRLoader
from ltr.dataset.defaults import held_out_videos
from ltr.dataset.named import EMBEDDED_VIDEOS
from ltr.engine import HeldOutScore, Hook, LTRTrainer, TrainingResult, WeightAverage
from ltr.registry import HELD_OUT_SCORES, RUN_HOOKS


@dataclass
class ScoredConfig(TrainConfig):
    """Hyper-parameters of every recipe that is scored by tracking.

    Attributes:
        videos: embedded videos to learn from.
        held_out_videos: videos of the held-out score.
        held_out_frames: frames of each that are tracked.
        tracker_parameters: the parameter set that the held-out score tracks with; none: SiamFC's own, for its networks.
    """

    videos: int = EMBEDDED_VIDEOS
    held_out_videos: int = 12
    held_out_frames: int = 50
    tracker_parameters: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_counts("videos", "held_out_videos")
        if self.held_out_frames < 2:
            raise SettingsError(f"held_out_frames is {self.held_out_frames}; tracking needs 2 at the least")


def placed(net: nn.Module, device: torch.device) -> nn.Module:
    """Returns a network moved to where it learns, its weights in the order that convolutions are fastest with."""
    return net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def train_scored(
    settings: Settings,
    config: ScoredConfig,
    actor: BaseActor,
    loader: LTRLoader,
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
    tracker: str,
    hooks: Iterable[Hook] = (),
    *,
    scheduler_interval: Literal["epoch", "step"] = "epoch",
    find_unused_parameters: bool = False,
) -> TrainingResult:
    """Trains an actor's network and returns how it tracks held-out videos before and after.

    Args:
        settings: of the run.
        config: the recipe's hyper-parameters.
        actor: the learning step; its network is on the run's device, see :func:`placed`.
        loader: what is learned from.
        optimizer: of the network's parameters.
        scheduler: of the optimizer's learning rates.
        tracker: the family that tracks with the network, such as ``siamfc``; the user is told how.
        hooks: called before the held-out score. One of a class that is registered for every run is in that one's place.
        scheduler_interval: see :class:`ltr.engine.LTRTrainer`.
        find_unused_parameters: likewise.
    """
    own = list(hooks)
    registered = [RUN_HOOKS[name] for name in RUN_HOOKS]
    everywhere = [hook() for hook in registered if not any(isinstance(one, hook) for one in own)]
    average = WeightAverage(config.average_decay) if config.average_decay is not None else None
    score = HELD_OUT_SCORES["tracking_auc"](
        held_out_videos(settings.env, config.held_out_videos, config.held_out_frames),
        max_frames=config.held_out_frames,
        parameter_set=config.tracker_parameters,
    )
    held_out = HeldOutScore(score, "AUC", config.score_interval, average)
    trainer = LTRTrainer(
        actor,
        [loader],
        optimizer,
        settings,
        scheduler,
        hooks=[*([average] if average else []), *own, *everywhere, held_out],
        scheduler_interval=scheduler_interval,
        find_unused_parameters=find_unused_parameters,
    )
    result = trainer.train(config.epochs)
    result.next_command = f"pytracking/run_tracker.py {tracker} {settings.script_name} --dataset synthetic"
    return result
