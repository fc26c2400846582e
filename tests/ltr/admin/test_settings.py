from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import torch

from ltr.admin.checkpoint import plain
from ltr.admin.settings import Settings, SettingsError, TrainConfig


@dataclass
class Labels:
    radius: float = 2.0


@dataclass
class Recipe(TrainConfig):
    temperature: float = 0.5
    scales: tuple[float, ...] = (1.0,)
    size: tuple[int, int] = (127, 255)
    backbone: str = "resnet18"
    data: Path | None = None
    mode: Literal["causal", "interval"] = "causal"
    labels: Labels = field(default_factory=Labels)


def configured(**overrides: str) -> Recipe:
    return Settings("socl", "trial", overrides=overrides).configure(Recipe())


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("epochs", "7", 7),
        ("learning_rate", "1e-3", 1e-3),
        ("amp", "true", True),
        ("amp", "False", False),
        ("amp", "0", False),
        ("grad_clip", "none", None),
        ("grad_clip", "2.5", 2.5),
        ("temperature", "1", 1.0),
        ("scales", "0.9,1,1.1", (0.9, 1.0, 1.1)),
        ("scales", "(0.9, 1.1)", (0.9, 1.1)),
        ("size", "64,128", (64, 128)),
        ("backbone", "alexnet", "alexnet"),
        ("data", "/videos", Path("/videos")),
        ("mode", "interval", "interval"),
    ],
)
def test_a_setting_is_read_as_the_type_of_its_field(workspace: Path, key: str, text: str, value: object) -> None:
    config = configured(**{key: text})
    assert getattr(config, key) == value
    assert type(getattr(config, key)) is type(value)


def test_a_setting_of_a_part_is_named_with_a_dot(workspace: Path) -> None:
    config = Settings("socl", "trial", overrides={"labels.radius": "3"}).configure(Recipe())
    assert config.labels.radius == 3.0


def test_settings_that_are_not_given_keep_the_recipes_values(workspace: Path) -> None:
    assert configured() == Recipe()


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("temprature", "1", "unknown setting 'temprature'. Did you mean 'temperature'"),
        ("labels.radus", "1", "unknown setting 'labels.radus'. Did you mean 'labels.radius'"),
        ("epochs.x", "1", "unknown setting"),
        ("epochs", "many", "epochs=many: expected a whole number"),
        ("epochs", "2.5", "expected a whole number"),
        ("amp", "maybe", "amp=maybe: expected true or false or none"),
        ("grad_clip", "much", "grad_clip=much: expected a number or none"),
        ("size", "1,2,3", "expected 2 values"),
        ("mode", "casual", "expected causal or interval"),
        ("labels", "3", "labels cannot be set as text"),
        ("epochs", "0", "epochs is 0, but must be at least 1"),
        ("learning_rate", "-1", "learning_rate is -1.0, but must be a positive number"),
        ("learning_rate", "nan", "learning_rate=nan: expected a number"),
        ("num_workers", "-1", "num_workers is -1"),
        ("average_decay", "1", "average_decay is 1.0"),
    ],
)
def test_a_wrong_setting_is_an_error_that_says_what_would_be_right(
    workspace: Path, key: str, text: str, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        configured(**{key: text})
    assert message in str(caught.value)


def test_an_unknown_attribute_of_the_settings_is_an_error(workspace: Path) -> None:
    settings = Settings("socl", "trial")
    with pytest.raises(SettingsError, match="unknown setting 'sed'.*Did you mean 'seed'"):
        settings.sed = 3  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match="hyper-parameter: set it in the recipe's TrainConfig"):
        settings.batch_size = 3  # type: ignore[attr-defined]


def test_a_runs_place_follows_from_its_names(workspace: Path) -> None:
    settings = Settings("socl", "trial", device=torch.device("cpu"))
    assert settings.project_path == "ltr/socl/trial"
    assert settings.checkpoint_dir == workspace / "checkpoints" / "ltr" / "socl" / "trial"


def test_what_a_checkpoint_says_of_the_settings_is_plain_data(workspace: Path) -> None:
    settings = Settings("socl", "trial", seed=3)
    settings.configure(Recipe(data=Path("/videos")))
    summary = plain(settings.summary())
    assert summary["seed"] == 3
    assert summary["config"]["data"] == "/videos"
    assert summary["versions"]["torch"] == torch.__version__
