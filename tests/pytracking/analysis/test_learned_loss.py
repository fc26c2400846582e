"""Pictures of the loss that DiMP learned, and their command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltr.admin.checkpoint import save_checkpoint
from ltr.config.overrides import flat
from ltr.models.builder import build_network
from ltr.models.target_classifier import SteepestDescent
from ltr.models.tracking import DiMPNet
from ltr.training import recipe_of_parts
from pytracking.analysis.learned_loss import TARGET_CELLS, loss_curves, loss_figure, loss_maps, plot_learned_loss
from pytracking.tracker.dimp.__main__ import main, target_cells


def optimizer() -> SteepestDescent:
    return SteepestDescent(1, 16, 0.9, 0.1, 0.9, 100, 0.1, 3.0)


def test_the_curves_are_the_coefficients_and_the_maps_are_round() -> None:
    learned = optimizer()
    distance, curves = loss_curves(learned)
    torch.testing.assert_close(curves.label, learned.label_map_predictor.weight.detach().flatten())
    assert distance[-1].item() == pytest.approx(9.9) and curves.mask[0] > 0.9 > 0.1 > curves.mask[-1]
    maps = loss_maps(learned)
    assert maps.label.argmax() == 9 * 19 + 9 and torch.equal(maps.label, maps.label.t())


def test_a_picture_is_written_and_another_ending_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot_learned_loss(optimizer(), tmp_path / "loss.png", optimizer())
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="ending"):
        plot_learned_loss(optimizer(), tmp_path / "loss.txt")


def test_the_targets_box_lies_in_the_middle_of_each_map() -> None:
    pytest.importorskip("matplotlib")
    axes = loss_figure(optimizer(), target=4.0).axes
    boxes = [patch.get_bbox() for axis in axes for patch in axis.patches]
    assert len(boxes) == 3
    assert all((box.x0, box.y0, box.x1, box.y1) == (7, 7, 11, 11) for box in boxes), "cell 9 is the middle of 19"
    assert pytest.approx(4 * 0.9) == TARGET_CELLS, "DiMP's label starts with a deviation of a quarter of it"


def test_a_checkpoint_says_how_large_its_targets_were() -> None:
    config = flat(recipe_of_parts("dimp/super_dimp").but({"processing.test.size": 96, "processing.test.factor": 4.0}))
    settings = {"config": config}
    assert target_cells({"settings": settings}, stride=16) == 1.5
    assert target_cells({}, 16) == target_cells({"settings": {"config": {}}}, 16) == TARGET_CELLS


def test_the_start_that_is_drawn_is_that_of_the_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, drawn = tmp_path / "narrow.pth.tar", []
    network = build_network("dimpnet18", init_gauss_sigma=0.3, num_dist_bins=50)
    assert isinstance(network, DiMPNet)
    untrained = loss_curves(network.classifier.filter_optimizer)[1]
    with torch.no_grad():
        network.classifier.filter_optimizer.label_map_predictor.weight.add_(1)
    save_checkpoint(path, {"net": network.state_dict(), "constructor": network.constructor})
    monkeypatch.setattr("pytracking.analysis.learned_loss.plot_learned_loss", lambda *given: drawn.extend(given))
    assert main([str(path), "--out", str(tmp_path / "loss.png")]) == 0
    learned, _, start, target = drawn
    torch.testing.assert_close(loss_curves(start)[1].label, untrained.label)
    torch.testing.assert_close(loss_curves(learned)[1].label, untrained.label + 1)
    assert target == TARGET_CELLS
