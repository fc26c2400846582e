"""A recipe: what a network is trained with, every number of it, in two schedules."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ltr.config.errors import SettingsError
from ltr.config.overrides import apply_overrides
from ltr.config.part import Actor, Labels, Network, Part, Processing, RunHook, Sampler

if TYPE_CHECKING:
    from ltr.admin.settings import Settings
    from ltr.engine.result import TrainingResult

ScheduleName = Literal["short", "paper", "auto"]


def _at_least_one(config: Any, *names: str) -> None:
    for name in names:
        if getattr(config, name) < 1:
            slot = type(config).__name__.lower()
            raise SettingsError(f"{slot}.{name} is {getattr(config, name)}, but must be at least 1")


@dataclass(frozen=True)
class Data:
    """Which videos are learned from.

    Attributes:
        sets: training data sets, each drawn as often as ``weights`` says. Those that are not on this machine are left
            out with a word; where none is, the embedded videos are learned from. Sets that ``--set`` names must be
            there.
        weights: how often each set is drawn, in proportion; empty: in equal parts.
        embedded_videos: embedded synthetic videos to learn from where no set is on this machine; 0: one has to be.
        share: the share of each set's videos that is learned from, in (0, 1]; the run's seed says which they are.
        labels: what of them is seen.
    """

    sets: tuple[str, ...] = ("got10k_train",)
    weights: tuple[float, ...] = ()
    embedded_videos: int = 48
    share: float = 1.0
    labels: Labels = Labels("boxes")

    def __post_init__(self) -> None:
        if self.embedded_videos < 0:
            raise SettingsError(f"data.embedded_videos is {self.embedded_videos}, but must be at least 0")
        if not 0 < self.share <= 1:
            raise SettingsError(f"data.share is {self.share}; it is a part of the videos, in (0, 1]")
        if not self.sets:
            raise SettingsError("data.sets is empty: name one data set at least")
        if self.weights and len(self.weights) != len(self.sets):
            raise SettingsError(f"data.weights has {len(self.weights)} numbers, but data.sets {len(self.sets)} names")
        if any(not weight >= 0 for weight in self.weights):
            raise SettingsError(f"data.weights is {self.weights}; a weight is at least 0")


@dataclass(frozen=True)
class Optimizer:
    """How the network's weights follow their gradients.

    Attributes:
        method: Adam, AdamW or SGD, as torch has them.
        learning_rate: of all weights that ``rates`` does not name.
        rates: learning rates of parts of the network, by the name of the submodule.
        weight_decay: as the method takes it.
        momentum: of SGD.
        grad_clip: largest norm of the gradient; none: no limit.
    """

    method: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = 1e-4
    rates: Mapping[str, float] = field(default_factory=dict)
    weight_decay: float = 0.0
    momentum: float = 0.0
    grad_clip: float | None = None

    def __post_init__(self) -> None:
        rates = {"learning_rate": self.learning_rate, **{f"rates.{name}": rate for name, rate in self.rates.items()}}
        if self.grad_clip is not None:
            rates["grad_clip"] = self.grad_clip
        for name, rate in rates.items():
            if not 0 < rate < float("inf"):
                raise SettingsError(f"optimizer.{name} is {rate}, but must be a positive number")
        for name in ("weight_decay", "momentum"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise SettingsError(f"optimizer.{name} is {getattr(self, name)}, but must be at least 0")


@dataclass(frozen=True)
class Schedule:
    """How long is learned, and how the learning rates fall.

    Attributes:
        epochs: their number.
        samples_per_epoch: samples of an epoch, over all processes; with ``samples_per_video``, at the most.
        samples_per_video: samples of an epoch for each training video; none: ``samples_per_epoch``, whatever the data.
        batch_size: samples of one step, over all processes.
        decay: learning rates follow a ``cosine`` to zero over all steps, fall after ``decay_epochs``, fall by the same
            part after each epoch to ``decay_factor`` of what they were (``geometric``), or stay (``none``).
        decay_epochs: after these epochs learning rates are multiplied by ``decay_factor``.
        decay_factor: see ``decay_epochs``.
        average_decay: decay of the exponential moving average of the weights, which is what is scored and kept; none:
            the weights themselves.
    """

    epochs: int = 10
    samples_per_epoch: int = 1000
    samples_per_video: float | None = None
    batch_size: int = 8
    decay: Literal["cosine", "epochs", "geometric", "none"] = "none"
    decay_epochs: tuple[int, ...] = ()
    decay_factor: float = 0.1
    average_decay: float | None = None

    def __post_init__(self) -> None:
        _at_least_one(self, "epochs", "samples_per_epoch", "batch_size")
        if min(self.decay_epochs, default=1) < 1:
            raise SettingsError(f"schedule.decay_epochs is {self.decay_epochs}; epochs count from 1")
        if not 0 < self.decay_factor <= 1:
            raise SettingsError(f"schedule.decay_factor is {self.decay_factor}, but must be in (0, 1]")
        if self.average_decay is not None and not 0 <= self.average_decay < 1:
            raise SettingsError(f"schedule.average_decay is {self.average_decay}, but must be in [0, 1)")
        if self.samples_per_video is not None and not 0 < self.samples_per_video < float("inf"):
            raise SettingsError(f"schedule.samples_per_video is {self.samples_per_video}, but must be positive")

        if self.samples_per_video is None and self.batch_size > self.samples_per_epoch:
            raise SettingsError(
                f"schedule.samples_per_epoch is {self.samples_per_epoch}, too few for one batch of {self.batch_size}: "
                "raise it, or lower schedule.batch_size"
            )

    def samples(self, videos: int) -> int:
        """Returns the samples of an epoch on that many training videos: a batch at the least."""
        if self.samples_per_video is None:
            return self.samples_per_epoch
        return max(min(self.samples_per_epoch, round(self.samples_per_video * videos)), self.batch_size)


@dataclass(frozen=True)
class Score:
    """The held-out score, which chooses the checkpoint.

    Attributes:
        name: of the registered score.
        videos: validation videos that are tracked, at the most.
        frames: of each that are tracked, at the most.
        interval: epochs between two scores.
        between: weights between those before and after training that are candidates, too, as shares of the way, where
            training begins with given weights.
        parameters: the parameter set that tracks with the network; none: SiamFC's own.
    """

    name: str = "tracking_auc"
    videos: int = 12
    frames: int = 50
    interval: int = 1
    between: tuple[float, ...] = (0.5,)
    parameters: str | None = None

    def __post_init__(self) -> None:
        _at_least_one(self, "videos", "interval")
        if self.frames < 2:
            raise SettingsError(f"score.frames is {self.frames}; tracking needs 2 at the least")
        if not all(0 < share < 1 for share in self.between):
            raise SettingsError(f"score.between is {self.between}; shares of the way lie between 0 and 1")


@dataclass(frozen=True)
class Runtime:
    """How the run uses the machine; nothing of it is meant to change what is learned.

    Attributes:
        num_workers: processes that read samples, in each process; none: one for each core, eight at the most.
        amp: mixed precision (bfloat16 on a CPU, float16 with scaling on a GPU); none: where the hardware is fast at it.
        print_interval: steps between two progress lines where there is no terminal.
        keep_checkpoints: newest epochs whose checkpoint stays on the disk; the best one always stays.
    """

    num_workers: int | None = None
    amp: bool | None = None
    print_interval: int = 10
    keep_checkpoints: int = 2

    def __post_init__(self) -> None:
        _at_least_one(self, "print_interval", "keep_checkpoints")
        if self.num_workers is not None and self.num_workers < 0:
            raise SettingsError(f"runtime.num_workers is {self.num_workers}, but must not be negative")


@dataclass(frozen=True)
class Recipe:
    """What a network is trained with. The numbers are those of the paper's schedule; ``short`` says what differs.

    A variant is a difference: :meth:`but`. A recipe is called with the run's settings.

    Attributes:
        data: which videos and labels are learned from.
        network: what learns.
        sampler: which frames make a sample.
        processing: what the network sees of them.
        actor: the learning step.
        optimizer: how weights follow gradients.
        schedule: how long, and how learning rates fall.
        score: the held-out score; none: the last checkpoint is what comes of the run.
        runtime: how the machine is used.
        hooks: what else happens around epochs.
        frozen_norm: whether the network's norm layers keep their statistics; none: where it starts from learned
            weights.
        start: a checkpoint whose weights the network begins with, as far as they fit: a recipe such as
            ``socl/socl_res18``, a file, or a name in ``network_dir``; in place of ``network.pretrained``.
        stack_dim: dimension along which the loader stacks samples; 1 where a sample has several frames of a kind.
        tracker: the family of trackers that the network is for.
        short: settings of the short schedule that differ, by dotted key.
    """

    network: Network
    sampler: Sampler
    processing: Processing
    actor: Actor
    data: Data = Data()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    score: Score | None = Score()
    runtime: Runtime = Runtime()
    hooks: Mapping[str, RunHook] = field(default_factory=dict)
    frozen_norm: bool | None = None
    start: str | None = None
    stack_dim: int = 0
    tracker: str = "siamfc"
    short: Mapping[str, Any] = field(default_factory=dict)

    def but(self, changes: Mapping[str, Any] | None = None, short: Mapping[str, Any] | None = None) -> Recipe:
        """Returns a recipe that differs in some settings. What the short one has of a part that is replaced is dropped.

        Args:
            changes: values by dotted key, such as ``{"actor.objective.use_local": False}``, in both schedules unless
                the short one says otherwise.
            short: further settings of the short schedule alone.

        Raises:
            SettingsError: a key that the recipe does not have, or a value that does not fit.
        """
        changed = apply_overrides(self, changes or {})
        replaced = tuple(f"{key}." for key, value in (changes or {}).items() if isinstance(value, Part))
        kept = {key: value for key, value in self.short.items() if not key.startswith(replaced)}
        return dataclasses.replace(changed, short={**kept, **(short or {})})

    def scheduled(self, schedule: Literal["short", "paper"], overrides: Mapping[str, Any] | None = None) -> Recipe:
        """Returns the recipe in one of its schedules, with what ``--set`` says; it has no short one any more."""
        base = dataclasses.replace(self, short={})
        if schedule == "short":
            base = apply_overrides(base, self.short)
        return apply_overrides(base, overrides or {})

    def __call__(self, settings: Settings) -> TrainingResult:
        """Trains as the settings of the run say; see :func:`ltr.config.run.train_recipe`."""
        from ltr.config.run import train_recipe

        return train_recipe(self, settings)
