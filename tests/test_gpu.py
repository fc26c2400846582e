"""A GPU gives the numbers of a CPU; skipped where there is none. TF32 is off, as coarse as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.backbone import resnet18
from ltr.models.builder import build_network
from ltr.models.fold import folded
from ltr.models.graphed import graphed
from ltr.models.layers.prroi_pool import prroi_pool2d
from pytracking.evaluation.sequence import from_video_dataset
from pytracking.evaluation.tracker import track_sequence
from pytracking.registry import TRACKERS
from pytracking.tracker.dimp import DiMPParams
from pytracking.tracker.dimp.overlap import IoUPredictor
from pytracking.tracker.dimp.refinement import Ascent, refine_boxes, refine_on_whole_crop
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.siamfc import SiamFCParams
from pytracking.tracker.transt import TransTParams
from socl_plugins.soft_contrastive import SoftContrastiveSettings, draw_samples, soft_contrastive_loss
from socl_plugins.soft_contrastive.loss import SampleNumbers
from tests.recipes import SMALL, as_words

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def test_precise_pooling_and_its_gradients_are_those_of_a_cpu() -> None:
    torch.manual_seed(0)
    rois = torch.tensor([[0, 3.2, 4.7, 40.1, 31.3], [1, -9.0, -7.5, 22.2, 18.0], [1, 5.0, 5.0, 5.0, 5.0]])
    features = torch.randn(2, 3, 12, 14)
    found = []
    for device in ("cpu", "cuda"):
        maps, boxes = (tensor.clone().to(device).requires_grad_() for tensor in (features, rois))
        pooled = prroi_pool2d(maps, boxes, 4, 0.25)
        gradients = torch.autograd.grad((pooled * pooled).sum(), (maps, boxes))
        found.append([tensor.cpu() for tensor in (pooled, *gradients)])
    for ours, theirs in zip(*found):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_soft_contrastive_loss_and_its_gradient_are_those_of_a_cpu() -> None:
    torch.manual_seed(0)
    objective = SoftContrastiveSettings()
    features, top = torch.randn(8, 16, 9, 9), torch.randn(8, 81).softmax(dim=1).view(8, 9, 9)
    numbers = SampleNumbers.draw(8, objective, torch.Generator().manual_seed(1))
    found = []
    for device in ("cpu", "cuda"):
        leaf = features.clone().to(device).requires_grad_()
        moved = SampleNumbers(numbers.theta_p.to(device), numbers.mix.to(device))
        loss, _ = soft_contrastive_loss(draw_samples(leaf, top.to(device), objective, moved), objective.tau)
        found.append((loss.detach().cpu(), torch.autograd.grad(loss, leaf)[0].cpu()))
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("tracker", ["siamfc", "eco", "dimp", "transt"])
def test_a_tracker_gives_the_boxes_of_a_cpu(tracker: str) -> None:
    sequence = from_video_dataset(SyntheticVideo(1, num_frames=8, seed=3))[0]
    boxes = {}
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        params = {
            "siamfc": lambda: SiamFCParams(network=build_network("siamfc_resnet18")),
            "eco": lambda: ECOParams(network=resnet18("layer3", stride=16)),
            "dimp": lambda: DiMPParams(network=build_network("dimpnet18")),
            "transt": lambda: TransTParams(network=build_network("transt50")),
        }[tracker]()
        network = params.network.eval().to(device)  # type: ignore[attr-defined]
        changed = replace(params, network=network, device=device)  # type: ignore[call-arg]
        boxes[device] = track_sequence(TRACKERS[tracker](changed), sequence).boxes
    np.testing.assert_allclose(boxes["cuda"], boxes["cpu"], atol=0.5)


def test_a_recorded_function_gives_what_it_gives_when_it_is_called() -> None:
    called = []

    def change(a: torch.Tensor, b: torch.Tensor, factor: float) -> dict[str, torch.Tensor]:
        called.append(a.shape)
        return {"product": (a @ b) * factor, "sum": a + b}

    recorded = graphed(change)
    for side in (3, 5, 3):
        for factor in (2.0, 0.5, 2.0):
            a, b = torch.randn(2, side, side, device="cuda")
            for name, value in recorded(a, b, factor).items():
                torch.testing.assert_close(value, change(a, b, factor)[name])
    assert len(called) == 18 + 4 * 3, "eighteen calls of its own, and four recordings: two shapes, two factors"
    plain = [a.cpu(), b.cpu()]
    torch.testing.assert_close(graphed(change)(*plain, 2.0), change(*plain, 2.0))


@torch.no_grad()
def test_dimps_recorded_parts_give_what_they_give_when_they_are_called() -> None:
    torch.manual_seed(0)
    network = folded(build_network("dimpnet18")).to("cuda", memory_format=torch.channels_last)
    branch, classifier = network.bb_regressor, network.classifier
    backbone, extract = graphed(network.extract_backbone), graphed(classifier.extract)
    classify, maps = graphed(classifier.classify), graphed(classifier.filter_optimizer.loss_maps)
    filters = torch.randn(1, 256, 4, 4, device="cuda")
    reference = network.extract_backbone(torch.rand(1, 3, 288, 288, device="cuda") * 255)
    target = torch.tensor([[100.0, 90, 60, 70]], device="cuda")
    judge = IoUPredictor(branch, branch.modulation((reference["layer2"], reference["layer3"]), target))

    def refine(near: torch.Tensor, far: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return refine_on_whole_crop(judge, (near, far), boxes, Ascent(5))

    refined = graphed(refine)
    for _ in range(3):
        image = torch.rand(1, 288, 288, 3, device="cuda").permute(0, 3, 1, 2) * 255
        seen = network.extract_backbone(image)
        torch.testing.assert_close(backbone(image), seen, rtol=1e-3, atol=1e-3)
        near, far = seen["layer2"], seen["layer3"]
        features = classifier.extract(far)
        torch.testing.assert_close(extract(far), features, rtol=1e-3, atol=1e-5)
        scores = classifier.classify(filters, features[:, None])
        torch.testing.assert_close(classify(filters, features[:, None]), scores, rtol=1e-3, atol=1e-4)
        boxes = target + torch.rand(10, 4, device="cuda") * 20
        ours, eager = (
            maps(boxes[:1, None], (18, 18), (4, 4)),
            classifier.filter_optimizer.loss_maps(boxes[:1, None], (18, 18), (4, 4)),
        )
        torch.testing.assert_close((ours.label, ours.mask, ours.weight), (eager.label, eager.mask, eager.weight))
        torch.testing.assert_close(refined(near, far, boxes), refine(near, far, boxes), rtol=1e-3, atol=1e-2)
        torch.testing.assert_close(
            refined(near, far, boxes), refine_boxes(judge, (near, far), boxes, Ascent(5)), rtol=1e-3, atol=1e-2
        )


@pytest.mark.parametrize("recipe", ["socl socl_res18", "dimp dimp18", "transt transt50"])
def test_a_recipe_learns_on_a_gpu_and_goes_on_where_it_stopped(recipe: str, workspace: Path, tmp_path: Path) -> None:
    few = as_words({**SMALL, "schedule.samples_per_epoch": 8, "schedule.batch_size": 4, "score.frames": 3})
    words = [*recipe.split(), "--device", "cuda", "--workspace", str(workspace), *few]
    assert run_training.main([*words, "--set", "schedule.epochs=1"]) == 0
    assert run_training.main([*words, "--set", "schedule.epochs=2", "--resume"]) == 0
    module, name = recipe.split()
    assert list((workspace / "checkpoints" / "ltr" / module / name).glob("*_ep0002.pth.tar"))
