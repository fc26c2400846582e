"""Paths: who wins, what a mistake is told, and that no file of the user is ever changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ltr.registry
from ltr.admin import environment
from ltr.admin.environment import PATHS, Environment, EnvironmentError_, load_environment
from ltr.registry import DATASETS, RegistryError
from socl_plugins.clicks.__main__ import main as clicks_command

TRAINING_LOCAL = """class EnvironmentSettings:
    def __init__(self):
        self.workspace_dir = '/ours/workspace'
        self.tensorboard_dir = self.workspace_dir + '/tensorboard/'
        self.lasot_dir = '/ours/lasot'
        self.davis_dir = '/ours/davis'
        self.coco_dir = ''
"""
EVALUATION_LOCAL = """from pytracking.evaluation.environment import EnvSettings

def local_env_settings():
    settings = EnvSettings()
    settings.otb_path = '/ours/otb'
    settings.lasot_path = '/ours/lasot_for_evaluation'
    settings.results_path = '/ours/results'
    settings.segmentation_path = '/ours/segmentation'
    return settings
"""
PATH_PLUGIN = "from ltr.admin.environment import register_path\nregister_path('mine_dir', 'my own videos')\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing configured: its home, current directory and installation are all empty."""
    for variable in [name for name in os.environ if name.startswith("PYTRACKING_")]:
        monkeypatch.delenv(variable)
    for name in ("home", "here", "install/ltr/admin", "install/pytracking/evaluation"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(environment, "ROOT", tmp_path / "install")
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_with_nothing_set_outputs_have_a_place_and_data_sets_have_none(machine: Path) -> None:
    paths = load_environment()
    assert paths.results_dir == paths.workspace_dir / "tracking_results"
    assert paths.source["results_dir"] == "default"
    assert all(getattr(paths, name) is None for name in PATHS if PATHS[name].output is None)


def test_outputs_follow_the_workspace(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTRACKING_WORKSPACE_DIR", "/runs")
    paths = load_environment()
    assert paths.tensorboard_dir == Path("/runs/tensorboard") and paths.network_dir == Path("/runs/networks")


def test_a_variable_wins_over_toml_which_wins_over_local_files(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = write(machine / "install/ltr/admin/local.py", TRAINING_LOCAL)
    assert load_environment().lasot_dir == Path("/ours/lasot")
    assert load_environment().source["lasot_dir"] == f"{local} line 5"
    toml = write(machine / "here/pytracking.toml", '# data\nlasot_dir = "/toml/lasot"\n')
    assert load_environment().lasot_dir == Path("/toml/lasot")
    assert load_environment().source["lasot_dir"] == f"{toml} line 2"
    monkeypatch.setenv("PYTRACKING_LASOT_DIR", "/variable/lasot")
    assert load_environment().lasot_dir == Path("/variable/lasot")
    assert load_environment().source["lasot_dir"] == "PYTRACKING_LASOT_DIR"
    assert load_environment().workspace_dir == Path("/ours/workspace")


def test_both_local_files_of_pytracking_are_understood(machine: Path) -> None:
    write(machine / "install/ltr/admin/local.py", TRAINING_LOCAL)
    write(machine / "install/pytracking/evaluation/local.py", EVALUATION_LOCAL)
    paths = load_environment()
    assert paths.otb_dir == Path("/ours/otb") and paths.results_dir == Path("/ours/results")
    assert paths.lasot_dir == Path("/ours/lasot")  # the training file comes first
    assert paths.coco_dir is None


def test_an_unfilled_template_of_pytracking_sets_nothing(machine: Path) -> None:
    write(machine / "install/ltr/admin/local.py", TRAINING_LOCAL.replace("/ours/workspace", ""))
    paths = load_environment()
    assert paths.source["workspace_dir"] == paths.source["tensorboard_dir"] == "default"
    assert paths.tensorboard_dir == paths.workspace_dir / "tensorboard"


def test_an_empty_variable_hides_what_a_file_sets(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(machine / "here/pytracking.toml", 'otb_dir = "/toml/otb"\n')
    monkeypatch.setenv("PYTRACKING_OTB_DIR", "")
    assert load_environment().otb_dir is None


def test_toml_is_looked_for_here_then_beside_the_package_then_at_home(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(machine / "home/.config/pytracking/pytracking.toml", 'otb_dir = "/home/otb"\n')
    assert load_environment().otb_dir == Path("/home/otb")
    write(machine / "install/pytracking.toml", 'otb_dir = "/install/otb"\n')
    assert load_environment().otb_dir == Path("/install/otb")
    write(machine / "here/pytracking.toml", 'otb_dir = "/here/otb"\n')
    assert load_environment().otb_dir == Path("/here/otb")
    monkeypatch.setenv("PYTRACKING_TOML", str(write(machine / "my.toml", 'otb_path = "videos/otb"\n')))
    assert load_environment().otb_dir == machine / "videos/otb"  # relative to the file, and otb_path means otb_dir


def test_validation_videos_are_found_beside_the_training_videos(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "got10k/train").mkdir(parents=True)
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(machine / "got10k/train"))
    assert load_environment().got10k_val_dir is None
    (machine / "got10k/val").mkdir()
    assert load_environment().got10k_val_dir == machine / "got10k/val"
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(machine / "got10k"))
    assert load_environment().got10k_val_dir == machine / "got10k/val"
    monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", "/elsewhere")
    assert load_environment().got10k_val_dir == Path("/elsewhere")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('# paths\notb_dri = "/data/otb"\n', ["line 2", "'otb_dri'", "'otb_dir'"]),
        ('lasot_dir = "/a"\notb_dir = /data/otb\n', ["line 2", "otb_dir = "]),
        ('\n\notb_dir = ["/data/otb"]\n', ["line 3", "otb_dir must be a path in quotes"]),
        ('otb_dir = "/a"\notb_path = "/b"\n', ["line 2", "line 1", "keep one"]),
        ('[paths]\notb_dir = "/a"\n', ["'paths'", "Known: "]),
    ],
)
def test_a_mistake_in_toml_is_told_with_file_line_and_fix(machine: Path, text: str, said: list[str]) -> None:
    file = write(machine / "here/pytracking.toml", text)
    with pytest.raises(EnvironmentError_) as error:
        load_environment()
    assert all(word in str(error.value) for word in [str(file), *said]), error.value
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("ltr/admin", TRAINING_LOCAL.replace("self.lasot_dir", "self.lasto_dir"), ["line 5", "'lasot_dir'"]),
        ("ltr/admin", TRAINING_LOCAL.replace("= '/ours/lasot'", "= 'ours"), ["line 5", "SyntaxError"]),
        ("ltr/admin", TRAINING_LOCAL.replace("'/ours/davis'", "data + '/davis'"), ["line 6", "NameError", "'data'"]),
        ("ltr/admin", TRAINING_LOCAL.replace("'/ours/lasot'", "3"), ["line 5", "lasot_dir must be a path"]),
        ("ltr/admin", "workspace_dir = '/ours'\n", ["EnvironmentSettings()"]),
        ("pytracking/evaluation", EVALUATION_LOCAL.replace("otb_path", "obt_path"), ["line 5", "'obt_path'"]),
        ("pytracking/evaluation", EVALUATION_LOCAL.replace("return settings", ""), ["local_env_settings()"]),
        ("pytracking/evaluation", "import no_such_module\n", ["line 1", "no_such_module"]),
    ],
)
def test_a_mistake_in_a_local_file_is_told_with_file_line_and_fix_and_the_file_is_kept(
    machine: Path, name: str, text: str, said: list[str]
) -> None:
    file = write(machine / "install" / name / "local.py", text)
    with pytest.raises(EnvironmentError_) as error:
        load_environment()
    assert all(word in str(error.value) for word in [str(file), *said]), error.value
    assert file.read_text() == text


def test_a_misspelt_variable_is_told_with_near_names_and_others_are_let_be(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTRACKING_PLUGINS", "")
    monkeypatch.setenv("PYTRACKING_THREADS", "4")
    load_environment()
    monkeypatch.setenv("PYTRACKING_LASTO_DIR", "/data")
    with pytest.raises(EnvironmentError_, match="PYTRACKING_LASTO_DIR.*'PYTRACKING_LASOT_DIR'"):
        load_environment()


def test_a_named_toml_file_that_is_not_there_is_an_error(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTRACKING_TOML", "/no/such.toml")
    with pytest.raises(EnvironmentError_, match="PYTRACKING_TOML is /no/such.toml"):
        load_environment()


def test_a_required_path_says_how_to_set_it(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentError_, match=r'otb_dir is not set.*PYTRACKING_OTB_DIR.*otb_dir = "/path/to/it"'):
        load_environment().require("otb_dir")
    monkeypatch.setenv("PYTRACKING_OTB_DIR", str(machine / "nowhere"))
    paths = load_environment()  # that the directory is missing matters only to who needs it
    with pytest.raises(EnvironmentError_, match=r"nowhere \(PYTRACKING_OTB_DIR\), and there is no such directory"):
        paths.require("otb_dir")
    (machine / "nowhere").mkdir()
    assert paths.require("otb_dir") == machine / "nowhere"
    with pytest.raises(EnvironmentError_, match="unknown path 'obt_dir'.*'otb_dir'"):
        paths.require("obt_dir")


def test_an_environment_can_be_made_by_hand(tmp_path: Path) -> None:
    paths = Environment(workspace_dir=tmp_path, results_dir=Path("/elsewhere"), otb_dir=tmp_path)
    assert paths.network_dir == tmp_path / "networks" and paths.results_dir == Path("/elsewhere")
    assert paths.require("otb_dir") == tmp_path


def test_the_command_line_says_what_is_set_where_and_what_is_missing(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = write(machine / "here/pytracking.toml", f'lasot_dir = "/no/lasot"\notb_dir = "{machine / "here"}"\n')
    assert environment.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in lines[2 : 2 + len(PATHS)]}
    assert rows["otb_dir"] == [str(machine / "here"), str(toml), "line", "2", "exists"]
    assert rows["lasot_dir"] == ["/no/lasot", str(toml), "line", "1", "MISSING"]
    assert rows["got10k_dir"] == ["-", "-", "not", "set"]
    assert lines[-1].startswith('Set PYTRACKING_GOT10K_DIR, or write the line got10k_dir = "/path/to/it" in ')
    toml.write_text('otb = "/data"\n')
    assert environment.main([]) == 1
    assert capsys.readouterr().err.startswith(f"error: {toml} line 1: unknown path 'otb'")


def test_python_m_prints_the_table_in_any_directory(workspace: Path) -> None:
    plugin = write(workspace / "mine.py", PATH_PLUGIN)
    command = [sys.executable, "-m", "ltr.admin.environment", "--plugin", str(plugin)]
    root = Path(__file__).resolve().parents[2]
    variables = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, env=variables, cwd=workspace, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
    row = next(line for line in done.stdout.splitlines() if line.startswith("workspace_dir"))
    assert row.split() == ["workspace_dir", str(workspace), "PYTRACKING_WORKSPACE_DIR", "exists"]
    assert "\nmine_dir " in done.stdout


def test_the_workspace_lies_in_a_checkout_or_else_where_one_works(machine: Path) -> None:
    assert load_environment().workspace_dir == machine / "here/workspace", "installed as a wheel"
    (machine / "install/pyproject.toml").touch()
    assert load_environment().workspace_dir == machine / "install/workspace"


PLUGIN = """
from ltr.admin.environment import register_path
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.registry import DATASETS

@DATASETS.register("mine")
class Mine(BaseVideoDataset):
    '''My own videos.'''
"""


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's plugin registers goes with the test."""
    for registry in (PATHS, DATASETS):
        registry.names()  # what comes with the project is there, and stays
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))


def test_a_plugins_data_set_brings_its_path(
    machine: Path, registered: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = write(machine / "mine.py", f"{PLUGIN}\nregister_path('mine_dir', 'my own videos')\n")
    monkeypatch.setenv("PYTRACKING_MINE_DIR", str(machine / "here"))
    assert environment.main([]) == 1, "nobody knows the name yet"
    assert "PYTRACKING_MINE_DIR names no path" in capsys.readouterr().err
    assert environment.main(["--plugin", str(plugin)]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mine_dir"))
    assert row.split() == ["mine_dir", str(machine / "here"), "PYTRACKING_MINE_DIR", "exists"]
    paths = load_environment()
    assert paths.path("mine_dir") == getattr(paths, "mine_dir") == paths.require("mine_dir") == machine / "here"  # noqa: B009
    monkeypatch.setenv("PYTRACKING_MIEN_DIR", str(machine))
    with pytest.raises(EnvironmentError_, match="PYTRACKING_MIEN_DIR names no path.*'PYTRACKING_MINE_DIR'"):
        load_environment()
    monkeypatch.delenv("PYTRACKING_MIEN_DIR")
    monkeypatch.delenv("PYTRACKING_MINE_DIR")
    assert load_environment().path("mine_dir") is None
    write(machine / "here/pytracking.toml", 'mine_dir = "videos"\n')
    assert load_environment().path("mine_dir") == machine / "here/videos"


def test_paths_are_known_in_a_process_that_has_not_loaded_the_plugins_yet(
    machine: Path, registered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = write(machine / "mine.py", PATH_PLUGIN)
    monkeypatch.setenv("PYTRACKING_PLUGINS", str(plugin))
    monkeypatch.setenv("PYTRACKING_MINE_DIR", "/videos")
    assert load_environment().path("mine_dir") == Path("/videos")


def test_a_plugins_output_lies_below_the_workspace(registered: None, tmp_path: Path) -> None:
    environment.register_path("masks_dir", "masks", output="my_masks")
    assert Environment(workspace_dir=tmp_path).path("masks_dir") == tmp_path / "my_masks"
    assert Environment(workspace_dir=tmp_path, others={"masks_dir": Path("/m")}).path("masks_dir") == Path("/m")


def test_a_path_is_registered_once_under_a_name_of_the_usual_form(registered: None) -> None:
    environment.register_path("mine_dir", "my own videos")
    environment.register_path("mine_dir", "my own videos")  # such as by a plugin that is loaded in two ways
    with pytest.raises(RegistryError, match="the path 'mine_dir' is registered already"):
        environment.register_path("mine_dir", "something else")
    for name in ("mine", "Mine_dir", "my videos_dir"):
        with pytest.raises(EnvironmentError_, match=f"'{name}' is no name of a path"):
            environment.register_path(name, "my own videos")


def test_a_data_set_without_a_path_says_how_to_register_one(
    machine: Path, registered: None, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin = write(machine / "mine.py", PLUGIN)
    command = ["cost", "--dataset", "mine", "--plugin", str(plugin)]
    assert clicks_command(command) == 1
    assert 'register_path("mine_dir", "what lies there")' in capsys.readouterr().err
    assert clicks_command([*command, "--root", str(machine / "nowhere")]) == 1
    assert f"there is no folder {machine / 'nowhere'}" in capsys.readouterr().err


def test_an_unknown_attribute_is_told_near_names() -> None:
    with pytest.raises(AttributeError, match="unknown path 'obt_dir'.*'otb_dir'"):
        getattr(Environment(), "obt_dir")  # noqa: B009


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("~nouser/x", "there is no user 'nouser'"),
        ("a" * 5000, "a name in it is longer than 255 bytes"),
        (" ", "expected a path"),
    ],
)
def test_what_is_no_path_is_said_with_its_place(
    machine: Path, monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("PYTRACKING_OTB_DIR", value)
    with pytest.raises(EnvironmentError_, match=f"the environment variable PYTRACKING_OTB_DIR: .*{said}"):
        load_environment()
    monkeypatch.delenv("PYTRACKING_OTB_DIR")
    toml = write(machine / "here/pytracking.toml", f'otb_dir = "{value}"\n')
    with pytest.raises(EnvironmentError_, match=f"{toml} line 1: otb_dir: .*{said}"):
        load_environment()


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5000, '{a = {b = "c"}}'])
def test_toml_of_another_kind_is_an_error_of_one_line(machine: Path, value: str) -> None:
    toml = write(machine / "here/pytracking.toml", f"otb_dir = {value}\n")
    with pytest.raises(EnvironmentError_, match=str(toml)):
        load_environment()
