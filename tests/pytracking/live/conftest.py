from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ltr.registry
from pytracking.analysis.render import write_video
from pytracking.registry import CLICK_TO_BOX, PARAMETERS, TRACKERS

PLUGIN = '''
"""A tracker that moves the box by a pixel a frame, and a way from a click to a box."""
import numpy as np
from pytracking.parameter.params import TrackerParams
from pytracking.registry import CLICK_TO_BOX, PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@TRACKERS.register("drift")
class Drift(BaseTracker):
    """Moves the box."""
    uses_torch = False

    def initialize(self, image, info):
        self.box = list(info["init_bbox"])
    def track(self, image, info=None):
        self.box[0] += 1
        return {"target_bbox": list(self.box), "score": 0.5, "score_map": np.eye(9)}

@PARAMETERS.register("drift/plain")
def plain():
    """Nothing to set."""
    return TrackerParams()

@CLICK_TO_BOX.register("square")
def square(image, click):
    """A square of 20 pixels around the click."""
    return np.array([click[0] - 10, click[1] - 10, 20, 20])
'''


@pytest.fixture
def plugin(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The plugin's file; what it registers goes with the test, and no other click method is there."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for registry in (PARAMETERS, TRACKERS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(CLICK_TO_BOX, "_entries", {})
    installed = "socl_plugins.plugin"
    monkeypatch.setattr(ltr.registry, "_loaded", {installed: ltr.registry.Plugin(installed, "as if loaded before")})
    file = tmp_path / "drift.py"
    file.write_text(PLUGIN)
    return str(file)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A grey video of twelve frames, 160 x 120, at 10 frames a second."""
    path = tmp_path / "grey.mp4"
    write_video(path, (np.full((120, 160, 3), 90, np.uint8) for _ in range(12)), (160, 120), 10.0)
    return path
