"""What progressive learning computes with the network between epochs: neighbours, and pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import torch

from ltr.engine.hooks import Hook
from ltr.engine.progress import say
from ltr.models.tracking import SiamFCNet
from socl_plugins.progressive.sampler import AnchorSampler, MinedPairs

if TYPE_CHECKING:
    from ltr.engine import LTRTrainer
    from socl_plugins.progressive.actor import ProgressiveActor

LOADER_NAME = "mined"  # the number's place beside those of the loaders


class RefreshNeighbours(Hook):
    """Computes all features anew every few epochs, and with them the mini-batches until the next time.

    Args:
        sampler: gets them.
        embed: network -> features (P, C) of all patches, unit vectors.
        every: epochs between two times.
    """

    def __init__(self, sampler: AnchorSampler, embed: Callable[[SiamFCNet], torch.Tensor], every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"features are refreshed every {every} epochs; it must be at least 1")
        self.sampler = sampler
        self.embed = embed
        self.every = every

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Refreshes, if it is time, or if a resumed run lacks the neighbours of the epoch."""
        epoch = trainer.epoch - 1
        since = epoch % self.every
        if since == 0 or not self.sampler.covers(epoch):
            self.sampler.refresh(self.embed(cast(SiamFCNet, trainer.net)), epoch, self.every - since)

    def state_dict(self) -> dict[str, Any]:
        """Returns the mini-batches: a network that has learned on would choose others."""
        return self.sampler.neighbour_state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the mini-batches."""
        self.sampler.load_neighbour_state(state)


class MinePairs(Hook):
    """Mines pairs at the start of each round, and has the actor learn from them from the first one on.

    Args:
        sampler: draws from the pairs.
        actor: learns correspondence where there are pairs.
        mine: network, number of the round from 1 -> pairs.
        rounds: epochs, from 1 and rising, at whose start pairs are mined.
    """

    def __init__(
        self,
        sampler: AnchorSampler,
        actor: ProgressiveActor,
        mine: Callable[[SiamFCNet, int], MinedPairs],
        rounds: tuple[int, ...],
    ) -> None:
        self.sampler = sampler
        self.actor = actor
        self.mine = mine
        self.rounds = rounds

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Mines, if a round starts."""
        if trainer.epoch in self.rounds:
            number = self.rounds.index(trainer.epoch) + 1
            self.sampler.pairs = self.mine(self.actor.net, number)
            say(f"round {number}: {len(self.sampler.pairs)} pairs of {len(self.sampler.patches)} patches")
        self.actor.correspond = trainer.epoch >= min(self.rounds, default=trainer.max_epochs + 1)
        trainer.record(LOADER_NAME, "pairs", len(self.sampler.pairs))

    def state_dict(self) -> dict[str, Any]:
        """Returns the pairs."""
        pairs = self.sampler.pairs
        return {name: torch.from_numpy(getattr(pairs, name)) for name in ("patch", "frame", "box")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the pairs."""
        self.sampler.pairs = MinedPairs(*(state[name].numpy() for name in ("patch", "frame", "box")))
