"""Going on with a run that was stopped: whether the checkpoint is of that run, and the command that does it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ltr.admin.checkpoint import plain
from ltr.admin.settings import TrainConfig
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.engine.progress import say

OTHER_RUN = "choose another workspace with --workspace"
CHANGEABLE = {field.name for field in dataclasses.fields(TrainConfig)}
"""Hyper-parameters that a run may go on with changed, by their last name: how long and how fast it learns, but not from
what."""

CHANGEABLE_PARTS = tuple(f"config.{part}" for part in ("schedule.", "optimizer.", "score", "runtime.", "hooks."))
"""The same of recipes that are made of parts."""


class ResumeError(ValueError):
    """The checkpoint to go on from is of another run."""


def check_belongs(path: Path, before: Mapping[str, Any], now: Mapping[str, Any], with_changes: bool = False) -> None:
    """Checks that a checkpoint is of a run with the same seed, data sets and labels; tells what else has changed.

    Args:
        path: the checkpoint, for the message.
        before: what it says about its run, as :meth:`ltr.admin.settings.Settings.summary` and :func:`data_sets` do.
        now: the same of the run that goes on.
        with_changes: only tell what has changed.

    Raises:
        ResumeError: it is another run; the message says in what.
    """
    first, second = _flat(plain(dict(before))), _flat(plain(dict(now)))
    names = [name for name in second if name == "seed" or name.startswith(("config.", "data."))]
    changed = [name for name in names if str(first.get(name, second[name])) != str(second[name])]
    if not changed:
        return
    different = [
        name for name in changed if name.rpartition(".")[2] not in CHANGEABLE and not name.startswith(CHANGEABLE_PARTS)
    ]
    if different and not with_changes:
        raise ResumeError(
            f"{path} is of another run: {_changes(different, first, second)}. Start with what it was started with, "
            f"{OTHER_RUN}, or go on all the same with --resume-with-changes"
        )
    say(f"unlike the checkpoint: {_changes(changed, first, second)}. Learning-rate schedules follow the new values")


def data_sets(loaders: Iterable[Any]) -> dict[str, str]:
    """Returns for each loader what it learns from: name, number of videos and a digest of their names a data set."""
    found = {}
    for loader in loaders:
        sampler = getattr(loader, "dataset", None)
        sets = getattr(sampler, "datasets", None) or [getattr(sampler, "dataset", None)]
        videos = [_describe(each) for each in sets if isinstance(each, BaseVideoDataset)]
        if videos:
            found[str(loader.name)] = " and ".join(videos)
    return found


def environment_words() -> list[str]:
    """Returns the paths that come from environment variables, as a shell takes them before a command.

    Paths that are not absolute are made so, since the command may be given in another directory.
    """
    words = []
    for name, value in sorted(os.environ.items()):
        if name.startswith("PYTRACKING_"):
            full = (
                str(Path(value).expanduser().absolute())
                if value and name.endswith(("_DIR", "_PATH", "_TOML"))
                else value
            )
            words.append(f"{name}={shlex.quote(full)}")
    return words


def command_to_go_on(words: Sequence[str]) -> str:
    """Returns the whole command that goes on with a training that was started with these words."""
    start = [sys.executable]
    if "LOCAL_WORLD_SIZE" in os.environ:
        start = ["torchrun", f"--nproc_per_node={os.environ['LOCAL_WORLD_SIZE']}"]
    given = [word for word in words if word not in ("--resume", "--resume-with-changes")]
    return " ".join([*environment_words(), shlex.join([*start, sys.argv[0], *given, "--resume"])])


def _describe(dataset: BaseVideoDataset) -> str:
    digest = hashlib.sha256()
    for video in range(len(dataset)):
        digest.update(f"{dataset.sequence_name(video)}\n".encode())
    return f"{dataset.name}, {len(dataset)} videos ({digest.hexdigest()[:8]})"


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Returns nested values by names with dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}{key}"
        flat.update(_flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value})
    return flat


def _changes(names: Iterable[str], first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    return "; ".join(f"{_title(name)} is {second[name]}, was {first[name]}" for name in names)


def _title(name: str) -> str:
    kind, _, rest = name.partition(".")
    return f"what {rest!r} learns from" if kind == "data" else rest or kind
