"""Parts of a recipe are looked up by name: one is exchanged by --set and a plugin of one file, without a new recipe."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ltr import run_training
from ltr.admin.checkpoint import load_checkpoint
from ltr.config import Recipe
from ltr.config.overrides import flat
from ltr.config.part import Actor, options_of
from ltr.registry import ACTORS, TRAIN_SETTINGS, load_plugins
from tests.recipes import SMALL, WITHOUT_SCORE, as_words, recipe

REPOSITORY = Path(__file__).resolve().parents[3]


PLUGIN = """
from ltr.actors.siamfc import SiamFCActor
from ltr.data.processing import SiamFCProcessing
from ltr.data.sampler import TrackingSampler
from ltr.models.tracking.siamfcnet import siamfc_resnet18
from ltr.registry import ACTORS, NETWORKS, PROCESSINGS, SAMPLERS


@ACTORS.register("my_actor", override=True)
class MyActor(SiamFCActor):
    def __init__(self, net, radius: float = 2.0, weight: float = 1.0):
        super().__init__(net, radius)
        print("my_actor", radius, weight)


@SAMPLERS.register("my_sampler", override=True)
class MySampler(TrackingSampler):
    def __init__(self, datasets, samples_per_epoch, processing, seed, max_gap: int = 3):
        super().__init__(datasets, None, samples_per_epoch, max_gap, processing=processing, seed=seed)
        print("my_sampler", max_gap)


@PROCESSINGS.register("my_processing", override=True)
class MyProcessing(SiamFCProcessing):
    def __call__(self, data, rng):
        print("my_processing")
        return super().__call__(data, rng)


@NETWORKS.register("my_network", override=True)
def my_network(calibrated: bool = True, output_layer: str = "layer1"):
    print("my_network", output_layer)
    return siamfc_resnet18(output_layer, calibrated=calibrated)
"""


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ({"actor": "my_actor", "actor.weight": 3}, "my_actor 2.0 3.0"),
        ({"sampler": "my_sampler"}, "my_sampler 50"),
        ({"processing": "my_processing"}, "my_processing"),
        ({"network": "my_network", "network.output_layer": "layer1"}, "my_network layer1"),
    ],
)
@pytest.mark.long
def test_a_part_is_exchanged_without_a_new_recipe(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, object], seen: str
) -> None:
    (tmp_path / "my.py").write_text(PLUGIN)
    words = as_words({**WITHOUT_SCORE, **settings})
    assert run_training.main(["siamfc", "box_siam_res18", "--plugin", str(tmp_path / "my.py"), *words]) == 0
    assert seen in capsys.readouterr().out, "and options that both have are kept"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("actor=simafc", "unknown actor 'simafc'. Did you mean 'siamfc'?"),
        ("actor.taw=1", "unknown setting 'actor.taw'. Did you mean 'actor' or 'actor.radius'?"),
        ("radius=1", "unknown setting 'radius'. It is a setting of another part: actor.radius."),
        ("optimizer.radius=1", "It is a setting of another part: actor.radius."),
        ("optimizer.learning_rat=1", "Did you mean 'optimizer.learning_rate'"),
        ("optimizer.rates.backbon=1", "unknown setting 'optimizer.rates.backbon'."),
        ("data.sets=gto10k_train", "unknown training data set"),
        ("data.sets=got10k_train", "got10k_dir is not set"),
        ("data.labels=clikcs", "unknown kind of labels 'clikcs'. Did you mean 'clicks'?"),
        ("score.name=acc", "no such held-out score"),
        ("schedule.epochs=" + "9" * 5000, "the value has 5000 characters"),
        ("processing.crop=3", "processing.crop cannot be set as text"),
        ("schedule.decay=linear", "expected cosine or epochs or geometric or none"),
    ],
)
def test_bad_input_is_one_line_that_says_what_is_right(
    workspace: Path, capsys: pytest.CaptureFixture[str], setting: str, told: str
) -> None:
    assert run_training.main(["siamfc", "box_siam_res18", *as_words(SMALL), "--set", setting]) == 1
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error
    assert not list(workspace.rglob("*.tar"))


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("socl/socl_res18", {"network": "transt18"}, "needs a SiamFCNet as net, but the recipe's is a TransT"),
        ("socl/socl_res18", {"processing": "siamfc"}, "needs a SoftContrastiveProcessing as processing"),
        ("siamfc/box_siam_res18", {"actor": "transt", "score": None}, "choose parts|has no"),
    ],
)
def test_parts_that_do_not_belong_together_are_named(
    workspace: Path, capsys: pytest.CaptureFixture[str], name: str, settings: dict[str, object], told: str
) -> None:
    few = {key: value for key, value in SMALL.items() if "score" not in settings or not key.startswith("score")}
    assert run_training.main([*name.split("/"), *as_words({**few, **settings})]) == 1
    error = capsys.readouterr().err
    assert re.search(told, error) and "Traceback" not in error


@pytest.mark.parametrize(("schedule", "batch"), [("short", 12), ("auto", 12), ("paper", 96)])
def test_a_setting_is_judged_in_the_schedule_that_is_trained_with(
    workspace: Path, capsys: pytest.CaptureFixture[str], schedule: str, batch: int
) -> None:
    few = as_words({"schedule.samples_per_video": None, "schedule.samples_per_epoch": 11})
    words = ["siamfc", "box_siam_res18", "--schedule", schedule, *few]
    assert run_training.main(words) == 1
    assert f"samples_per_epoch is 11, too few for one batch of {batch}" in capsys.readouterr().err


def test_an_unknown_schedule_is_refused(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_training.main(["siamfc", "box_siam_res18", "--schedule", "long"])
    assert "choose from" in capsys.readouterr().err


def test_a_part_that_asks_for_what_a_run_does_not_give_is_named(workspace: Path) -> None:
    @ACTORS.register("asks_for_much", override=True)
    class AsksForMuch:
        def __init__(self, net: object, sampler: object) -> None: ...

    try:
        with pytest.raises(ValueError, match="actor=asks_for_much: it asks for sampler, but the actor is given net"):
            Actor("asks_for_much").build(net=None)
    finally:
        del ACTORS._entries["asks_for_much"]


@pytest.mark.long
def test_every_recipe_says_each_of_its_settings_with_type_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    load_plugins()
    silent = set()
    for name in TRAIN_SETTINGS.names():
        if isinstance(TRAIN_SETTINGS[name], Recipe):
            for schedule in ("short", "paper"):
                made = recipe(name, schedule=schedule)
                for part in (made.network, made.sampler, made.processing, made.actor, made.data.labels):
                    options = options_of(part.registry[part.name])
                    assert set(part.options) <= set(options), "no recipe sets what is not there"
                    silent |= {f"{part.name}.{key}" for key, option in options.items() if not option.text}
                assert None not in flat(made)
    assert not silent, f"settings that the docstrings do not explain: {sorted(silent)}"
    assert run_training.main(["socl", "socl_res18", "--help"]) == 0
    printed = capsys.readouterr().out
    for line in ("actor.objective.tau=0.07", "schedule.epochs=4", "data.labels.proposals.keep=64", "score.videos=12"):
        assert line in printed
    assert run_training.main(["socl", "socl_res18", "--schedule", "paper", "--help"]) == 0
    assert "schedule.epochs=1000" in capsys.readouterr().out


def test_the_classes_of_configurations_have_no_ladders() -> None:
    from ltr import config

    for name in config.__all__:
        bases = [base for base in getattr(config, name).__mro__ if base is not object]
        assert len(bases) <= 2


WITHOUT_PYTRACKING = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pytracking", "socl_plugins"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
from ltr import run_training
sys.exit(run_training.main(sys.argv[1:]))
"""


@pytest.mark.long
def test_ltr_trains_without_pytracking(workspace: Path) -> None:
    few = {key: value for key, value in SMALL.items() if not key.startswith("score")}
    words = ["siamfc", "box_siam_res18", "--device", "cpu", "--workspace", str(workspace), *as_words(few)]
    command = [sys.executable, "-c", WITHOUT_PYTRACKING, *words]
    with_score = [*command, "--set", "score.name=tracking_auc"]
    asked = subprocess.run(with_score, cwd=REPOSITORY, capture_output=True, text=True, timeout=200)
    assert asked.returncode == 1 and "--set score=none does without" in asked.stderr
    done = subprocess.run(
        [*command, "--set", "score=none"], cwd=REPOSITORY, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    (kept,) = (workspace / "checkpoints/ltr/siamfc/box_siam_res18").glob("*_best.pth.tar")
    assert load_checkpoint(kept)["settings"]["schedule"] == "short"
