"""``run_training.py transt transt50``, small."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_network
from tests.recipes import SMALL_TRANST, as_words, recipe


# A ResNet-50 learns and tracks: some seconds.
@pytest.mark.long
def test_from_boxes_to_a_network_that_can_be_loaded(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_training.main(["transt", "transt50", "--device", "cpu", *as_words(SMALL_TRANST)]) == 0
    output = capsys.readouterr().out
    assert "learning from embedded" in output and "run_tracker.py transt transt50" in output
    network = load_network(best_checkpoint("transt/transt50"))
    assert type(network).__name__ == "TransT" and len(network.featurefusion_network.encoder.layers) == 1


def test_the_schedules_are_the_papers() -> None:
    full, got10k = (recipe(f"transt/{name}", schedule="paper") for name in ("transt50", "transt50_got10k"))
    schedule = full.schedule
    assert (schedule.epochs, schedule.samples_per_epoch, schedule.batch_size) == (1000, 38_000, 38)
    assert schedule.decay_epochs == (500,) and full.data.sets[1:] == ("lasot", "trackingnet", "coco")
    assert (full.optimizer.learning_rate, full.optimizer.rates) == (1e-4, {"backbone": 1e-5})
    assert (got10k.schedule.epochs, got10k.schedule.decay_epochs, got10k.data.sets) == (500, (250,), ("got10k_train",))
    assert (got10k.optimizer.learning_rate, got10k.optimizer.rates) == (2e-4, {"backbone": 2e-5})
    assert recipe("transt/transt50").optimizer == recipe("transt/transt50_got10k").optimizer, "of the short schedule"


def test_a_smaller_backbone_is_one_setting(workspace: Path) -> None:
    words = as_words({**SMALL_TRANST, "network": "transt18", "network.dropout": 0})
    assert run_training.main(["transt", "transt50", "--device", "cpu", *words]) == 0
    network = load_network(best_checkpoint("transt/transt50"))
    search = torch.zeros(1, 3, 64, 64)
    assert network.features(search).shape == (1, 256, 4, 4)
    assert not any(module.p for module in network.modules() if isinstance(module, torch.nn.Dropout))
    assert sum(parameter.numel() for parameter in network.backbone.parameters()) < 3_000_000


def test_a_share_that_is_none_is_refused(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_training.main(["transt", "transt50", *as_words({**SMALL_TRANST, "network.dropout": 1.5})]) == 1
    assert "dropout" in capsys.readouterr().err
