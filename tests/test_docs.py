"""What the documentation shows works as it is written there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_checkpoint
from ltr.dataset.export import export_got10k
from ltr.dataset.synthetic import SyntheticVideo
from ltr.registry import load_plugins
from pytracking.registry import PARAMETERS
from tests.conftest import load_module
from tests.recipes import SMALL, as_words

REPOSITORY = Path(__file__).resolve().parents[1]
PLUGINS = REPOSITORY / "docs/plugins.md"


def block(document: Path, language: str, number: int = 0) -> str:
    """One of the blocks of code in that language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) > number, f"{document} shows no {language} number {number + 1}"
    return str(found[number])


@pytest.mark.long
def test_the_tracker_in_one_file_is_complete_and_tracks(workspace: Path, tmp_path: Path) -> None:
    plugin = block(PLUGINS, "python")
    (tmp_path / "my_tracker.py").write_text(plugin, encoding="utf-8")
    assert len(plugin.splitlines()) < 50
    python, script, *arguments = shlex.split(block(PLUGINS, "bash"))
    assert python == "python" and "my_tracker.py" in arguments
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / script), *arguments, "--sequence", "0000"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    boxes = np.loadtxt(workspace / "tracking_results/ncc/default/synthetic-0000.txt", delimiter="\t")
    assert boxes.shape == (60, 4) and np.isfinite(boxes).all()
    assert len(np.unique(boxes[:, :2], axis=0)) > 10, "the tracker never moved"


def test_the_learning_method_in_one_file_is_complete(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = block(PLUGINS, "python", 1)
    assert len(plugin.splitlines()) < 120
    (tmp_path / "my_method.py").write_text(plugin, encoding="utf-8")
    source = SyntheticVideo(3, num_frames=4, size=(96, 128), seed=9)
    for video in range(3):
        folder = tmp_path / "my_videos" / f"video {video}"
        folder.mkdir(parents=True)
        boxes = source.get_sequence_info(video)["bbox"].numpy()
        np.savetxt(folder / "clicks.csv", boxes[:, :2] + boxes[:, 2:] / 2, delimiter=",")
        for frame in range(4):
            cv2.imwrite(str(folder / f"{frame + 1}.jpg"), source.load_frame(video, frame)[..., ::-1])
    few = {key: value for key, value in SMALL.items() if key != "data.embedded_videos"}
    words = [*as_words(few), "--plugin", str(tmp_path / "my_method.py"), "--device", "cpu"]
    script, module, name, *_ = shlex.split(block(PLUGINS, "bash", 1).splitlines()[0])[2:]
    assert run_training.main([module, name, *words]) == 1
    assert "mine_dir is not set" in capsys.readouterr().err
    monkeypatch.setenv("PYTRACKING_MINE_DIR", str(tmp_path / "my_videos"))
    assert run_training.main([module, name, *words]) == 0
    checkpoint = load_checkpoint(best_checkpoint("mine/place"))
    assert checkpoint["settings"]["config"]["data.labels.side"] == 48
    assert "schedule: short, 1 epochs of 4 samples of 3 videos" in capsys.readouterr().out
    assert PARAMETERS["siamfc/place"]().network == "mine/place"
    assert run_training.main([module, name, *words, "--help"]) == 0
    assert "actor.temperature=1" in capsys.readouterr().out
    exchanged = shlex.split(block(PLUGINS, "bash", 2).replace("\\\n", " "))[3:]
    assert exchanged[:2] == ["socl", "socl_res18"] and "actor=place" in exchanged
    exchanged[exchanged.index("my_method.py")] = str(tmp_path / "my_method.py")
    assert run_training.main([*exchanged, *as_words(few), "--device", "cpu"]) == 0


@pytest.mark.long
def test_the_data_set_in_one_file_brings_its_path(workspace: Path, tmp_path: Path) -> None:
    section = PLUGINS.read_text(encoding="utf-8").partition("## Your own training videos")[2]
    (tmp_path / "section.md").write_text(section, encoding="utf-8")
    (tmp_path / "my_videos.py").write_text(block(tmp_path / "section.md", "python"), encoding="utf-8")
    export_got10k(SyntheticVideo(2, num_frames=3), tmp_path / "mine", "train")
    for line in block(tmp_path / "section.md", "bash").splitlines():
        variable, python, *arguments = shlex.split(line)
        assert python == "python" and variable == "PYTRACKING_MINE_DIR=/data/mine"
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTRACKING_MINE_DIR": str(tmp_path / "mine")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert str(tmp_path / "mine") in done.stdout or "6 frames" in done.stdout


def systems(column: int) -> list[str]:
    """The names in a column of the table of systems: 1 what trains, 2 what tracks."""
    text = (REPOSITORY / "docs" / "systems.md").read_text("utf-8")
    table = text[text.index("| system | train | track |") :].split("\n\n")[0]
    return re.findall(r"`(.+?)`", " ".join(row.split("|")[column + 1] for row in table.splitlines()[2:]))


@pytest.mark.parametrize("recipe", systems(1))
def test_every_recipe_of_the_table_starts(recipe: str, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # It comes as far as its configuration, which says that there is no such setting.
    assert run_training.main([*recipe.split(), "--set", "no_such_setting=1"]) == 1
    assert "no_such_setting" in capsys.readouterr().err


@pytest.mark.parametrize("parameters", systems(2))
def test_every_parameter_set_of_the_table_is_there(parameters: str, workspace: Path) -> None:
    from ltr.models.backbone import resnet18
    from pytracking.registry import PARAMETERS, TRACKERS

    (workspace / "networks").mkdir()  # stands for ImageNet's weights, where they would be downloaded
    torch.save(resnet18("layer3").state_dict(), workspace / "networks/resnet18_imagenet.pth")
    load_plugins()
    tracker, name = parameters.split()
    assert callable(TRACKERS[tracker])
    params = PARAMETERS[f"{tracker}/{name}"]()
    assert params.network or getattr(params, "hand_crafted", ())


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md"))])
def test_every_link_to_a_file_of_the_project_leads_somewhere(page: str) -> None:
    text = (REPOSITORY / page).read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    missing = [target for target in targets if not (REPOSITORY / page).parent.joinpath(target).exists()]
    assert not missing


def test_what_the_architecture_page_points_at_is_there() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text("utf-8")
    table = text.partition("## Where is what")[2].partition("\n## ")[0]
    places = re.findall(r"`([a-z_]+/[^`]+)`", table)
    assert len(table.splitlines()) > 30 and len(places) > 60
    assert not [place for place in places if not (REPOSITORY / place).exists()]


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_the_numbers_of_a_page_are_those_of_the_files_of_results(name: str) -> None:
    page = load_module(REPOSITORY / "results" / "page.py")
    text = (REPOSITORY / name).read_text("utf-8")
    assert page.filled(text) == text, "run python results/page.py"
    assert text.count("| ") > 50


def test_what_is_said_of_a_claim_follows_from_its_numbers() -> None:
    page = load_module(REPOSITORY / "results" / "page.py")
    three = {"auc_sd": "3.0", "seeds": "9", "hours": "1.79"}
    assert page.standard_error(three, {**three, "auc_sd": "4.0", "seeds": "16"}) == pytest.approx(2**0.5)
    assert page.standard_error(three, {"auc_sd": "", "seeds": "1", "hours": ""}) == 1, "a tracker that no seed changes"
    assert page.standard_error(three, {"auc_sd": "", "seeds": "1", "hours": "1.79"}) is None, "one seed"
    differences = [(7, 2, 1), (-7, 2, 1), (1, 2, 1), (5, None, 1), (4, 2, 0), (1, 2, 0), (-7, 2, 0)]
    said = [page.verdict(*each) for each in differences]
    assert said == ["agrees", "disagrees", "not decided", "not decided", "agrees", "not decided", "disagrees"]
