"""Plugins: three ways in; a broken installed one is reported and survived, one named by hand stops the program."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Hooks have no home of their own, whose import would take seconds.
PLUGIN = """from ltr.registry import HOOKS

@HOOKS.register("{name}")
class Hook:
    pass
"""
LIST_HOOKS = """
import sys
from ltr.registry import HOOKS, PluginError, load_plugins
try:
    plugins = load_plugins(sys.argv[1:])
except PluginError as error:
    sys.exit(f"stopped: {error}")
print("hooks:", *HOOKS.names("my_*"))
for plugin in plugins:
    print("plugin:", plugin.name, "from", plugin.source, "failed" if plugin.error else "loaded")
"""
# Hides what is installed here, so that the plugins of the test are the only ones.
IGNORE_INSTALLED = """
import importlib.metadata as metadata
found = metadata.entry_points
def entry_points(**selection):
    points = found(**selection)
    if selection.get("group") != "pytracking.plugins":
        return points
    return [point for point in points if not point.value.startswith(("pytracking.", "socl_plugins."))]
metadata.entry_points = entry_points
"""

Load = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory on sys.path, as site-packages is."""
    directory = tmp_path / "site"
    directory.mkdir()
    return directory


@pytest.fixture
def load(site: Path, tmp_path: Path) -> Load:
    """Loads plugins in a fresh interpreter, named in the arguments or in ``variable``, and lists the hooks."""

    def run(*named: str, variable: str = "") -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTRACKING_")}
        code = f"import sys; sys.path[:0] = {[str(site), str(REPOSITORY)]}; exec({IGNORE_INSTALLED + LIST_HOOKS!r})"
        variables["PYTRACKING_PLUGINS"] = variable
        command = [sys.executable, "-c", code, *named]
        return subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return run


def install(site: Path, package: str, module: str, text: str) -> None:
    """Puts a package with one module and its entry point where pip would put them."""
    (site / f"{module}.py").write_text(text)
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[pytracking.plugins]\n{package} = {module}\n")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_an_installed_package_comes_in_by_its_entry_point(site: Path, load: Load) -> None:
    install(site, "somebodys-package", "somebodys_plugin", PLUGIN.format(name="my_hook"))
    done = load()
    assert done.returncode == 0 and "hooks: my_hook" in done.stdout, done.stderr
    assert "plugin: somebodys_plugin from the installed package's entry point 'somebodys-package' loaded" in done.stdout


def test_a_single_file_is_a_plugin(load: Load, tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", PLUGIN.format(name="my_hook"))
    assert "hooks: my_hook" in load(str(file)).stdout
    assert "hooks: my_hook" in load("mine.py").stdout  # relative to the current directory


def test_a_module_can_be_named(site: Path, load: Load) -> None:
    write(site / "my_module.py", PLUGIN.format(name="my_hook"))
    assert "hooks: my_hook" in load("my_module").stdout


def test_the_variable_names_several(site: Path, load: Load, tmp_path: Path) -> None:
    write(site / "my_module.py", PLUGIN.format(name="my_first"))
    file = write(tmp_path / "mine.py", PLUGIN.format(name="my_second"))
    done = load(variable=f"my_module, {file},")
    assert "hooks: my_first my_second" in done.stdout, done.stderr
    assert "plugin: my_module from PYTRACKING_PLUGINS loaded" in done.stdout


def test_a_plugin_named_in_several_ways_is_loaded_once(site: Path, load: Load, tmp_path: Path) -> None:
    install(site, "my-package", "my_module", PLUGIN.format(name="my_installed"))
    file = write(tmp_path / "mine.py", PLUGIN.format(name="my_own"))
    done = load("my_module", "mine.py", str(file), variable=str(file))
    assert done.returncode == 0 and "hooks: my_installed my_own" in done.stdout, done.stderr


def test_two_files_of_one_name_are_two_plugins(load: Load, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "mine.py", PLUGIN.format(name=f"my_{name}"))
    assert "hooks: my_a my_b" in load("a/mine.py", "b/mine.py").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("class Broken(:\n", "SyntaxError"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
    ],
)
def test_a_broken_installed_plugin_is_reported_by_name_and_survived(
    site: Path, load: Load, text: str, said: str
) -> None:
    install(site, "a-broken-package", "broken_plugin", text)
    install(site, "b-good-package", "good_plugin", PLUGIN.format(name="my_hook"))
    done = load()
    assert done.returncode == 0 and "hooks: my_hook" in done.stdout
    assert "warning: plugin 'broken_plugin'" in done.stderr and "'a-broken-package'" in done.stderr
    assert said in done.stderr


@pytest.mark.long
def test_a_broken_plugin_leaves_none_of_its_registrations_behind(site: Path, load: Load, tmp_path: Path) -> None:
    package = site / "halfway"
    package.mkdir()
    (package / "__init__.py").touch()
    good = "import ltr.actors\nfrom ltr.registry import TRAIN_SETTINGS\nTRAIN_SETTINGS.search('halfway', 'run')\n"
    write(package / "first.py", good + PLUGIN.format(name="my_first"))
    paths = "\nfrom ltr.admin.environment import register_path\nregister_path('halfway_dir', 'what was half done')\n"
    actors = "from ltr.registry import ACTORS\n"
    override = f"{paths}\n{actors}@ACTORS.register('siamfc', override=True)\nclass Mine:\n    pass\n"
    write(package / "plugin.py", f"import halfway.first\n{PLUGIN.format(name='my_second')}{override}\n1 / 0\n")
    install(site, "a-broken-package", "unused", "import halfway.plugin\n")
    (site / "a-broken-package-1.0.dist-info" / "entry_points.txt").write_text(
        "[pytracking.plugins]\nbroken = halfway.plugin\n"
    )
    check = write(
        tmp_path / "check.py",
        "import sys\nfrom ltr.admin.environment import PATHS\nfrom ltr.registry import ACTORS, TRAIN_SETTINGS\n"
        "assert 'halfway_dir' not in PATHS and 'workspace_dir' in PATHS\n"
        "assert ACTORS['siamfc'].__module__ == 'ltr.actors.siamfc', ACTORS['siamfc']\n"
        "assert not [name for name in sys.modules if name.startswith('halfway')]\n"
        "assert 'siamfc/box_siam_res18' in TRAIN_SETTINGS and 'first' not in TRAIN_SETTINGS\n",
    )
    done = load(str(check))
    assert "ZeroDivisionError" in done.stderr and "is left out" in done.stderr
    assert done.returncode == 0 and "hooks:\n" in done.stdout, done.stderr

    # Once it is mended, it can be loaded by name in the same process.
    again = f"from pathlib import Path\nPath({str(package / 'plugin.py')!r}).write_text('import halfway.first')\n"
    write(tmp_path / "mend.py", again)
    done = load(str(tmp_path / "mend.py"), "halfway.plugin")
    assert "hooks: my_first" in done.stdout, done.stderr


@pytest.mark.parametrize("way", ["--plugin", "PYTRACKING_PLUGINS"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken.py", "No module named 'no_such_module'"),
        ("missing.py", "there is no file"),
        ("no_such_plugin", "No module named 'no_such_plugin'"),
    ],
)
def test_a_broken_plugin_named_by_hand_stops_the_program(
    load: Load, tmp_path: Path, way: str, name: str, said: str
) -> None:
    write(tmp_path / "broken.py", "\n\nimport no_such_module\n")
    done = load(name) if way == "--plugin" else load(variable=name)
    assert done.returncode == 1 and "hooks:" not in done.stdout
    assert f"stopped: the plugin '{name}', named with {way}, cannot be loaded" in done.stderr
    assert said in done.stderr


def test_a_plugin_that_takes_a_name_again_is_told_so(load: Load, tmp_path: Path) -> None:
    for name in ("first.py", "second.py"):
        write(tmp_path / name, PLUGIN.format(name="my_hook"))
    done = load("first.py", "second.py")
    assert done.returncode == 1
    assert "the hook 'my_hook' is registered already" in done.stderr and "'second.py'" in done.stderr
