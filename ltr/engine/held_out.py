"""The held-out score: how good the network is at what it is for, and the choice of the weights to keep by it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

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
ALL = "all"  # the name of a number that is not of one video
START = "the weights before training"

Score = Callable[[nn.Module], float | Mapping[str, float]]
"""A network in evaluation mode to a number, or to the number of each held-out video by its name, whose mean is the
score. Larger is better. Only with the single numbers can it be said what is chance."""


@dataclass(frozen=True)
class Candidate:
    """Weights that were scored.

    Attributes:
        title: which weights these are, such as ``the weights after epoch 3``.
        epoch: after which they were there; 0: before training.
        scores: of each held-out video, by its name.
    """

    title: str
    epoch: int
    scores: dict[str, float]

    @property
    def mean(self) -> float:
        """The score."""
        return float(np.mean(list(self.scores.values())))

    def gain(self, start: Candidate) -> tuple[float, float]:
        """Returns the mean difference to the start over the same videos, and its standard error (nan for one video)."""
        difference = np.array([value - start.scores[name] for name, value in self.scores.items()])
        error = difference.std(ddof=1) / math.sqrt(len(difference)) if len(difference) > 1 else math.nan
        return float(difference.mean()), float(error)

    def beats(self, start: Candidate) -> bool:
        """Returns whether these weights are better than the start by more than the standard error of the difference."""
        gain, error = self.gain(start)
        return gain > (0 if math.isnan(error) else error)


class HeldOutScore(Hook):
    """Scores the network before training, after every ``interval`` epochs and after the last one, and keeps the best.

    The loss of a Siamese tracker may fall while tracking gets worse, so the weights to keep are chosen by tracking.
    The weights before training are a candidate like those of every epoch, and trained weights take their place only if
    they score higher by more than the standard error of the difference, so that nobody is handed a network that is
    worse than the one that training began with. ``<NetType>_best.pth.tar`` holds the choice so far; of equal scores the
    earlier one stays. Scoring does not disturb training: the random states and the network's modes are put back. In a
    distributed run the main process scores while the others wait.

    A score may have an attribute ``beside``, other numbers of the network that it was called with last, by their names.
    They choose nothing; they are shown, and, after training, how they correlate with the score over all weights.

    Args:
        score: see :data:`Score`.
        name: how the number is called in logs.
        interval: epochs between two scores.
        average: score and keep this average of the weights, in place of the weights themselves.
        between: after the last epoch, candidates between start and end as well: shares of the way, in (0, 1). Weights
            half-way are often better than both ends where training begins with a network that is good already
            (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).

    Raises:
        ValueError: the interval or a share is out of range.
    """

    def __init__(
        self,
        score: Score,
        name: str = "AUC",
        interval: int = 1,
        average: WeightAverage | None = None,
        between: Sequence[float] = (),
    ) -> None:
        if interval < 1:
            raise ValueError(f"the interval of the held-out score is {interval} epochs; it must be at least 1")
        if not all(0 < share < 1 for share in between):
            raise ValueError(f"the weights between start and end are at {list(between)} of the way: not all in (0, 1)")
        self.score = score
        self.name = name
        self.interval = interval
        self.average = average
        self.between = tuple(between)
        self.start: Candidate | None = None
        self.best: Candidate | None = None
        self._start_weights: dict[str, Tensor] | None = None
        self._scored: list[tuple[float, dict[str, float]]] = []  # of all weights: the score, and what is beside it

    def before_training(self, trainer: LTRTrainer) -> None:
        """Scores the untrained network, unless the run goes on from a checkpoint that knows its score."""
        if self.start is None and trainer.epoch == 0:
            self.start = Candidate(START, 0, self._evaluate(trainer, trainer.net))
            self._start_weights = {name: value.detach().clone() for name, value in trainer.net.state_dict().items()}
            trainer.record(LOADER_NAME, self.name, self.start.mean)
            videos = len(self.start.scores)
            of_how_many = f", mean of {videos} videos" if videos > 1 else ""
            say(f"held-out {self.name} before training: {self.start.mean:.3f}{of_how_many}{self._beside()}")

    def takes_long(self, trainer: LTRTrainer) -> bool:
        """Returns whether this epoch is scored."""
        return trainer.epoch % self.interval == 0 or trainer.epoch == trainer.max_epochs

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Scores the network, and keeps it if it is the best so far."""
        if not self.takes_long(trainer):
            return
        network = self.average.averaged if self.average else trainer.net
        scored = Candidate(f"the weights after epoch {trainer.epoch}", trainer.epoch, self._evaluate(trainer, network))
        trainer.record(LOADER_NAME, self.name, scored.mean)
        self._consider(trainer, scored, network.state_dict())
        if trainer.epoch == trainer.max_epochs and self._start_weights is not None:
            for share in self.between:
                weights = between(self._start_weights, network.state_dict(), share)
                mixed = copy.deepcopy(network)
                mixed.load_state_dict(weights)
                title = f"the weights {share:.0%} of the way from before training to after epoch {trainer.epoch}"
                self._consider(trainer, Candidate(title, trainer.epoch, self._evaluate(trainer, mixed)), weights)

    def after_training(self, trainer: LTRTrainer) -> None:
        """Adds the scores and the chosen checkpoint to the result, and says how well the score agrees with others."""
        for name in self._scored[-1][1] if self._scored else ():
            pairs = np.array([(score, others[name]) for score, others in self._scored if name in others])
            if len(pairs) > 2 and (pairs.std(axis=0) > 0).all():
                correlation = float(np.corrcoef(pairs.T)[0, 1])
                say(f"held-out {self.name} and {name} of {len(pairs)} weights: correlation {correlation:.2f}")
        result = trainer.result
        result.score_name = self.name
        result.untrained = self.start.mean if self.start else None
        path = checkpoint.best_path(trainer.settings.checkpoint_dir, trainer.net_type)
        if self.best is None or not path.is_file():
            return
        result.trained, result.chosen, result.checkpoint = self.best.mean, self.best.title, path
        result.learned = self.best.epoch > 0
        result.trusted = len(self.best.scores) > 1 or ALL in self.best.scores

    def state_dict(self) -> dict[str, Any]:
        """Returns what a resumed run must know: the scores, and the weights that training began with."""
        return {
            "start": self.start and asdict(self.start),
            "best": self.best and asdict(self.best),
            "start_weights": self._start_weights,
            "scored": self._scored,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the scores of the run that is resumed."""
        self.start, self.best = (Candidate(**state[key]) if state[key] else None for key in ("start", "best"))
        self._start_weights = state["start_weights"]
        self._scored = [(score, dict(others)) for score, others in state.get("scored", ())]

    def _consider(self, trainer: LTRTrainer, scored: Candidate, weights: Mapping[str, Tensor]) -> None:
        said = f"held-out {self.name} of {scored.title}: {scored.mean:.3f}"
        if self.start is not None:
            gain, error = scored.gain(self.start)
            said += f", {gain:+.3f}" + ("" if math.isnan(error) else f" ± {error:.3f}") + " on the start"
        said += self._beside()
        better = self.start is None or scored.beats(self.start)
        best_so_far = better and (self.best is None or self.best.epoch == 0 or scored.mean > self.best.mean)
        say(said + (" (the best so far)" if best_so_far else "" if better else ": no better by more than chance"))
        if best_so_far:
            self._keep(trainer, scored, weights)
        elif self.best is None and self.start is not None and self._start_weights is not None:
            self._keep(trainer, self.start, self._start_weights)

    def _beside(self) -> str:
        """Returns the other numbers of the weights that were scored last, as words."""
        return "".join(f", {name} {value:.3f}" for name, value in self._scored[-1][1].items())

    def _keep(self, trainer: LTRTrainer, chosen: Candidate, weights: Mapping[str, Tensor]) -> None:
        self.best = chosen
        if not distributed.is_main():
            return
        trainer.check_owner()
        set_aside_earlier_run(trainer)
        untrained = self.start.mean if self.start else None
        state = {
            **trainer.description(),
            "epoch": chosen.epoch,
            "net": dict(weights),
            "optimizer": None,  # to use, not to resume from: the epochs' checkpoints are for that
            "score": {"name": self.name, "value": chosen.mean, "untrained": untrained, "of": chosen.title},
            "averaged": self.average is not None and chosen.epoch > 0,
        }
        checkpoint.save_checkpoint(checkpoint.best_path(trainer.settings.checkpoint_dir, trainer.net_type), state)

    def _evaluate(self, trainer: LTRTrainer, network: nn.Module) -> dict[str, float]:
        scores: dict[str, float] = {}
        if distributed.is_main():
            trainer.check_owner()
            with untouched_random_state(trainer.device), evaluating(network):
                found = self.score(network)
            by_video = found if isinstance(found, Mapping) else {ALL: found}
            scores = {name: float(value) for name, value in by_video.items()}
        scores = distributed.broadcast(scores)
        mean = float(np.mean(list(scores.values())))
        self._scored.append((mean, dict(getattr(self.score, "beside", {}))))
        if not math.isfinite(mean):
            raise TrainingError(f"the held-out {self.name} is {mean} at epoch {trainer.epoch}, not a finite number")
        return scores


def between(start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Returns weights that are ``share`` of the way from start to end; counters are the end's."""
    return {
        name: start[name].to(value.device).lerp(value, share) if value.is_floating_point() else value
        for name, value in end.items()
    }
