"""The epoch loop."""

from __future__ import annotations

import contextlib
import dataclasses
import operator
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, Protocol

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ltr.actors.base_actor import BaseActor
from ltr.admin.checkpoint import CheckpointError, load_checkpoint, load_weights
from ltr.admin.errors import message_for_people
from ltr.admin.ownership import Owner, OwnershipError, own
from ltr.admin.processes import named_worker_deaths
from ltr.admin.settings import Settings, SettingsError, TrainConfig
from ltr.data.tensordict import TensorDict
from ltr.engine import distributed
from ltr.engine.checkpoints import Checkpoints, latest_checkpoint
from ltr.engine.hooks import Hook, named_hooks
from ltr.engine.logging import TensorBoard, Visdom
from ltr.engine.precision import mixed_precision_is_fast
from ltr.engine.progress import Progress, say
from ltr.engine.random_state import random_state, seed_everything, set_random_state
from ltr.engine.result import History, TrainingError, TrainingInterrupted, TrainingResult
from ltr.engine.resume import OTHER_RUN, check_belongs, data_sets
from ltr.engine.stats import AverageMeter

RESUMED = ("net", "optimizer", "scaler", "epoch", "total_steps", "stats", "random_state", "hooks")
"""What a checkpoint must hold to be gone on from."""

KEPT = "finished epochs are kept"


class Loader(Protocol):
    """What the trainer asks of a loader; :class:`ltr.data.loader.LTRLoader` is one."""

    name: str
    training: bool
    epoch_interval: int

    def set_epoch(self, epoch: int) -> None:
        """Tells which epoch, counted from 0, the next iteration belongs to."""

    def __iter__(self) -> Iterator[TensorDict]:
        """Returns the batches."""


class LTRTrainer:
    """Trains an actor's network on loaders, epoch by epoch, with hooks around steps and epochs.

    Progress, TensorBoard, visdom and checkpoints are hooks that every trainer has; one given in ``hooks`` takes the
    place of that of its class. In a distributed run gradients are averaged over the processes.

    Args:
        actor: ``actor(data) -> loss, stats``.
        loaders: used in this order in each epoch; those that are not for training only report numbers.
        optimizer: over the network's parameters.
        settings: paths, device, seed; the hyper-parameters that the loop needs are those of ``settings.configure``.
        lr_scheduler: steps as ``scheduler_interval`` says.
        hooks: called in this order.
        scheduler_interval: whether the scheduler counts epochs or training steps.
        find_unused_parameters: for networks of which a step may leave parts unused, in a distributed run.
    """

    def __init__(
        self,
        actor: BaseActor,
        loaders: Sequence[Loader],
        optimizer: torch.optim.Optimizer,
        settings: Settings,
        lr_scheduler: Any = None,
        hooks: Iterable[Hook] = (),
        *,
        scheduler_interval: Literal["epoch", "step"] = "epoch",
        find_unused_parameters: bool = False,
    ) -> None:
        if settings.overrides and settings.config is None:
            raise SettingsError("this recipe takes no --set: it does not call settings.configure(...)")
        if scheduler_interval not in ("epoch", "step"):
            raise SettingsError(f"scheduler_interval is {scheduler_interval!r}, but must be 'epoch' or 'step'")
        self.config = settings.config or TrainConfig()
        self.settings = settings
        self.device = settings.device
        self.actor = actor
        self.actor.to(self.device)
        self.loaders = list(loaders)
        self.optimizer = optimizer
        self.lr_scheduler = lr_scheduler
        self.scheduler_interval = scheduler_interval
        if self.config.amp is None:
            self.config = dataclasses.replace(self.config, amp=mixed_precision_is_fast(self.device))
            if settings.config is not None:
                settings.config = self.config  # so that the checkpoint says which it was
        scaled = bool(self.config.amp) and self.device.type == "cuda"  # bfloat16 needs no scaling
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.hooks = self._with_standard_hooks(list(hooks))
        self.epoch = 0
        """Number of the epoch that runs or has just finished, from 1; 0 before training."""
        self.step = 0
        """Number of the batch in the current loader's epoch, from 1."""
        self.steps_in_loader = 0
        self.total_steps = 0
        """Training steps since the very beginning."""
        self.max_epochs = self.config.epochs
        self.meters: dict[str, AverageMeter] = {}
        self.history: History = {}
        self.about: dict[str, dict[str, Any]] = {}
        """What hooks tell of the run to whoever is given its network: plain data by subject and name."""
        self.result = TrainingResult()
        self.owns_checkpoint_dir = False
        """Whether the checkpoints in the directory are this run's own."""
        self.owner: Owner | None = None
        """Of the directory of the checkpoints, in the main process while it trains."""
        self._ended = True  # whether the hooks have had the epoch's after_epoch
        self._finished = 0
        self._forward: Any = actor
        if distributed.world_size() > 1:
            self._forward = DistributedDataParallel(_Step(actor), find_unused_parameters=find_unused_parameters)

    @property
    def net(self) -> nn.Module:
        """The network that learns."""
        return self.actor.net

    @property
    def net_type(self) -> str:
        """The class name of the network, which names its checkpoints."""
        return type(self.net).__name__

    def train(self, max_epochs: int, load_latest: bool = False, fail_safe: bool = True) -> TrainingResult:
        """Trains until ``max_epochs`` epochs are done, and returns the result.

        Args:
            max_epochs: number of epochs, those before a resume included.
            load_latest: go on from the newest checkpoint if there is one (as ``settings.resume`` says, too).
            fail_safe: after an error go on from the newest checkpoint, once for each newly finished epoch. A second
                error in the same epoch is raised. Ctrl-C is never retried, and neither is a distributed run, whose
                processes must all start again (``torchrun --max-restarts`` with ``--resume``).

        Raises:
            TrainingInterrupted: Ctrl-C; it carries the last checkpoint.
            TrainingError: a loss or weight that is not finite, a loader without batches.
            OwnershipError: another run writes to the directory of the checkpoints.
            ResumeError: the checkpoint to go on from is of another run.
            ProcessDied: a worker process, or another process of a distributed run, was killed.
        """
        self.max_epochs = max_epochs
        try:
            with contextlib.ExitStack() as held:
                held.enter_context(distributed.named_losses(f"{KEPT}; start all processes again, with --resume"))
                if distributed.is_main():
                    self.owner = held.enter_context(own(self.settings.checkpoint_dir, OTHER_RUN))
                self._begin(load_latest or self.settings.resume)
                self._train_epochs(fail_safe and distributed.world_size() == 1)
                self.result = TrainingResult(epochs=self.epoch, stats=self.history)
                for hook in self.hooks:
                    hook.after_training(self)
                return self.result
        except KeyboardInterrupt:
            owned = latest_checkpoint(self.settings.checkpoint_dir) if self.owns_checkpoint_dir else None
            raise TrainingInterrupted(self._finished, owned) from None
        finally:
            for hook in self.hooks:
                hook.close()

    def check_owner(self) -> None:
        """Raises OwnershipError if the directory of the checkpoints no longer belongs to this run."""
        if self.owner is not None:
            self.owner.check()

    def record(self, loader: str, name: str, value: float) -> None:
        """Adds a number of the current epoch to the history, for the logs and the checkpoint."""
        self.history.setdefault(loader, {}).setdefault(name, {})[self.epoch] = value

    def description(self) -> dict[str, Any]:
        """Returns what every checkpoint says about its origin."""
        return {
            "epoch": self.epoch,
            "actor_type": type(self.actor).__name__,
            "net_type": self.net_type,
            "constructor": getattr(self.net, "constructor", None),
            "stats": self.history,
            "about": self.about,
            "settings": {**self.settings.summary(), "data": data_sets(self.loaders)},
        }

    def state_dict(self) -> dict[str, Any]:
        """Returns all that an exact resume needs. Every process of a distributed run must call it."""
        return {
            **self.description(),
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "lr_scheduler": self.lr_scheduler.state_dict() if self.lr_scheduler else None,
            "scaler": self.scaler.state_dict(),
            "total_steps": self.total_steps,
            "random_state": distributed.gather(random_state(self.device)),
            "hooks": {name: hook.state_dict() for name, hook in named_hooks(self.hooks).items()},
        }

    def load_state_dict(self, state: dict[str, Any], source: str = "the checkpoint") -> None:
        """Goes back to a state that :meth:`state_dict` returned.

        Raises:
            CheckpointError: the weights do not fit the network, or the checkpoint is not one to go on from.
        """
        missing = [key for key in RESUMED if state.get(key) is None]
        if missing:
            raise CheckpointError(f"{source} lacks {', '.join(missing)}: go on from an epoch's own file")
        load_weights(self.net, state["net"], source)
        self.optimizer.load_state_dict(state["optimizer"])
        if self.lr_scheduler and state["lr_scheduler"] is not None:
            self.lr_scheduler.load_state_dict(state["lr_scheduler"])
        if state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        self.epoch, self.total_steps, self._ended = state["epoch"], state["total_steps"], state.get("ended", True)
        self.history = state["stats"]
        for name, hook in named_hooks(self.hooks).items():
            if name in state["hooks"]:
                hook.load_state_dict(state["hooks"][name])
        states = state["random_state"]
        if distributed.rank() < len(states):
            set_random_state(states[distributed.rank()], self.device)
        else:  # more processes than before: the new ones have no state to go on from
            seed_everything(self.settings.seed + self.epoch, distributed.rank())

    def _with_standard_hooks(self, hooks: list[Hook]) -> list[Hook]:
        def missing(hook: Hook) -> list[Hook]:
            return [] if any(isinstance(given, type(hook)) for given in hooks) else [hook]

        before = missing(Progress(self.config.print_interval))
        after = missing(TensorBoard()) + missing(Visdom())
        # Last, so that it holds what the others know of the epoch.
        return before + hooks + after + missing(Checkpoints(self.config.keep_checkpoints))

    def _begin(self, load_latest: bool) -> None:
        if load_latest and not self._load_latest():
            say(f"nothing to resume in {self.settings.checkpoint_dir}: training starts from the beginning")
        if self.epoch == 0 and distributed.world_size() > 1:
            # The networks were built from one seed; what happens in a step should differ between the processes.
            seed_everything(self.settings.seed, distributed.rank())
        for hook in self.hooks:
            hook.before_training(self)

    def _load_latest(self) -> bool:
        path = latest_checkpoint(self.settings.checkpoint_dir)
        if path is None:
            return False
        state = load_checkpoint(path)
        check_belongs(path, state["settings"], self.description()["settings"], self.settings.resume_with_changes)
        self.load_state_dict(state, str(path))
        self.owns_checkpoint_dir = True
        self._finished = self.epoch
        say(f"going on from {path}")
        return True

    def _train_epochs(self, fail_safe: bool) -> None:
        resumable = self._finished
        while True:
            try:
                with named_worker_deaths(f"{KEPT}, and --resume goes on; fewer num_workers need less memory"):
                    if not self._ended:
                        self._end_epoch()
                    while self.epoch < self.max_epochs:
                        self.epoch += 1
                        self._train_epoch()
                        self._end_epoch()
                return
            except OwnershipError:
                raise
            except Exception as error:
                if not fail_safe or self._finished == resumable or not self.owns_checkpoint_dir:
                    raise
                message = message_for_people(error)
                if message is None:
                    traceback.print_exc()
                else:
                    print(f"error: {message}", file=sys.stderr)
                print(f"training failed in epoch {self.epoch}; once more from the last checkpoint", file=sys.stderr)
                if not self._load_latest():
                    raise
                resumable = self._finished

    def _train_epoch(self) -> None:
        for hook in self.hooks:
            hook.before_epoch(self)
        for loader in self.loaders:
            if self.epoch % loader.epoch_interval == 0:
                self._cycle(loader)
        if self.lr_scheduler and self.scheduler_interval == "epoch":
            self.lr_scheduler.step()
        self._check_weights()
        if any(hook.takes_long(self) for hook in self.hooks):
            for hook in self.hooks:
                if isinstance(hook, Checkpoints):  # whatever stops what follows, the epoch is not lost
                    hook.write(self, ended=False)
                    self._finished = self.epoch

    def _end_epoch(self) -> None:
        for hook in self.hooks:
            hook.after_epoch(self)
        self._finished, self._ended = self.epoch, True

    def _cycle(self, loader: Loader) -> None:
        self.actor.train(loader.training)
        loader.set_epoch(self.epoch - 1)
        self.meters = {}
        self.step = 0
        self.steps_in_loader = operator.length_hint(loader, 0)
        for data in loader:
            self.step += 1
            data = data.to(self.device)
            stats = self._training_step(data, loader.name) if loader.training else self._validation_step(data)
            for name, value in stats.items():
                self.meters.setdefault(name, AverageMeter()).update(float(value))
            if loader.training:
                for hook in self.hooks:
                    hook.after_step(self)
        if self.step == 0:
            raise TrainingError(
                f"the loader {loader.name!r} gave no batch in epoch {self.epoch}: "
                "raise samples_per_epoch, or lower batch_size"
            )
        sums = {name: (meter.total, meter.count) for name, meter in self.meters.items()}
        for name, mean in distributed.mean(sums).items():
            self.record(loader.name, name, mean)

    def _training_step(self, data: TensorDict, loader_name: str) -> dict[str, float]:
        with self._autocast():
            loss, stats = self._forward(data)
        if not bool(torch.isfinite(loss).all()):
            numbers = ", ".join(f"{name} {float(value):.4g}" for name, value in stats.items())
            kept = "the weights before it are in the last checkpoint" if self.epoch > 1 else "no epoch was finished"
            raise TrainingError(
                f"the loss is {loss.item()} in epoch {self.epoch}, step {self.step} of {loader_name!r} ({numbers}). "
                f"A lower learning_rate, or grad_clip, may help; {kept}"
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.config.grad_clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.net.parameters(), self.config.grad_clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.total_steps += 1
        if self.lr_scheduler and self.scheduler_interval == "step":
            self.lr_scheduler.step()
        return stats

    def _validation_step(self, data: TensorDict) -> dict[str, float]:
        with torch.no_grad(), self._autocast():
            _, stats = self.actor(data)
        return stats

    def _autocast(self) -> torch.autocast:
        dtype = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        return torch.autocast(self.device.type, dtype=dtype, enabled=bool(self.config.amp))

    def _check_weights(self) -> None:
        # A finite loss can have a gradient that is not; it must not get into a checkpoint.
        for name, parameter in self.net.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise TrainingError(
                    f"the weight {name} is no longer finite after epoch {self.epoch}: a gradient was infinite or NaN. "
                    "A lower learning_rate, or grad_clip, may help"
                )


class _Step(nn.Module):
    """A whole learning step as one module, so that the actor may use any of its network's methods in it."""

    def __init__(self, actor: BaseActor) -> None:
        super().__init__()
        self.net = actor.net
        self._actor = actor

    def forward(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        return self._actor(data)
