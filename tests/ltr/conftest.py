"""The toy problem that the tests of training share: a network of a few weights that learns to add two numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ltr import registry

collect_ignore = ["toy_plugin.py"]  # it registers things, which is for the tests that ask for it

TOY_PLUGIN = Path(__file__).with_name("toy_plugin.py")


@pytest.fixture
def toy() -> ModuleType:
    """The module of the toy plugin; what it registers is gone again after the test."""
    registry.load_plugins([str(TOY_PLUGIN)])
    return next(module for name, module in sys.modules.items() if name.startswith("pytracking_plugin_toy_plugin_"))
