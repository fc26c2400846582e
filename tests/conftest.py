"""What tests share: real data where it is at hand, and a machine on which nothing is configured."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
import torch

from ltr import registry
from ltr.admin import visdom
from ltr.admin.environment import PATHS

REPOSITORY = Path(__file__).resolve().parents[1]
TEST_DATA = Path(os.environ.get("PYTRACKING_TEST_DATA") or REPOSITORY.parent / "shared" / "data")

# A shell that starts the tests in the background leaves Ctrl-C ignored, here and in all that is started from here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples each time: what was green stays green until something changes.
# No deadline: how long an example takes says how busy the machine is.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")

# The networks of the tests are tiny: more threads cost more than they bring, and would change the last bits of sums.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def plugins_of_one_test() -> Iterator[None]:
    """Forgets, after a test, the plugin files that it loaded, with what they registered: the next has its own.

    Installed plugins are there from the first test on, so that no test is the one that brings them.
    """
    registry.load_plugins()
    modules, registrations = set(sys.modules), len(registry._registered)
    loaded, paths = set(registry._loaded), dict(PATHS._entries)
    yield
    for name in [name for name in registry._loaded if name not in loaded and name.endswith(".py")]:
        del registry._loaded[name]
        registry._undo(registry._module_name(Path(name)), modules, registrations)
    PATHS._entries = paths


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


# visdom's own server, without the step that downloads its web page's scripts, and without torch: it can do without, and
# starts much sooner.
VISDOM_SERVER = """
import sys
sys.modules["torch"] = None
from visdom.server.run_server import start_server
start_server(port=int(sys.argv[1]), base_url="", env_path=sys.argv[2], bind_local=True)
"""


@pytest.fixture
def visdom_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port that nothing listens on, where the environment variables look for a visdom server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    monkeypatch.setenv("VISDOM_SERVER", "127.0.0.1")
    monkeypatch.setenv("VISDOM_PORT", str(port))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return port


@pytest.fixture
def visdom_server(
    visdom_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[subprocess.Popen[bytes]]:
    """A visdom server that the environment variables point to."""
    pytest.importorskip("visdom")
    monkeypatch.setattr(visdom, "ANSWER_WITHIN", 10.0)  # a machine that is busy with other tests
    monkeypatch.setattr(visdom, "DRAW_WITHIN", 10.0)
    process = subprocess.Popen(
        [sys.executable, "-c", VISDOM_SERVER, str(visdom_port), str(tmp_path / "visdom")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            if process.poll() is not None or visdom.server_answers("127.0.0.1", visdom_port):
                break
            time.sleep(0.1)
        assert process.poll() is None, "the visdom server does not start"
        yield process
    finally:
        process.kill()
        process.wait()
        logging.getLogger("visdom").setLevel(logging.NOTSET)


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
