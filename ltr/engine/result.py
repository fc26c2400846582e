"""What training hands back, and the ways it can stop short."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

History = dict[str, dict[str, dict[int, float]]]
"""Mean numbers by loader (or hook), by name, by epoch: ``history["train"]["Loss/total"][3]``."""


class TrainingError(RuntimeError):
    """Training cannot go on, such as after a loss that is not finite."""


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during training. ``epoch`` is the last finished one, ``checkpoint`` its file (none before the first)."""

    def __init__(self, epoch: int, checkpoint: Path | None) -> None:
        super().__init__(f"interrupted after epoch {epoch}")
        self.epoch = epoch
        self.checkpoint = checkpoint


@dataclass
class TrainingResult:
    """What came of a training run."""

    score_name: str | None = None
    """Name of the held-out score, such as ``AUC``."""
    untrained: float | None = None
    """The score before the first step."""
    trained: float | None = None
    """The score of ``checkpoint``."""
    chosen: str | None = None
    """Which weights ``checkpoint`` holds, such as ``the weights after epoch 3``."""
    learned: bool = True
    """Whether those are not the weights that training began with: without a held-out score, always."""
    trusted: bool = True
    """Whether more than one held-out video chose."""
    checkpoint: Path | None = None
    """The best checkpoint by the held-out score; without a score, the last epoch's."""
    epochs: int = 0
    stats: History = field(default_factory=dict)
    tracker: str | None = None
    """What tracks with the checkpoint, such as ``siamfc/socl_res18``; a recipe sets it."""
    next_command: str | None = None
    """What to start Python with to use the checkpoint; a recipe sets it, and the command line prints it."""
