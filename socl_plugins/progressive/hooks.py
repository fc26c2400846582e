"""What progressive learning computes with the network between epochs: neighbours, and pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, cast

import torch

from ltr.config.errors import SettingsError
from ltr.data.processing import SiamFCProcessing
from ltr.engine.hooks import Hook
from ltr.engine.progress import say
from ltr.models.tracking import SiamFCNet
from ltr.registry import HOOKS
from socl_plugins.progressive.actor import ProgressiveActor
from socl_plugins.progressive.mining import MiningSettings, mine_pairs
from socl_plugins.progressive.patches import embed_patches
from socl_plugins.progressive.sampler import AnchorSampler, MinedPairs

if TYPE_CHECKING:
    from ltr.engine import LTRTrainer

LOADER_NAME = "mined"  # the number's place beside those of the loaders


@HOOKS.register("refresh_neighbours")
class RefreshNeighbours(Hook):
    """Computes all features anew every few epochs, and with them the mini-batches until the next time.

    Args:
        sampler: gets them.
        embed: network -> features (P, C) of all patches, unit vectors.
        every: epochs between two times.
    """

    def __init__(
        self,
        sampler: AnchorSampler,
        embed: Callable[[SiamFCNet], torch.Tensor],
        every: int = 1,
        candidates: int = 1,
    ) -> None:
        if every < 1:
            raise ValueError(f"features are refreshed every {every} epochs; it must be at least 1")
        if candidates < 1:
            raise ValueError(f"{candidates} anchors are drawn for a mini-batch; it must be at least 1")
        self.candidates = candidates
        self.sampler = sampler
        self.embed = embed
        self.every = every

    @classmethod
    def from_recipe(
        cls,
        sampler: AnchorSampler,
        num_workers: int,
        selection: Literal["neighbours", "random"] = "neighbours",
        every: int = 1,
        candidates: int = 1,
    ) -> RefreshNeighbours | None:
        """Returns the hook of a recipe, or none where mini-batches stay random.

        Args:
            sampler: gets the neighbours.
            num_workers: processes that read frames.
            selection: what a mini-batch is: an anchor and its nearest neighbours (AHM), or an anchor and others at
                random.
            every: epochs between two computations of the features that neighbours are found with.
            candidates: anchors that are drawn for a mini-batch, of which the one with the closest neighbours is taken;
                1: anchors are uniform.
        """
        if selection == "random":
            return None

        def embed(net: SiamFCNet) -> torch.Tensor:
            processing = cast(SiamFCProcessing, sampler.processing)
            return embed_patches(net, sampler.dataset, sampler.patches, processing, num_workers=num_workers)

        return cls(sampler, embed, every, candidates)

    def before_epoch(self, trainer: LTRTrainer) -> None:
        """Refreshes, if it is time, or if a resumed run lacks the neighbours of the epoch."""
        epoch = trainer.epoch - 1
        since = epoch % self.every
        if since == 0 or not self.sampler.covers(epoch):
            features = self.embed(cast(SiamFCNet, trainer.net))
            self.sampler.refresh(features, epoch, self.every - since, self.candidates)

    def state_dict(self) -> dict[str, Any]:
        """Returns the mini-batches: a network that has learned on would choose others."""
        return self.sampler.neighbour_state()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the mini-batches."""
        self.sampler.load_neighbour_state(state)


@HOOKS.register("mine_pairs")
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

    @classmethod
    def from_recipe(
        cls,
        sampler: AnchorSampler,
        actor: ProgressiveActor,
        num_workers: int,
        mining: MiningSettings = MiningSettings(),
        rounds: tuple[int, ...] = (2, 3),
    ) -> MinePairs:
        """Returns the hook of a recipe.

        Args:
            sampler: draws from the pairs.
            actor: learns correspondence where there are pairs.
            num_workers: processes that read frames.
            mining: how pairs are mined.
            rounds: epochs, from 1 and rising, at whose start pairs are mined.

        Raises:
            SettingsError: the rounds do not rise from 1.
        """
        if list(rounds) != sorted({number for number in rounds if number > 0}):
            raise SettingsError(f"rounds is {rounds}; epochs count from 1, and each is later than the one before")

        def mine(net: SiamFCNet, mining_round: int) -> MinedPairs:
            processing = cast(SiamFCProcessing, sampler.processing)
            return mine_pairs(net, sampler.dataset, sampler.patches, processing, mining, mining_round, num_workers)

        return cls(sampler, actor, mine, rounds)

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
