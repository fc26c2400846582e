"""What tests share: real data where it is at hand, and a machine on which nothing is configured."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ltr.admin.environment import PATHS

REPOSITORY = Path(__file__).resolve().parents[1]
TEST_DATA = Path(os.environ.get("PYTRACKING_TEST_DATA") or REPOSITORY.parent / "shared" / "data")

# The networks of the tests are tiny: more threads cost more than they bring, and would change the last bits of sums.
torch.set_num_threads(1)


@pytest.fixture
def shared_data() -> Path:
    """The directory of real sequences (``otb/``, ``real_got10k/``, ...); the test is skipped where it is not."""
    if not TEST_DATA.is_dir():
        pytest.skip(f"no real data in {TEST_DATA}; name its directory with PYTRACKING_TEST_DATA")
    return TEST_DATA


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace on a machine where no other path is set, for this process and those that it starts."""
    for variable in [name for name in os.environ if name.startswith("PYTRACKING_")]:
        monkeypatch.delenv(variable)
    for name in PATHS:  # empty hides what the developer's own files set
        monkeypatch.setenv(f"PYTRACKING_{name.upper()}", "")
    nothing = tmp_path / "nothing.toml"
    nothing.touch()
    monkeypatch.setenv("PYTRACKING_TOML", str(nothing))
    directory = tmp_path / "workspace"
    directory.mkdir()
    monkeypatch.setenv("PYTRACKING_WORKSPACE_DIR", str(directory))
    return directory


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tests_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def golden(shared_data: Path) -> Any:
    """The golden vectors, as a ``Golden`` of ``golden.py``; the test is skipped where they are not."""
    folder = shared_data.parent / "golden"
    if not (folder / "fill.py").is_file():
        pytest.skip(f"there are no golden vectors in {folder}")
    return load_module(Path(__file__).with_name("golden.py")).Golden(folder, load_module(folder / "fill.py"))
