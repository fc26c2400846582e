"""``run_training.py transt transt50``, small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_network
from ltr.admin.environment import Environment
from ltr.admin.settings import SettingsError
from ltr.train_settings.transt import transt50, transt50_got10k

SMALL = ("epochs=1", "samples_per_epoch=2", "batch_size=2", "num_workers=0", "videos=2", "held_out_videos=1")
SMALL += ("held_out_frames=2", "fusion_layers=1", "hidden=16")


# A ResNet-50 learns and tracks: some seconds.
def test_from_boxes_to_a_network_that_can_be_loaded(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for setting in SMALL for word in ("--set", setting)]
    assert run_training.main(["transt", "transt50", "--device", "cpu", *words]) == 0
    output = capsys.readouterr().out
    assert "no data set is configured" in output and "run_tracker.py transt transt50" in output
    network = load_network(best_checkpoint("transt/transt50"))
    assert type(network).__name__ == "TransT" and len(network.featurefusion_network.encoder.layers) == 1


def test_the_schedules_are_the_papers() -> None:
    env = replace(Environment(), got10k_dir=Path("somewhere"))
    full, got10k = transt50.default_config(env), transt50_got10k.default_config(env)
    assert (full.epochs, full.samples_per_epoch, full.batch_size, full.decay_epochs) == (1000, 38_000, 38, (500,))
    assert (full.learning_rate, full.learning_rate * full.backbone_rate) == (1e-4, pytest.approx(1e-5))
    assert (got10k.epochs, got10k.learning_rate, got10k.decay_epochs, got10k.other_sets) == (500, 2e-4, (250,), ())
    assert full.other_sets == ("lasot", "trackingnet", "coco")
    short = transt50.default_config(Environment())
    assert (short.epochs, short.other_sets) == (2, ())
    for name in full.other_sets:
        alone = replace(Environment(), **{f"{name}_dir": Path("somewhere")})  # type: ignore[arg-type]
        assert transt50.default_config(alone) == full, "one of the paper's data sets is enough"
        assert transt50_got10k.default_config(alone) == short, "but not where GOT-10k alone is asked for"


def test_a_smaller_backbone_is_one_setting(workspace: Path) -> None:
    words = [word for setting in (*SMALL, "network=transt18", "dropout=0") for word in ("--set", setting)]
    assert run_training.main(["transt", "transt50", "--device", "cpu", *words]) == 0
    network = load_network(best_checkpoint("transt/transt50"))
    search = torch.zeros(1, 3, 64, 64)
    assert network.features(search).shape == (1, 256, 4, 4)
    assert not any(module.p for module in network.modules() if isinstance(module, torch.nn.Dropout))
    assert sum(parameter.numel() for parameter in network.backbone.parameters()) < 3_000_000


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="dropout is 1.0; it is a share"):
        transt50.TransTConfig(dropout=1.0)
