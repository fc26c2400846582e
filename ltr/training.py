"""A training run from a recipe's name to its result: what the command line and :func:`ltr.train` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltr.admin.environment import using_workspace
from ltr.config.errors import SettingsError
from ltr.registry import TRAIN_SETTINGS, RegistryError, load_plugins, near_names

if TYPE_CHECKING:
    from ltr.config import Recipe
    from ltr.engine.result import TrainingResult


def run(
    recipe: str,
    overrides: Mapping[str, Any],
    *,
    schedule: str = "auto",
    workspace: str | Path | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    resume_with_changes: bool = False,
    plugins: Iterable[str] = (),
) -> TrainingResult:
    """Trains a network; arguments and errors are those of :func:`ltr.train`."""
    from ltr.admin.ownership import own
    from ltr.admin.settings import Settings
    from ltr.engine import TrainingResult, distributed
    from ltr.engine.random_state import seed_everything
    from ltr.engine.resume import OTHER_RUN

    load_plugins(plugins)
    entry = find_recipe(recipe)
    with using_workspace(workspace):
        module, _, name = recipe.partition("/")
        settings = Settings(
            module,
            name,
            seed=seed,
            device=distributed.local_device(_choose_device(device)),
            overrides=dict(overrides),
            schedule=schedule,
            resume=resume or resume_with_changes,
            resume_with_changes=resume_with_changes,
        )
        distributed.start(settings.device)
        # Held before a recipe spends minutes on preparing its data.
        with own(settings.checkpoint_dir, OTHER_RUN) if distributed.is_main() else nullcontext():
            seed_everything(settings.seed)
            result = entry(settings)
        if not isinstance(result, TrainingResult):
            raise TypeError(f"the recipe {recipe} must return a TrainingResult, not {result!r}")
        distributed.stop()
        return result


def find_recipe(recipe: str) -> Callable[..., Any]:
    """Returns a registered recipe: a :class:`ltr.config.Recipe`, or a function of the run's settings.

    Raises:
        RegistryError: there is none of that name; the message has near ones.
    """
    if recipe not in TRAIN_SETTINGS:
        name = recipe.partition("/")[2]
        known = TRAIN_SETTINGS.names()
        same = near_names(name, [other.partition("/")[2] for other in known]) if not near_names(recipe, known) else ""
        rest = " --list shows all." if known else " None is known, so the project is not installed: bash install.sh"
        raise RegistryError(f"unknown training recipe {recipe!r}.{near_names(recipe, known)}{same}{rest}")
    return TRAIN_SETTINGS[recipe]


def recipe_of_parts(name: str) -> Recipe:
    """Returns a recipe; errors are those of :func:`ltr.recipe`."""
    from ltr.config import Recipe

    load_plugins()
    found = find_recipe(name)
    if not isinstance(found, Recipe):
        raise SettingsError(f"the recipe {name} is a function of the run's settings: its numbers are in its code")
    return found


def _choose_device(choice: str) -> str:
    from ltr.admin.devices import KINDS, named_device

    if choice not in KINDS:
        raise SettingsError(f"device is {choice!r}: choose {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    return named_device(choice).type
