"""Published checkpoints load, though their classes are not here; what tries to run code does not."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ltr.admin.checkpoint import CheckpointError, load_checkpoint, load_network
from ltr.admin.published import StandIn
from ltr.models.tracking.dimpnet import dimpnet18

ARGUMENTS = {
    "filter_size": 4,
    "backbone_pretrained": True,
    "optim_iter": 3,
    "clf_feat_norm": True,
    "final_conv": True,
    "optim_init_step": 0.9,
    "optim_init_reg": 0.1,
    "init_gauss_sigma": 0.9,
    "num_dist_bins": 100,
    "bin_displacement": 0.1,
    "mask_init_factor": 3.0,
    "target_mask_act": "sigmoid",
    "score_act": "relu",
}


class Foreign:
    """Makes objects of classes that pickle as pytracking's do, and writes files of them. Only while it writes can their
    modules be imported.
    """

    def __init__(self, package: str) -> None:
        names = package.split(".")
        self.package = package
        self.modules = {".".join(names[: n + 1]): ModuleType(names[n]) for n in range(len(names))}

    def __call__(self, module: str, name: str, **attributes: Any) -> Any:
        full = f"{self.package}.{module}"
        cls = type(name, (), {"__module__": full})
        setattr(self.modules.setdefault(full, ModuleType(full)), name, cls)
        made = cls()
        vars(made).update(attributes)
        return made

    def write(self, state: dict[str, Any], path: Path, archive: bool = True) -> None:
        with pytest.MonkeyPatch.context() as patch:
            for name, module in self.modules.items():
                patch.setitem(sys.modules, name, module)
            torch.save(state, path, _use_new_zipfile_serialization=archive)


@pytest.fixture(params=["ltr.admin", "dlframework.common.utils"])
def foreign(request: pytest.FixtureRequest) -> Foreign:
    return Foreign(request.param)


def published(make: Foreign, net: torch.nn.Module, **changes: Any) -> dict[str, Any]:
    meter = make("stats", "AverageMeter", val=0.5, avg=0.4, sum=4.0, count=10, has_new_data=False, history=[0.5])
    environment = make("local", "EnvironmentSettings", workspace_dir="/somewhere", lasot_dir="")
    return {
        "epoch": 50,
        "actor_type": "DiMPActor",
        "net_type": "DiMPnet",
        "net": net.state_dict(),
        "constructor": make(
            "model_constructor",
            "NetConstructor",
            fun_name="dimpnet18",
            fun_module="ltr.models.tracking.dimpnet",
            args=(),
            kwds={**ARGUMENTS, **changes},
        ),
        "optimizer": {"state": {}, "param_groups": []},
        "stats": OrderedDict(train=OrderedDict({"Loss/total": meter})),
        "settings": make("settings", "Settings", env=environment, batch_size=26, device=torch.device("cpu")),
    }


@pytest.mark.parametrize("archive", [True, False])
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
