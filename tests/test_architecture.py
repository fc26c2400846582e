"""The shape of the house: which way imports go, what an import costs, and that whatever is registered works."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

import ltr.registry
import pytracking.registry
from ltr.registry import Registry, load_plugins

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parents[1]
WINGS = ("ltr", "pytracking", "socl_plugins")
OPTIONAL = (
    *("visdom", "matplotlib", "jpeg4py", "safetensors", "tensorboard", "ray", "dask", "trax", "faiss"),
    *("onnx", "onnxruntime", "huggingface_hub"),
)
LONGEST_FILE = 400

REGISTRIES = {
    f"{module.__name__}.{name}": value
    for module in (ltr.registry, pytracking.registry)
    for name, value in vars(module).items()
    if isinstance(value, Registry)
}


def files(*folders: str) -> list[Path]:
    """The project's Python files in these folders; the users' own files are theirs."""
    found = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [path.relative_to(REPOSITORY) for path in found if path.name != "local.py"]


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports anywhere in it, and the line."""
    for node in ast.walk(ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", node.lineno


def loaded_with(path: Path, modules: Collection[str]) -> set[str]:
    """Which of the modules a file asks for when it is imported: not what only its types or functions name."""
    found: set[str] = set()

    def visit(nodes: list[ast.stmt]) -> None:
        for node in nodes:
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                found.update(name if name in modules else node.module for name in inside)
            elif (
                isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test) or isinstance(node, ast.Try)
            ):
                visit([*node.body, *node.orelse])

    visit(ast.parse((REPOSITORY / path).read_text(encoding="utf-8")).body)
    return found & set(modules)


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def run_python(code: str) -> str:
    """What ``code`` prints in a fresh interpreter that finds the project; its traceback fails the test."""
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("wing", "unknown"), [("ltr", ("pytracking", "socl_plugins")), ("pytracking", ("socl_plugins",))]
)
def test_imports_go_one_way(wing: str, unknown: tuple[str, ...]) -> None:
    wrong = [
        f"{path}:{line} imports {module}"
        for path in files(wing)
        for module, line in imported(path)
        if module.split(".")[0] in unknown
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {module_name(path): path for path in files(*WINGS)}
    graph = {name: loaded_with(path, modules) - {name} for name, path in modules.items()}
    while leaves := [name for name, needs in graph.items() if not needs]:
        graph = {name: needs - set(leaves) for name, needs in graph.items() if name not in leaves}
    assert not graph, f"these modules, or those that need them, lie on a circle: {sorted(graph)}"


def test_neither_learning_nor_tracking_names_the_plugins_that_use_them() -> None:
    texts = {str(path): (REPOSITORY / path).read_text("utf-8") for path in files("ltr", "pytracking")}
    assert not [path for path, text in texts.items() if "socl_plugins" in text]


@pytest.mark.parametrize("module", ["ltr", "ltr.registry", "ltr.admin", "ltr.admin.environment", "pytracking"])
def test_the_first_imports_cost_next_to_nothing(module: str) -> None:
    heavy = (*OPTIONAL, "cv2", "torchvision", "scipy")
    assert run_python(f"import {module}; print([name for name in {heavy} if name in sys.modules])").strip() == "[]"


IMPORT_ALL = """
import importlib, ltr.registry, pytracking.registry
from ltr.registry import Registry, load_plugins
sys.modules.update(dict.fromkeys({optional}))  # None: as if it were not installed
load_plugins({plugins})
registries = [value for module in (ltr.registry, pytracking.registry) for value in vars(module).values()]
names = lambda: {{entry.kind: entry.names() for entry in registries if isinstance(entry, Registry)}}
known = names()
for module in {modules}:
    importlib.import_module(module)
for kind, found in names().items():
    print(*(f"{{kind}} {{name}}" for name in found if name not in known[kind]), sep="\\n", end="")
"""


@pytest.mark.long
def test_every_module_can_be_imported_without_the_optional_packages_and_registers_nothing_unannounced() -> None:
    modules = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in files(*WINGS)
        if path.name != "__main__.py"
    ]
    plugins = ["pytracking.plugin", "socl_plugins.plugin"]
    late = run_python(IMPORT_ALL.format(optional=OPTIONAL, plugins=plugins, modules=modules))
    assert not late, f"the plugin module does not refer to it, so nobody finds it by its name: {late}"


def test_every_package_says_what_lives_there() -> None:
    folders = {path.parent for path in files(*WINGS)}
    silent = []
    for folder in sorted(folders):
        init = REPOSITORY / folder / "__init__.py"
        if not init.is_file() or not ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))):
            silent.append(f"{folder}/__init__.py")
    assert not silent


def test_a_file_has_one_job() -> None:
    lengths = {str(path): len((REPOSITORY / path).read_text("utf-8").splitlines()) for path in files(*WINGS, "tests")}
    assert not {path: length for path, length in lengths.items() if length > LONGEST_FILE}


@pytest.fixture(scope="module")
def plugins() -> list[str]:
    """The project's own plugins, loaded as its entry points name them."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = list(project["entry-points"][ltr.registry.ENTRY_POINT_GROUP].values())
    load_plugins(names)
    return names


def test_every_kind_of_thing_has_a_registry() -> None:
    kinds = {name.rsplit(".", 1)[-1] for name in REGISTRIES}
    assert kinds >= {"NETWORKS", "BACKBONES", "ACTORS", "DATASETS", "SAMPLERS", "PROCESSINGS", "TRAIN_SETTINGS"}
    assert kinds >= {"HELD_OUT_SCORES", "TRACKERS", "PARAMETERS", "BENCHMARKS", "EXPERIMENTS", "CLICK_TO_BOX"}


@pytest.mark.parametrize("name", REGISTRIES)
def test_whatever_is_registered_can_be_called_and_says_what_it_is(name: str, plugins: list[str]) -> None:
    registry = REGISTRIES[name]
    entries = {entry: registry[entry] for entry in registry.names()}
    assert entries, f"nothing is registered in {name}"
    mute = [entry for entry, value in entries.items() if not callable(value) or not (value.__doc__ or "").strip()]
    assert not mute, f"{name}: no docstring: {mute}"


def test_weak_label_recipes_come_in_by_the_entry_point(plugins: list[str]) -> None:
    assert "socl_plugins.plugin" in plugins
    assert "socl/socl_res18" in ltr.registry.TRAIN_SETTINGS
    assert "tracking_auc" in ltr.registry.HELD_OUT_SCORES
