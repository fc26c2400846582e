"""A trainer of the toy problem, as the trainer's and the hooks' tests need it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ltr.admin.settings import Settings
from ltr.engine import LTRTrainer
from ltr.engine.random_state import seed_everything


@pytest.fixture
def make(workspace: Path, toy: ModuleType) -> Any:
    """Makes a trainer of the toy problem: ``make(resume=..., **hyper-parameters)``."""

    def make(
        *, seed: int = 0, resume: bool = False, name: str = "sums", build: dict[str, Any] | None = None, **knobs: Any
    ) -> LTRTrainer:
        seed_everything(seed)
        settings = Settings("toy", name, seed=seed, resume=resume)
        return toy.build(settings, toy.ToyConfig(**knobs), **(build or {}))

    return make
