"""A point-supervised run never sees a box: without the boxes it is the same, bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltr.data.augmentation import Augmentation
from ltr.data.loader import LTRLoader
from ltr.data.processing import PairAugmentation
from ltr.data.sampler import TrackingSampler
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking import siamfc_resnet18
from socl_plugins.clicks import PointAnnotated, write_points
from socl_plugins.soft_contrastive.actor import SoCLActor
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing, TopMapCropSettings
from socl_plugins.soft_contrastive.response import ResponseSettings, ResponseTerm
from socl_plugins.top_map import ObjectnessAnnotated, ProposalSettings


def train_ten_steps(root: Path, noise_px: float = 0.0) -> dict[str, torch.Tensor]:
    """Returns the weights after ten steps on the clicks of the data set at ``root``."""
    torch.manual_seed(0)
    net = siamfc_resnet18(output_layer="layer1")
    clicks = PointAnnotated(Got10k(root, "train"), noise_px, seed=5)
    dataset = ObjectnessAnnotated(clicks, ProposalSettings(random_count=200, keep=16))
    processing = SoftContrastiveProcessing(
        TopMapCropSettings(size=96), net.grid(96), PairAugmentation(Augmentation(flip=0.5, brightness=0.2))
    )
    sampler = TrackingSampler(
        [dataset], samples_per_epoch=20, max_gap=5, processing=processing, frame_sample_mode="interval"
    )
    actor = SoCLActor(net, response=ResponseTerm(ResponseSettings(weight=1.0), net.grid(96), 3, 1 / 9))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    steps = 0
    for data in LTRLoader("train", sampler, batch_size=2):
        loss, _ = actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    assert steps == 10
    return net.state_dict()


@pytest.mark.long
def test_deleting_every_box_changes_no_weight(tmp_path: Path) -> None:
    export_got10k(SyntheticVideo(4, num_frames=6, seed=11), tmp_path, "train")
    with_boxes = train_ten_steps(tmp_path, noise_px=6.0)
    write_points(PointAnnotated(Got10k(tmp_path, "train"), noise_px=6.0, seed=5), tmp_path / "train")
    boxes = list(tmp_path.rglob("groundtruth.txt"))
    assert len(boxes) == 4
    for path in boxes:
        path.unlink()
    from_clicks = train_ten_steps(tmp_path)
    assert with_boxes.keys() == from_clicks.keys()
    assert all(torch.equal(with_boxes[name], from_clicks[name]) for name in with_boxes)

    # The same check would notice a difference: other clicks give other weights.
    for path in tmp_path.rglob("points.txt"):
        moved = [",".join(str(float(number) + 9) for number in line.split(",")) for line in path.read_text().split()]
        path.write_text("\n".join(moved))
    other = train_ten_steps(tmp_path)
    assert any(not torch.equal(from_clicks[name], other[name]) for name in other)
