"""Registries: names in, objects out, and a wrong name is told what it may have meant."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ltr.registry import Registry, RegistryError, near_names


@pytest.fixture
def trackers() -> Registry[type]:
    registry: Registry[type] = Registry("tracker")
    for name in ("siamfc", "siamfc_deep", "eco"):
        registry.register(name)(type(name, (), {}))
    return registry


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[object]]:
    """A registry over a package on disk with the recipes siamfc/plain and siamfc/deep, and a private module."""
    package = tmp_path / "recipes_on_disk"
    (package / "siamfc").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "siamfc/__init__.py").touch()
    (package / "siamfc/plain.py").write_text("def run(settings):\n    return 'plain'\n")
    (package / "siamfc/deep.py").write_text("raise AssertionError('imported before it was asked for')\n")
    (package / "siamfc/_shared.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[object] = Registry("recipe")
    registry.search("recipes_on_disk", "run")
    yield registry
    for name in [name for name in sys.modules if name.startswith("recipes_on_disk")]:
        del sys.modules[name]


def test_a_name_gives_back_what_was_registered(trackers: Registry[type]) -> None:
    @trackers.register("mine")
    class Mine:
        pass

    assert trackers["mine"] is Mine and "mine" in trackers and len(trackers) == 4


def test_names_are_sorted_and_filtered_like_file_names(trackers: Registry[type]) -> None:
    assert list(trackers) == ["eco", "siamfc", "siamfc_deep"]
    assert trackers.names("siam*") == ["siamfc", "siamfc_deep"]
    assert trackers.names("SIAM*") == []


def test_an_unknown_name_is_told_near_names_and_where_they_were_looked_for(trackers: Registry[type]) -> None:
    trackers.search("email", "parameters")
    with pytest.raises(RegistryError) as error:
        trackers["siamcf"]
    message = str(error.value)
    assert message.startswith("unknown tracker 'siamcf'. Did you mean 'siamfc'")
    assert "registered names" in message and "the package email" in message
    assert "--plugin" in message and "PYTRACKING_PLUGINS" in message


def test_a_short_registry_lists_what_it_knows(trackers: Registry[type]) -> None:
    with pytest.raises(KeyError, match="Known: eco, siamfc, siamfc_deep"):
        trackers["quite another"]


def test_a_name_is_taken_once_unless_it_is_replaced_on_purpose(trackers: Registry[type]) -> None:
    first = trackers["eco"]
    with pytest.raises(RegistryError, match="the tracker 'eco' is registered already.*override=True"):
        trackers.register("eco")(int)
    assert trackers["eco"] is first
    trackers.register("eco", override=True)(int)
    assert trackers["eco"] is int and len(trackers) == 3


def test_a_decorator_without_its_parentheses_is_told(trackers: Registry[type]) -> None:
    with pytest.raises(RegistryError, match="by its name"):

        @trackers.register  # type: ignore[arg-type]
        class Nameless: ...


def test_a_module_of_a_searched_package_is_an_entry_and_is_imported_when_asked_for(recipes: Registry[object]) -> None:
    assert recipes.names() == ["siamfc/deep", "siamfc/plain"]
    assert recipes["siamfc/plain"](None) == "plain"
    with pytest.raises(AssertionError, match="imported before"):
        recipes["siamfc/deep"]


def test_a_found_module_keeps_its_name_unless_it_is_replaced_on_purpose(recipes: Registry[object]) -> None:
    with pytest.raises(RegistryError, match="registered already"):
        recipes.register("siamfc/plain")(print)
    recipes.register("siamfc/plain", override=True)(print)
    assert recipes["siamfc/plain"] is print and recipes.names() == ["siamfc/deep", "siamfc/plain"]


def test_a_module_that_lacks_what_it_should_have_is_named(recipes: Registry[object], tmp_path: Path) -> None:
    file = tmp_path / "recipes_on_disk/siamfc/empty.py"
    file.touch()
    with pytest.raises(RegistryError, match=f"'siamfc/empty' is {file}, which has no 'run'"):
        recipes["siamfc/empty"]


def test_a_package_that_cannot_be_imported_is_listed_and_an_error_when_asked_for(
    recipes: Registry[object], tmp_path: Path
) -> None:
    broken = tmp_path / "recipes_on_disk/broken"
    broken.mkdir()
    (broken / "__init__.py").write_text("import no_such_module\n")
    (broken / "net.py").touch()
    assert "broken/net" in recipes.names()
    with pytest.raises(ImportError, match="no_such_module"):
        recipes["broken/net"]


@pytest.fixture
def referring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[Callable[..., Any]]]:
    """A registry that refers to a function on disk, plainly, with an argument bound, and by a wrong name."""
    text = '''
        """A module that says what it is."""
        def build(size, depth=1):
            """Builds it.

            In detail.
            """
            return size, depth
    '''
    (tmp_path / "referred_on_disk.py").write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[Callable[..., Any]] = Registry("network")
    registry.refer("plain", "referred_on_disk:build")
    registry.refer("deep", "referred_on_disk:build", "Builds a deep one.", depth=9)
    registry.refer("missing", "referred_on_disk:biuld")
    yield registry
    sys.modules.pop("referred_on_disk", None)


def test_what_is_referred_to_is_imported_when_asked_for(referring: Registry[Callable[..., Any]]) -> None:
    assert referring.names() == ["deep", "missing", "plain"] and "plain" in referring
    assert "referred_on_disk" not in sys.modules
    assert referring["plain"] is sys.modules["referred_on_disk"].build
    assert referring["deep"](3) == (3, 9) and referring["deep"].__doc__ == "Builds a deep one."
    with pytest.raises(RegistryError, match="'missing' is referred_on_disk:biuld, which is not there"):
        referring["missing"]


def test_what_is_referred_to_has_its_name_alone(referring: Registry[Callable[..., Any]]) -> None:
    with pytest.raises(RegistryError, match="'plain' is registered already, as build of referred_on_disk"):
        referring.register("plain")(print)
    with pytest.raises(RegistryError, match="'deep' is registered already"):
        referring.refer("deep", "elsewhere:build")
    referring.register("plain", override=True)(print)
    assert referring["plain"] is print


def test_what_is_referred_to_may_carry_the_decorator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
        from test_kinds import NETWORKS
        @NETWORKS.register("decorated")
        class Net:
            pass
        @NETWORKS.register("other")
        class Other:
            pass
    """
    (tmp_path / "decorated_on_disk.py").write_text(textwrap.dedent(text))
    (tmp_path / "test_kinds.py").write_text("from ltr.registry import Registry\nNETWORKS = Registry('network')\n")
    monkeypatch.syspath_prepend(tmp_path)
    from test_kinds import NETWORKS

    NETWORKS.refer("decorated", "decorated_on_disk:Net")
    assert NETWORKS.names() == ["decorated"]
    assert NETWORKS["decorated"].__name__ == "Net" and NETWORKS.names() == ["decorated", "other"]
    NETWORKS.refer("other", "decorated_on_disk:Other")  # also where the module was imported before
    with pytest.raises(RegistryError, match="registered already"):
        NETWORKS.refer("other", "decorated_on_disk:Net")
    del sys.modules["decorated_on_disk"], sys.modules["test_kinds"]


def test_an_entry_says_what_it_is_without_being_imported(
    recipes: Registry[object], referring: Registry[Callable[..., Any]], tmp_path: Path
) -> None:
    (tmp_path / "recipes_on_disk/siamfc/told.py").write_text('"""A recipe.\n\nMore."""\nimport no_such_module\n')
    assert recipes.describe("siamfc/told") == "A recipe."
    assert referring.describe("plain") == "Builds it." and referring.describe("deep") == "Builds a deep one."
    assert "referred_on_disk" not in sys.modules
    with pytest.raises(RegistryError, match="Did you mean 'siamfc/told'"):
        recipes.describe("siamfc/tolt")


def test_a_partial_is_described_by_what_it_binds(referring: Registry[Callable[..., Any]]) -> None:
    def build(size: int, depth: int = 1) -> None:
        """Builds it."""

    referring.register("bound")(functools.partial(build, 3, depth=4))
    assert referring.describe("bound") == "Builds it: 3, depth=4"


def test_near_names_are_few_and_absent_when_nothing_is_near() -> None:
    assert near_names("otb_dri", ["otb_dir", "uav_dir"]) == " Did you mean 'otb_dir'?"
    assert near_names("xyzzy", ["otb_dir"]) == ""


def test_what_comes_with_the_framework_is_there_without_being_imported_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home_on_disk.py").write_text("import test_kinds\ntest_kinds.NETWORKS.register('builtin')(int)\n")
    (tmp_path / "test_kinds.py").write_text(
        "from ltr.registry import Registry\nNETWORKS = Registry('network', home='home_on_disk')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from test_kinds import NETWORKS

    assert "home_on_disk" not in sys.modules
    with pytest.raises(RegistryError, match="'builtin' is registered already"):  # also to who comes first
        NETWORKS.register("builtin")(str)
    assert NETWORKS["builtin"] is int and NETWORKS.names() == ["builtin"]
    del sys.modules["home_on_disk"], sys.modules["test_kinds"]


def test_the_frameworks_own_entries_are_listed() -> None:
    from ltr.registry import BACKBONES, DATASETS, NETWORKS, SAMPLERS

    assert {"got10k", "synthetic"} <= set(DATASETS)
    assert "siamfc_resnet18" in NETWORKS and "resnet18" in BACKBONES and "tracking" in SAMPLERS
