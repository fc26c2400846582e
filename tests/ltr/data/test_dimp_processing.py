"""What DiMP learns from is cut, labelled and drawn as the public implementation does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ltr.actors.dimp import DiMPActor
from ltr.data.labels import LabelSettings, gaussian_label
from ltr.data.processing import CropJitter, DiMPProcessing
from ltr.data.proposals import (
    DensityProposalSettings,
    IoUProposalSettings,
    draw_density_proposals,
    draw_proposals,
    gaussian_mixture,
    overlap,
    relative_boxes,
)
from ltr.data.target_crops import BorderMode, adaptive_crop
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Drawn
from ltr.models.loss.density import density_loss

CROPS = [(5, 288), (2, 128), (4, 256)]


def around(box: np.ndarray, factor: float) -> tuple[tuple[float, float], float]:
    return tuple(box[:2] + box[2:] / 2), float(np.sqrt(box[2:].prod()) * factor)  # type: ignore[return-value]


@pytest.mark.parametrize(("factor", "size"), CROPS)
def test_a_crop_that_stays_in_place(golden: Any, factor: int, size: int) -> None:
    arrays, image = golden.arrays("processing"), golden.fill.image(800, 240, 320)
    for number, box in enumerate(arrays["boxes"]):
        center, side = around(box, factor)
        crop, region = adaptive_crop(image, center, side, size, "fixed")
        golden.close(arrays, f"sample_target/f{factor}_o{size}/{number}", crop)
        assert region.scale == pytest.approx(float(arrays[f"sample_target/f{factor}_o{size}/{number}/resize_factor"]))


@pytest.mark.parametrize(("factor", "size"), CROPS)
@pytest.mark.parametrize("mode", ["replicate", "inside", "inside_major"])
def test_a_crop_that_moves_and_shrinks_at_the_border(golden: Any, mode: BorderMode, factor: int, size: int) -> None:
    arrays, image = golden.arrays("processing"), golden.fill.image(800, 240, 320)
    name = f"target_image_crop/{mode}/f{factor}_o{size}"
    change = None if mode == "replicate" else 1.5
    crops, regions = zip(*(adaptive_crop(image, *around(box, factor), size, mode, change) for box in arrays["boxes"]))
    golden.close(arrays, f"{name}/regions", np.array([[r.left, r.top, r.side, r.side] for r in regions]))
    mapped = [region.boxes_to_crop(true) for region, true in zip(regions, arrays["gt_boxes"])]
    golden.close(arrays, f"{name}/boxes", np.stack(mapped))
    golden.close(arrays, f"{name}/sums", np.array([crop.sum(dtype=np.int64) for crop in crops]), relative=0)
    for number in (0, 3):
        golden.close(arrays, f"{name}/crop{number}", crops[number], relative=0)


@pytest.mark.parametrize(
    ("name", "settings", "size"),
    [
        ("fs18_k4", LabelSettings(18, 0.05, 4), 288),
        ("fs22_k4", LabelSettings(22, 0.05, 4), 352),
        ("fs18_k1", LabelSettings(18, 0.05, 1), 288),
        ("fs18_k3", LabelSettings(18, 0.05, 3), 288),
        ("fs32_k1", LabelSettings(32, 0.05, 1), 256),
        ("fs18_k4_nopad", LabelSettings(18, 0.05, 4, end_pad=False), 288),
    ],
)
def test_labels(golden: Any, name: str, settings: LabelSettings, size: int) -> None:
    arrays = golden.arrays("processing")
    golden.close(arrays, f"gaussian_label/{name}", gaussian_label(arrays["label_boxes"], settings, size))


def test_overlaps(golden: Any) -> None:
    arrays = golden.arrays("processing")
    golden.close(arrays, "iou_with_box0", overlap(arrays["iou_boxes"], arrays["boxes"][0]))


def test_proposals_overlap_as_they_say_and_never_too_little() -> None:
    rng = np.random.default_rng(0)
    settings = IoUProposalSettings(boxes_per_frame=200, min_iou=0.3)
    box = np.array([30.0, 40.0, 50.0, 20.0])
    boxes, overlaps = draw_proposals(box, settings, rng)
    np.testing.assert_allclose(overlap(boxes, box), overlaps)
    assert overlaps.min() > 0.3 and overlaps.max() > 0.9 and (boxes[:, 2:] > 0).all()
    tiny, known = draw_proposals(np.array([5.0, 5.0, 0.1, 0.1]), settings, rng)
    assert (known > 0.3).all() and len(tiny) == 200


def test_a_sample_of_three_and_three_frames_has_what_the_network_takes() -> None:
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(6)]
    boxes = [torch.tensor([60.0 + n, 50.0, 20.0, 16.0]) for n in range(6)]
    data = TensorDict(dataset="toy", seq_id=0, train_images=frames[:3], test_images=frames[3:])
    data |= {"train_anno": boxes[:3], "test_anno": boxes[3:]}
    processing = DiMPProcessing(CropJitter(96, 5.0), CropJitter(96, 5.0, 1.0, 0.2), LabelSettings(cells=6))
    sample = processing(data, np.random.default_rng(0))
    assert sample["train_images"].shape == (3, 3, 96, 96) and sample["train_images"].dtype == torch.uint8
    assert sample["test_label"].shape == (3, 7, 7)
    assert sample["test_proposals"].shape == (3, 8, 4) and sample["proposal_iou"].shape == (3, 8)
    assert ((sample["proposal_iou"] > -0.8) & (sample["proposal_iou"] <= 1)).all()
    # Without jitter, the target is a fifth of the crop, in its middle.
    torch.testing.assert_close(
        sample["train_anno"][:, :2] + sample["train_anno"][:, 2:] / 2, torch.full((3, 2), 48.0), atol=1, rtol=0
    )
    assert sample["train_anno"][0, 2:].prod().sqrt().item() == pytest.approx(96 / 5, rel=0.03)
    again = processing(data, np.random.default_rng(0))
    assert torch.equal(sample["test_images"], again["test_images"])


# ---- SuperDiMP (super_dimp.npz, from its public implementation) ------------------------------------------------------


def super_processing() -> DiMPProcessing:
    crop = CropJitter(352, 6.0)
    return DiMPProcessing(
        crop,
        crop,
        LabelSettings(22, 0.25 / 6),
        DensityProposalSettings(),
        crop_type="inside_major",
        max_scale_change=1.5,
    )


@pytest.mark.parametrize("number", range(4))
def test_super_dimps_search_regions(golden: Any, number: int) -> None:
    arrays, name = golden.arrays("super_dimp"), f"crop{number}"
    width, height = arrays[f"{name}/size_wh"].tolist()
    image = golden.fill.image(int(arrays[f"{name}/seed"]), height, width)
    view = super_processing().views([image], [arrays[f"{name}/box"]], "test", Drawn(), np.random.default_rng(0))[0]
    region = view.region
    np.testing.assert_array_equal([region.left, region.top, region.side, region.side], arrays[f"{name}/region_xywh"])
    golden.close(arrays, f"{name}/image", view.pixels, relative=0)


def test_super_dimps_densities_and_loss(golden: Any) -> None:
    arrays = golden.arrays("super_dimp")
    settings = DensityProposalSettings()
    relative = relative_boxes(arrays["kl_boxes"], arrays["kl_mean_box"][0])
    golden.close(arrays, "kl_relative", relative)
    drawn = gaussian_mixture(arrays["kl_relative"], settings.sigmas)
    true = gaussian_mixture(arrays["kl_relative"], [settings.true_sigma])
    golden.close(arrays, "kl_proposal_density", drawn, 1e-6)
    golden.close(arrays, "kl_true_density", true, 1e-6)
    scores = torch.from_numpy(arrays["kl_scores"]).requires_grad_()
    data = TensorDict(proposal_density=torch.from_numpy(drawn), true_density=torch.from_numpy(true))
    loss = DiMPActor(torch.nn.Identity()).iou_loss(scores, data)
    loss.backward()
    golden.close(arrays, "kl_loss", loss, 1e-6)
    golden.close(arrays, "kl_grad", scores.grad, 1e-6)


def test_boxes_for_a_density_are_drawn_as_they_say_and_the_loss_is_least_for_the_true_one() -> None:
    box = np.array([100.0, 80.0, 60.0, 30.0])
    settings = DensityProposalSettings(boxes_per_frame=20_000)
    found = draw_density_proposals(box, settings, np.random.default_rng(0))
    relative = relative_boxes(found.boxes, box)
    np.testing.assert_allclose(found.drawn, gaussian_mixture(relative, settings.sigmas), rtol=1e-6)
    np.testing.assert_allclose(relative.std(axis=0), np.sqrt((0.05**2 + 0.5**2) / 2), rtol=0.03)
    assert np.mean(found.true / found.drawn) == pytest.approx(1, abs=0.03), "both are densities"
    drawn, true = (torch.from_numpy(part)[None] for part in (found.drawn, found.true))
    logs = {sigma: torch.from_numpy(-(relative**2).sum(axis=1) / (2 * sigma**2))[None] for sigma in (0.03, 0.05, 0.1)}
    losses = {sigma: float(density_loss(log, drawn, true)) for sigma, log in logs.items()}
    assert losses[0.05] == min(losses.values())


def test_a_sample_for_super_dimp_has_densities_in_place_of_overlaps() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    data = TensorDict(dataset="toy", seq_id=0)
    for part in ("train", "test"):
        data[f"{part}_images"], data[f"{part}_anno"] = [frame], [torch.tensor([60.0, 50.0, 20.0, 16.0])]
    sample = super_processing()(data, np.random.default_rng(0))
    assert sample["test_proposals"].shape == (1, 128, 4) and sample["test_label"].shape == (1, 23, 23)
    assert sample["proposal_density"].shape == sample["true_density"].shape == (1, 128)
    assert "proposal_iou" not in sample
