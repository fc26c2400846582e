"""Published checkpoints load, though their classes are not here; what tries to run code does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from ltr.admin.checkpoint import CheckpointError, load_checkpoint, load_network
from ltr.admin.published import StandIn
from ltr.models.tracking.dimpnet import dimpnet18
from tests.foreign import Foreign, published


@pytest.fixture(params=["ltr.admin", "dlframework.common.utils"])
def foreign(request: pytest.FixtureRequest) -> Foreign:
    return Foreign(request.param)


@pytest.mark.parametrize("archive", [True, False])
@pytest.mark.long
def test_a_published_checkpoint_gives_its_network(
    tmp_path: Path, workspace: Path, foreign: Foreign, archive: bool
) -> None:
    net = dimpnet18()
    path = tmp_path / "dimp18.pth"
    foreign.write(published(foreign, net), path, archive)
    loaded = load_network(path)
    assert loaded.classifier.filter_optimizer.iterations == 3
    assert not loaded.training
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    content = load_checkpoint(path)
    assert content["settings"].batch_size == 26
    assert content["stats"]["train"]["Loss/total"].avg == 0.4
    assert isinstance(content["settings"], StandIn)


class RunsCode:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("archive", [True, False])
def test_a_published_checkpoint_that_tries_to_run_code_is_refused_and_nothing_runs(
    tmp_path: Path, foreign: Foreign, archive: bool
) -> None:
    path, marker = tmp_path / "dimp18.pth", tmp_path / "code_ran"
    state = published(foreign, torch.nn.Linear(1, 1))
    state["settings"].hidden = RunsCode(marker)
    foreign.write(state, path, archive)
    with pytest.raises(CheckpointError, match=r"refused to load .*dimp18\.pth.*system"):
        load_network(path)
    assert not marker.exists()


def test_a_network_of_another_kind_is_named(tmp_path: Path, foreign: Foreign) -> None:
    path = tmp_path / "other.pth"
    foreign.write(published(foreign, torch.nn.Linear(1, 1), target_mask_act="tanh"), path)
    with pytest.raises(CheckpointError, match=r"other\.pth.*target_mask_act = 'tanh', but only 'sigmoid'"):
        load_network(path)
