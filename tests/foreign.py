"""Checkpoints as pytracking publishes them: objects of its own classes, which are not here."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

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


def published(
    make: Foreign,
    net: torch.nn.Module,
    function: str = "dimpnet18",
    arguments: Mapping[str, Any] = ARGUMENTS,
    **changes: Any,
) -> dict[str, Any]:
    """Returns what a checkpoint holds of a network that ``function`` builds; ``changes`` are of its arguments."""
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
            fun_name=function,
            fun_module="ltr.models.tracking.dimpnet",
            args=(),
            kwds={**arguments, **changes},
        ),
        "optimizer": {"state": {}, "param_groups": []},
        "stats": OrderedDict(train=OrderedDict({"Loss/total": meter})),
        "settings": make("settings", "Settings", env=environment, batch_size=26, device=torch.device("cpu")),
    }
