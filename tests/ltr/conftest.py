"""The toy problem that the tests of training share: a network of a few weights that learns to add two numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ltr import registry

collect_ignore = ["toy_plugin.py"]  # it registers things, which is for the tests that ask for it

TOY_PLUGIN = Path(__file__).with_name("toy_plugin.py")


@pytest.fixture
def toy() -> Iterator[ModuleType]:
    """The module of the toy plugin; what it registers is gone again after the test."""
    registries = [value for value in vars(registry).values() if isinstance(value, registry.Registry)]
    for each in registries:
        each.names()  # brings in what the project itself registers on first use, which must stay
    before = [dict(each._entries) for each in registries]
    registry.load_plugins([str(TOY_PLUGIN)])
    module = next(module for name, module in sys.modules.items() if name.startswith("pytracking_plugin_toy_plugin_"))
    yield module
    for each, entries in zip(registries, before, strict=True):
        each._entries.clear()
        each._entries.update(entries)
    registry._loaded.pop(str(TOY_PLUGIN), None)
    del sys.modules[module.__name__]
