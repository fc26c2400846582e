"""Recipes made small, for tests that train by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ltr
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings
from ltr.config import Recipe
from ltr.config.data import TrainingVideos
from ltr.config.run import Assembly, assemble
from ltr.dataset.base_video_dataset import BaseVideoDataset

SMALL: dict[str, Any] = {
    "data.embedded_videos": 2,
    "schedule.epochs": 1,
    "schedule.samples_per_video": None,
    "schedule.samples_per_epoch": 4,
    "schedule.batch_size": 2,
    "score.videos": 1,
    "score.frames": 2,
    "runtime.num_workers": 0,
}
TINY = {  # for a study, which has its own score and schedule
    "schedule.epochs": "1",
    "schedule.samples_per_epoch": "4",
    "schedule.batch_size": "2",
    "data.embedded_videos": "2",
}
WITHOUT_SCORE: dict[str, Any] = {
    **{key: value for key, value in SMALL.items() if not key.startswith("score")},
    "score": None,
}
FEW_PROPOSALS = {"data.labels.prepare_frames": 0, "data.labels.proposals.random_count": 200}
SMALL_DIMP: dict[str, Any] = {
    **SMALL,
    "schedule.samples_per_epoch": 2,
    "processing.train.size": 96,
    "processing.test.size": 96,
    "processing.label.cells": 6,
    "network.init_gauss_sigma": 0.3,
    "network.optim_iter": 1,
    "sampler.num_train_frames": 1,
    "sampler.num_test_frames": 1,
}
SMALL_TRANST = {**SMALL, "schedule.samples_per_epoch": 2, "network.fusion_layers": 1, "network.hidden": 16}


def as_words(settings: Mapping[str, Any]) -> list[str]:
    """Returns settings as the command line takes them."""

    def text(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, tuple) else "none" if value is None else str(value)

    return [word for key, value in settings.items() for word in ("--set", f"{key}={text(value)}")]


def recipe(name: str, overrides: Mapping[str, Any] | None = None, schedule: str = "short") -> Recipe:
    """Returns a recipe in one of its schedules."""
    return ltr.recipe(name).scheduled(schedule, overrides)  # type: ignore[arg-type]


def assembled(
    name: str,
    overrides: Mapping[str, Any],
    datasets: Sequence[BaseVideoDataset],
    env: Environment | None = None,
    seed: int = 0,
) -> Assembly:
    """Returns the parts of a recipe, built for some videos; nothing is trained."""
    settings = Settings(*name.split("/"), env=env or Environment(workspace_dir=Path("nowhere")), seed=seed)
    videos = TrainingVideos(datasets, [1.0] * len(datasets), embedded=False)
    return assemble(recipe(name, overrides), settings, videos)
