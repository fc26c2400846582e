"""Learns to add two numbers: a complete plugin with a network, a data set and a recipe."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import Dataset

from ltr.actors.base_actor import BaseActor
from ltr.admin.settings import Settings, TrainConfig
from ltr.data.loader import LTRLoader
from ltr.data.tensordict import TensorDict
from ltr.engine import HeldOutScore, Hook, LTRTrainer, TrainingResult, WeightAverage, distributed
from ltr.models.builder import build_network
from ltr.registry import NETWORKS, TRAIN_SETTINGS

SAMPLES = 32


class ToyNet(nn.Module):
    """Two layers, with as many sources of state as asked for: batch norm (buffers), dropout (random numbers)."""

    def __init__(self, width: int = 4, dropout: float = 0.0, norm: bool = False) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, width)
        self.norm = nn.BatchNorm1d(width) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, 1)

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        return self.out(self.dropout(torch.tanh(self.norm(self.hidden(pairs)))))[:, 0]


@NETWORKS.register("toy")
def toy(width: int = 4, dropout: float = 0.0, norm: bool = False) -> ToyNet:
    return ToyNet(width, dropout, norm)


class Sums(Dataset[TensorDict]):
    """Sample k: two numbers that k alone decides, and their sum."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> TensorDict:
        time.sleep(self.delay)
        pair = np.random.default_rng((0, index)).normal(size=2).astype(np.float32)
        return TensorDict(pair=pair, sum=pair.sum())


class ToyActor(BaseActor):
    """The squared error; ``spoil(loss, call)`` may change it."""

    def __init__(self, net: nn.Module, spoil: Callable[[torch.Tensor, int], torch.Tensor] | None = None) -> None:
        super().__init__(net)
        self.spoil = spoil
        self.calls = 0

    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        self.calls += 1
        loss = (self.net(data.pair) - data.sum).square().mean()
        if self.spoil:
            loss = self.spoil(loss, self.calls)
        return loss, {"Loss/total": loss.item()}


@dataclass
class ToyConfig(TrainConfig):
    epochs: int = 3
    amp: bool | None = False  # the same numbers on every machine
    batch_size: int = 8
    learning_rate: float = 0.1
    momentum: float = 0.9
    width: int = 4
    dropout: float = 0.0
    norm: bool = False
    delay: float = 0.0
    error: str = ""


def score_of(net: nn.Module) -> float:
    """Returns minus the error at 1 + 1."""
    device = next(net.parameters()).device
    return -float((net(torch.ones(1, 2, device=device)) - 2).abs())


def build(
    settings: Settings,
    config: ToyConfig | None = None,
    *,
    scored: bool = True,
    spoil: Callable[[torch.Tensor, int], torch.Tensor] | None = None,
    hooks: Sequence[Hook] = (),
    validation: bool = False,
) -> LTRTrainer:
    """Returns a trainer, with everything that an exact resume has to care for."""
    config = settings.configure(config or ToyConfig())
    net = build_network("toy", width=config.width, dropout=config.dropout, norm=config.norm)
    optimizer = torch.optim.SGD(net.parameters(), lr=config.learning_rate, momentum=config.momentum)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda count: 0.9 ** (count * count))
    loaders = [LTRLoader("train", Sums(config.delay), batch_size=config.batch_size, num_workers=config.num_workers)]
    if validation:
        loaders.append(LTRLoader("val", Sums(), training=False, batch_size=16, epoch_interval=2))
    average = [WeightAverage(config.average_decay)] if config.average_decay else []
    score = [HeldOutScore(score_of, "AUC", config.score_interval, average[0] if average else None)] if scored else []
    return LTRTrainer(ToyActor(net, spoil), loaders, optimizer, settings, scheduler, [*average, *score, *hooks])


@TRAIN_SETTINGS.register("toy/sums")
def run(settings: Settings) -> TrainingResult:
    """Learns to add two numbers."""
    config = settings.configure(ToyConfig())
    if config.error:
        raise {"value": ValueError, "unknown": ZeroDivisionError}[config.error]("the recipe said so")
    trainer = build(settings)
    result = trainer.train(config.epochs)
    directory = os.environ.get("TOY_WEIGHTS")
    if directory:
        torch.save(trainer.net.state_dict(), Path(directory) / f"rank{distributed.rank()}.pth")
    result.next_command = "python add.py"
    return result
