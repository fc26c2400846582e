"""The training that a recipe describes: its parts are built, in one order, and handed to the trainer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from ltr.actors.base_actor import BaseActor
from ltr.admin.environment import program
from ltr.admin.jobs import local_cores
from ltr.admin.settings import Settings, TrainConfig
from ltr.config.data import PAPER_VIDEOS, TrainingVideos, choose_schedule, names_sets, open_videos
from ltr.config.errors import SettingsError
from ltr.config.recipe import Optimizer, Recipe, Schedule, Score
from ltr.config.start import begin_with
from ltr.data.loader import LTRLoader
from ltr.dataset.held_out import held_out_videos
from ltr.engine import HeldOutScore, Hook, KeepAverage, LTRTrainer, TrainingResult, WeightAverage, distributed
from ltr.engine.precision import mixed_precision_is_fast
from ltr.models.builder import STARTING_POINT, build_network
from ltr.registry import HELD_OUT_SCORES, RUN_HOOKS, near_names

MOST_WORKERS = 8


def train_recipe(recipe: Recipe, settings: Settings) -> TrainingResult:
    """Trains a network as a recipe says and returns how it tracks held-out videos before and after.

    Args:
        recipe: with both schedules.
        settings: of the run: which schedule, what differs from the recipe, seed, device, paths.

    Raises:
        SettingsError: a setting, a part or the schedule is none that there is, before anything is computed.
    """
    overrides = settings.overrides
    # How many videos there are decides on the schedule; until then a setting can be judged by neither of the two.
    of_videos = {key: value for key, value in overrides.items() if key.partition(".")[0] == "data"}
    videos = open_videos(recipe.scheduled("paper", of_videos).data, settings.env, names_sets(overrides), settings.seed)
    schedule = choose_schedule(settings.schedule, videos)
    recipe = recipe.scheduled(schedule, overrides)
    recipe = _for_this_machine(recipe, settings.device)
    settings.take(recipe, schedule, _loop(recipe, len(videos)))
    if distributed.is_main():
        print(_schedule_line(settings, schedule, videos))
    return _train(recipe, settings, videos)


@dataclass(frozen=True)
class Assembly:
    """The parts of a recipe, built and joined.

    Attributes:
        actor: the learning step with its network, which is on the run's device.
        loader: the batches.
        hooks: of the recipe.
    """

    actor: BaseActor
    loader: LTRLoader
    hooks: list[Hook]


def assemble(recipe: Recipe, settings: Settings, videos: TrainingVideos) -> Assembly:
    """Builds the parts of a recipe: the network first, since random numbers are drawn for it.

    Args:
        recipe: in one of its schedules.
        settings: of the run: paths, seed and device.
        videos: that are learned from.
    """
    loop = _loop(recipe, len(videos))
    options = dict(recipe.network.options)
    if recipe.start is not None:  # nothing is downloaded that is replaced at once
        options |= {name: None for name in STARTING_POINT if name in options}
    net = build_network(recipe.network.name, **options)
    if recipe.start is not None:
        said = begin_with(net, recipe.start)
        if distributed.is_main():
            print(said)
    frozen = recipe.frozen_norm
    if frozen is None:
        frozen = _begins_with_given_weights(recipe)
    built: dict[str, Any] = {
        "net": net,
        "env": settings.env,
        "p_datasets": videos.weights,
        "seed": settings.seed,
        "frozen_norm": frozen,
        "num_workers": loop.num_workers,
        "samples_per_epoch": loop.samples_per_epoch,
        "batch_size": loop.batch_size * distributed.world_size(),
    }
    built["processing"] = recipe.processing.build(**built)
    built["actor"] = recipe.actor.build(**built)
    # After the parts that may refuse each other: what labels are made of, such as TOP maps, takes minutes.
    built["datasets"] = [recipe.data.labels.build(dataset=dataset, **built) for dataset in videos.datasets]
    built["dataset"] = built["datasets"][0]
    built["sampler"] = recipe.sampler.build(**built)
    placed(built["actor"].net, settings.device)
    loader = LTRLoader(
        "train", built["sampler"], batch_size=loop.batch_size, num_workers=loop.num_workers, stack_dim=recipe.stack_dim
    )
    hooks = [hook for part in recipe.hooks.values() if (hook := part.build(**built)) is not None]
    return Assembly(built["actor"], loader, hooks)


def _train(recipe: Recipe, settings: Settings, videos: TrainingVideos) -> TrainingResult:
    score = _score_class(recipe.score)  # before anything takes time
    parts = assemble(recipe, settings, videos)
    optimizer = build_optimizer(parts.actor.net, recipe.optimizer)
    decay = recipe.schedule.average_decay
    average = WeightAverage(decay) if decay is not None else None
    hooks: list[Hook] = [*parts.hooks, *([average] if average else []), *(RUN_HOOKS[name]() for name in RUN_HOOKS)]
    if recipe.score is not None:
        made = _held_out(score, recipe.score, settings)
        title = str(getattr(made, "title", recipe.score.name))
        between = recipe.score.between if _begins_with_given_weights(recipe) else ()
        hooks.append(HeldOutScore(made, title, recipe.score.interval, average, between))
    elif average is not None:
        hooks.append(KeepAverage(average))
    trainer = LTRTrainer(
        parts.actor,
        [parts.loader],
        optimizer,
        settings,
        learning_rates(optimizer, recipe.schedule, len(parts.loader)),
        hooks=hooks,
        scheduler_interval="step" if recipe.schedule.decay == "cosine" else "epoch",
        find_unused_parameters=parts.actor.leaves_parameters_unused,
    )
    result = trainer.train(recipe.schedule.epochs)
    tracks = program("pytracking/run_tracker.py")
    result.tracker = f"{recipe.tracker}/{settings.script_name}"
    result.next_command = f"{tracks} {recipe.tracker} {settings.script_name} --dataset synthetic"
    return result


def placed(net: nn.Module, device: torch.device) -> nn.Module:
    """Returns a network moved to where it learns, its weights in the order that convolutions are fastest with."""
    return net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def build_optimizer(net: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Returns the optimizer of the parameters that learn: those of each part that has a rate of its own, and the rest.

    Raises:
        SettingsError: a rate is for a part that the network does not have.
    """
    known = [name for name, _ in net.named_modules() if name]
    for part in settings.rates:
        if part not in known:
            raise SettingsError(f"optimizer.rates names {part!r}, which the network lacks.{near_names(part, known)}")
    groups: dict[str, list[nn.Parameter]] = {name: [] for name in (*settings.rates, "")}
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            owners = [part for part in settings.rates if name.startswith(f"{part}.")]
            groups[max(owners, key=len, default="")].append(parameter)
    listed = [
        {"params": parameters, "lr": settings.rates.get(part, settings.learning_rate)}
        for part, parameters in groups.items()
        if parameters
    ]
    if settings.method == "sgd":
        return torch.optim.SGD(
            listed, settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
        )
    method = torch.optim.AdamW if settings.method == "adamw" else torch.optim.Adam
    return method(listed, settings.learning_rate, weight_decay=settings.weight_decay)


def learning_rates(
    optimizer: torch.optim.Optimizer, schedule: Schedule, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler | None:
    """Returns how learning rates fall, stepped once a training step for a cosine, else once an epoch."""
    if schedule.decay == "cosine":
        # torch's CosineAnnealingLR has its length in its state: a run that goes on for longer would keep the old one.
        total = schedule.epochs * steps_per_epoch
        return torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / total, 1)))
        )
    if schedule.decay == "epochs":
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, list(schedule.decay_epochs), schedule.decay_factor)
    if schedule.decay == "geometric":
        return torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda epoch: schedule.decay_factor ** (epoch / schedule.epochs)
        )
    return None


def _for_this_machine(recipe: Recipe, device: torch.device) -> Recipe:
    """Returns the recipe with what it leaves to the machine, so that a checkpoint says what was chosen."""
    workers, amp = recipe.runtime.num_workers, recipe.runtime.amp
    if workers is None:
        workers = min(MOST_WORKERS, local_cores())
    if amp is None:
        amp = mixed_precision_is_fast(device)
    return recipe.scheduled("paper", {"runtime.num_workers": workers, "runtime.amp": amp})


def _loop(recipe: Recipe, videos: int) -> TrainConfig:
    """Returns what the trainer's loop has to know; the processes of a distributed run share a batch."""
    schedule, runtime = recipe.schedule, recipe.runtime
    return TrainConfig(
        epochs=schedule.epochs,
        samples_per_epoch=schedule.samples(videos),
        batch_size=max(schedule.batch_size // distributed.world_size(), 1),
        num_workers=runtime.num_workers or 0,
        learning_rate=recipe.optimizer.learning_rate,
        amp=runtime.amp,
        grad_clip=recipe.optimizer.grad_clip,
        print_interval=runtime.print_interval,
        keep_checkpoints=runtime.keep_checkpoints,
        average_decay=schedule.average_decay,
    )


def _begins_with_given_weights(recipe: Recipe) -> bool:
    return recipe.start is not None or any(recipe.network.options.get(name) is not None for name in STARTING_POINT)


def _score_class(score: Score | None) -> Any:
    if score is None:
        return None
    if score.name not in HELD_OUT_SCORES:
        known = HELD_OUT_SCORES.names()
        here = f"{near_names(score.name, known)} Known: {', '.join(known) or 'none, since pytracking is not there'}."
        raise SettingsError(f"score.name={score.name}: no such held-out score.{here} --set score=none does without")
    return HELD_OUT_SCORES[score.name]


def _held_out(make: Any, score: Score, settings: Settings) -> Any:
    videos = held_out_videos(settings.env, score.videos, score.frames)
    return make(videos, max_frames=score.frames, parameter_set=score.parameters)


def _schedule_line(settings: Settings, schedule: str, videos: TrainingVideos) -> str:
    loop = cast(TrainConfig, settings.config)
    why = "as asked for"
    if settings.schedule == "auto":
        why = f"--schedule paper for the paper's, the default from {PAPER_VIDEOS:,} videos on"
        if schedule == "paper":
            why = f"the default from {PAPER_VIDEOS:,} videos on; --schedule short for one of minutes"
    kind = "embedded videos" if videos.embedded else "videos"
    length = f"{loop.epochs} epochs of {loop.samples_per_epoch} samples"
    return f"schedule: {schedule}, {length} of {len(videos)} {kind} ({why})"


def settings_table(recipe: Recipe) -> list[tuple[str, str, str, str]]:
    """Returns key, type, value and meaning of every setting of a recipe in one of its schedules."""
    from ltr.config.overrides import leaves, type_name

    rows = []
    for key, option, value in leaves(recipe):
        if key.partition(".")[0] not in ("short", "tracker", "stack_dim"):
            sentence = re.split(r"(?<=[.;]) ", option.text)[0].rstrip(";.")
            rows.append((key, type_name(option.type), _shown(value), sentence))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(_shown, value)) or "none"
    if isinstance(value, Mapping):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
