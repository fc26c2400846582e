"""TransT computes what the public implementation computes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from ltr.models.layers.position_encoding import sine_positions
from ltr.models.loss.transt import cells_inside, transt_loss
from ltr.models.tracking.transt import CellPredictions, TransT, transt50


class Golden:
    """Vectors of the reference implementation, and the inputs that they were made from."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location("fill", folder / "fill.py")
        assert spec is not None and spec.loader is not None
        self.fill: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.fill)
        self.values: Any = np.load(folder / "transt.npz")
        self.keys = json.loads((folder / "transt.keys.json").read_text())

    def images(self, seeds: list[int], size: int) -> torch.Tensor:
        """RGB images in 0..255."""
        return torch.from_numpy(np.stack([self.fill.image(seed, size, size) for seed in seeds])).permute(0, 3, 1, 2)

    def check(self, name: str, value: torch.Tensor, tolerance: float = 3e-5) -> None:
        for key, array in self.fill.summarise(name, value).items():
            expected = self.values[key]
            if key.endswith("__stats"):
                array, expected = array[1:], expected[1:]  # the plain sum is prone to cancellation
            np.testing.assert_allclose(array, expected, rtol=0, atol=tolerance * np.abs(expected).max() + 1e-7)


@pytest.fixture(scope="module")
def network() -> TransT:
    return transt50().eval()


@pytest.fixture
def golden(shared_data: Path, network: TransT) -> Golden:
    folder = shared_data.parent / "golden"
    if not (folder / "transt.npz").is_file():
        pytest.skip(f"{folder / 'transt.npz'} is not there")
    golden = Golden(folder)
    network.load_state_dict(golden.fill.fill_state_dict(golden.keys["state_dict"]))
    return golden


def test_state_dict_has_the_keys_of_the_published_weights(golden: Golden, network: TransT) -> None:
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert shapes == golden.keys["state_dict"]
    assert sum(parameter.numel() for parameter in network.parameters()) == 23_016_006


@torch.no_grad()
@pytest.mark.long
def test_every_stage_agrees_with_the_reference(golden: Golden, network: TransT) -> None:
    template, search = golden.images([501, 502], 128).float(), golden.images([503, 504], 256).float()
    stages = {}
    body = network.backbone[0]["body"]
    for name, image in (("template", template), ("search", search)):
        golden.check(f"backbone_{name}", body(image))
        stages[name] = network.features(image)
        golden.check(f"proj_{name}", stages[name])
        golden.check(f"pos_{name}", sine_positions(*stages[name].shape[-2:], 256))
    network.featurefusion_network.register_forward_hook(lambda module, inputs, output: stages.update(fused=output))
    predictions = network.predict(stages["template"], stages["search"])
    golden.check("fusion_out", stages["fused"])
    golden.check("pred_logits", predictions.logits, 1e-5)
    golden.check("pred_boxes", predictions.boxes, 1e-5)
    one = network.predict(stages["template"][:1], stages["search"][:1])
    torch.testing.assert_close(one.boxes, predictions.boxes[:1], rtol=0, atol=1e-5)


def test_the_loss_of_the_references_predictions_is_the_references(golden: Golden) -> None:
    values = {name: torch.from_numpy(golden.values[name]) for name in ("pred_logits", "pred_boxes")}
    boxes = torch.from_numpy(golden.values["target_boxes_cxcywh"])
    positive = cells_inside(boxes, 32)
    for number in range(2):
        assert positive[number].nonzero().flatten().tolist() == golden.values[f"matched_indices_{number}"].tolist()
    loss = transt_loss(CellPredictions(values["pred_logits"], values["pred_boxes"]), boxes)
    names = {"classification": "loss_ce", "l1": "loss_bbox", "giou": "loss_giou", "iou": "iou", "total": "loss_total"}
    for name, key in names.items():
        golden.check(key, getattr(loss, name))


@pytest.mark.long
def test_gradients_agree_with_the_reference(golden: Golden, network: TransT) -> None:
    template, search = golden.images([501, 502], 128).float(), golden.images([503, 504], 256).float()
    network.zero_grad()
    transt_loss(network(template, search), torch.from_numpy(golden.values["target_boxes_cxcywh"])).total.backward()
    norms = {name: float(value.grad.norm()) for name, value in network.named_parameters() if value.grad is not None}
    own = np.array([norms[name] for name in golden.keys["parameters_in_order"]])
    expected = golden.values["grad_norm"]
    assert (np.abs(own - expected) <= 5e-3 * expected + 4e-3 * expected.max()).all()


def test_a_box_that_leaves_the_region_still_has_its_cells() -> None:
    boxes = torch.tensor([[0.0, 0.5, 0.2, 0.2], [1.2, 1.2, 0.1, 0.1], [0.5, 0.5, 0.001, 0.001]])
    inside = cells_inside(boxes, 10).view(3, 10, 10)
    assert inside[0].nonzero().tolist() == [[4, 0], [5, 0]]
    assert inside[1].nonzero().tolist() == [[9, 9]]
    assert inside[2].sum() == 1
