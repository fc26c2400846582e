"""Pictures of the loss that DiMP learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltr.models.target_classifier import SteepestDescent
from pytracking.analysis.learned_loss import loss_curves, loss_maps, plot_learned_loss


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
