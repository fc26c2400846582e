"""The held-out score: how good the network is at what it is for, and the best checkpoint by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import nn

from ltr.admin import checkpoint
from ltr.engine import distributed
from ltr.engine.checkpoints import set_aside_earlier_run
from ltr.engine.hooks import Hook
from ltr.engine.progress import say
from ltr.engine.random_state import untouched_random_state
from ltr.engine.result import TrainingError
from ltr.engine.weight_average import WeightAverage
from ltr.models.mode import evaluating

if TYPE_CHECKING:
    from ltr.engine.ltr_trainer import LTRTrainer

LOADER_NAME = "held-out"


class HeldOutScore(Hook):
    """Scores the network before training, after every ``interval`` epochs and after the last one, and keeps the best.

    The loss of a Siamese tracker may fall while tracking gets worse, so the checkpoint to keep is chosen by tracking.
    ``<NetType>_best.pth.tar`` holds the best trained network so far; of equal scores the earlier one stays. Scoring
    does not disturb training: the random states and the network's modes are put back. In a distributed run the main
    process scores while the others wait.

    Args:
        score: network in evaluation mode -> number, larger is better.
        name: how the number is called in logs.
        interval: epochs between two scores.
        average: score and keep this average of the weights, in place of the weights themselves.
    """

    def __init__(
        self,
        score: Callable[[nn.Module], float],
        name: str = "AUC",
        interval: int = 1,
        average: WeightAverage | None = None,
    ) -> None:
        if interval < 1:
            raise ValueError(f"the interval of the held-out score is {interval} epochs; it must be at least 1")
        self.score = score
        self.name = name
        self.interval = interval
        self.average = average
        self.untrained: float | None = None
        self.best: float | None = None
        self.best_epoch: int | None = None

    def before_training(self, trainer: LTRTrainer) -> None:
        """Scores the untrained network, unless the run goes on from a checkpoint that knows its score."""
        if self.untrained is None and trainer.epoch == 0:
            self.untrained = self._evaluate(trainer, trainer.net)
            trainer.record(LOADER_NAME, self.name, self.untrained)
            say(f"held-out {self.name} before training: {self.untrained:.3f}")

    def takes_long(self, trainer: LTRTrainer) -> bool:
        """Returns whether this epoch is scored."""
        return trainer.epoch % self.interval == 0 or trainer.epoch == trainer.max_epochs

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Scores the network, and keeps it if it is the best so far."""
        if not self.takes_long(trainer):
            return
        network = self.average.averaged if self.average else trainer.net
        score = self._evaluate(trainer, network)
        trainer.record(LOADER_NAME, self.name, score)
        best = self.best is None or score > self.best
        say(f"held-out {self.name} after epoch {trainer.epoch}: {score:.3f}{' (the best so far)' if best else ''}")
        if best:
            self.best, self.best_epoch = score, trainer.epoch
            if distributed.is_main():
                trainer.check_owner()
                set_aside_earlier_run(trainer)
                path = checkpoint.best_path(trainer.settings.checkpoint_dir, trainer.net_type)
                checkpoint.save_checkpoint(path, self._state(trainer, network, score))

    def after_training(self, trainer: LTRTrainer) -> None:
        """Adds the scores and the best checkpoint to the result."""
        trainer.result.score_name = self.name
        trainer.result.untrained = self.untrained
        trainer.result.trained = self.best
        path = checkpoint.best_path(trainer.settings.checkpoint_dir, trainer.net_type)
        if self.best is not None and path.is_file():
            trainer.result.checkpoint = path

    def state_dict(self) -> dict[str, Any]:
        """Returns the scores that a resumed run must know."""
        return {"untrained": self.untrained, "best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the scores of the run that is resumed."""
        self.untrained, self.best, self.best_epoch = state["untrained"], state["best"], state["best_epoch"]

    def _evaluate(self, trainer: LTRTrainer, network: nn.Module) -> float:
        score = 0.0
        if distributed.is_main():
            trainer.check_owner()
            with untouched_random_state(trainer.device), evaluating(network):
                score = float(self.score(network))
        score = distributed.broadcast(score)
        if not math.isfinite(score):
            raise TrainingError(f"the held-out {self.name} is {score} at epoch {trainer.epoch}, not a finite number")
        return score

    def _state(self, trainer: LTRTrainer, network: nn.Module, score: float) -> dict[str, Any]:
        return {
            **trainer.description(),
            "net": network.state_dict(),
            "optimizer": None,  # to use, not to resume from: the epochs' checkpoints are for that
            "score": {"name": self.name, "value": score, "untrained": self.untrained},
            "averaged": self.average is not None,
        }
