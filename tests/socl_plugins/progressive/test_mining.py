"""Patches without labels, hard mini-batches, mined pairs, and runs that resume exactly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.admin.checkpoint import best_checkpoint, load_checkpoint
from ltr.admin.settings import Settings, SettingsError
from ltr.data.processing import CropSettings, SiamFCProcessing
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.dataset.named import embedded_videos
from ltr.models.tracking import siamfc_alexnet
from ltr.registry import TRAIN_SETTINGS, load_plugins
from socl_plugins.progressive import neighbours
from socl_plugins.progressive.mining import follow
from socl_plugins.progressive.patches import (
    Patches,
    PatchSettings,
    Unlabelled,
    embedding,
    find_patches,
    propose_patches,
)
from socl_plugins.progressive.sampler import AnchorSampler, MinedPairs
from tests import recipes

SMALL = {**recipes.SMALL, "data.embedded_videos": 3, "sampler.patches.frames": 1, "score.interval": 9}


class NothingKnown(BaseVideoDataset):
    """Videos of which nothing is known, not even what can be seen."""

    def __init__(self, dataset: BaseVideoDataset) -> None:
        super().__init__(dataset.name)
        self.videos = dataset

    def get_num_sequences(self) -> int:
        return len(self.videos)

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        frames = len(self.videos.get_sequence_info(seq_id)["visible"])
        return {name: torch.zeros(frames, dtype=torch.bool) for name in ("valid", "visible")}

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return self.videos.load_frame(seq_id, frame_id)


def textured(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)


def test_a_patch_is_found_on_the_one_thing_in_the_frame_without_a_click() -> None:
    image = np.full((160, 200, 3), 90, np.uint8)
    image[60:100, 110:150] = (220, 60, 40)
    x, y, w, h = propose_patches(image)[0]
    common = (min(x + w, 150) - max(x, 110)) * (min(y + h, 100) - max(y, 60))
    assert common / (w * h + 40 * 40 - common) > 0.5
    assert propose_patches(np.full((160, 200, 3), 90, np.uint8)).shape == (0, 4)


def test_patches_come_in_the_order_of_videos_and_never_ask_what_is_known_of_them() -> None:
    videos = embedded_videos(3)
    settings = PatchSettings(frames=2, per_frame=2)
    known, unknown = (find_patches(Unlabelled(one), settings) for one in (videos, NothingKnown(videos)))
    assert len(known) > 6 and (np.diff(known.video) >= 0).all() and set(known.frame.tolist()) == {7, 22}
    for name in ("video", "frame", "box"):
        np.testing.assert_array_equal(getattr(known, name), getattr(unknown, name))


def test_what_lies_around_a_patch_does_not_change_its_embedding() -> None:
    features = torch.randn(2, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    around = features.clone()
    around[..., 0, :], around[..., :, -1] = 9.0, -9.0
    assert torch.equal(embedding(features), embedding(around))
    torch.testing.assert_close(embedding(features).norm(dim=1), torch.ones(2))


def vectors(count: int, channels: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.nn.functional.normalize(torch.randn(count, channels, generator=generator), dim=1)


def test_a_hard_group_is_the_anchor_and_the_nearest_patch_of_each_nearest_video() -> None:
    features, video = vectors(60), np.repeat(np.arange(20), 3)
    anchors = np.array([0, 17, 59])
    for anchor, group in zip(anchors, neighbours.hard_groups(features, video, anchors, 6)):
        assert group[0] == anchor
        similarity = (features @ features[anchor]).numpy()
        best = {int(one): similarity[video == one].max() for one in set(video[video != video[anchor]].tolist())}
        expected = sorted(best.values(), reverse=True)[:5]
        np.testing.assert_allclose(similarity[group[1:]], expected)
    everything = neighbours.hard_groups(features, video, anchors, 20)
    assert all(len(set(video[group].tolist())) == 20 for group in everything)


def test_faiss_finds_the_same_neighbours() -> None:
    pytest.importorskip("faiss")
    features, anchors = vectors(500, 32), np.arange(0, 500, 50)
    expected = neighbours.nearest_by_torch(features, anchors, 10)
    np.testing.assert_array_equal(neighbours.nearest_by_faiss(features, anchors, 10), expected)


def toy_sampler(seed: int = 0) -> AnchorSampler:
    videos = embedded_videos(6)
    video = np.repeat(np.arange(6), 2)
    patches = Patches(video, np.full(12, 5), np.tile([40.0, 40.0, 30.0, 30.0], (12, 1)))
    return AnchorSampler(videos, patches, group_size=3, samples_per_epoch=7, seed=seed)


def test_a_mini_batch_has_one_anchor_and_no_two_patches_of_a_video() -> None:
    hard, random = toy_sampler(), toy_sampler()
    hard.refresh(vectors(12), first_epoch=0, epochs=2)
    for epoch in (0, 1):
        for number in range(hard.groups_per_epoch):
            one, other = hard.group(epoch, number), random.group(epoch, number)
            assert one[0] == other[0], "mining changes the neighbours, not the anchor"
            assert len({*hard.patches.video[one]}) == len({*hard.patches.video[other]}) == 3
    assert [sample["seq_id"] for sample in (hard[7], hard[8])] == hard.patches.video[hard.group(1, 0)[:2]].tolist()
    assert not hard.covers(2) and (hard.group(2, 0) == random.group(2, 0)).all()
    with pytest.raises(ValueError, match="7 patches of different videos.* 6 videos"):
        AnchorSampler(hard.dataset, hard.patches, group_size=7)


def test_a_sample_is_a_function_of_seed_number_and_what_was_computed() -> None:
    one, other = toy_sampler(), toy_sampler()
    one.refresh(vectors(12), 0, 1)
    other.load_neighbour_state(one.neighbour_state())
    pairs = MinedPairs(np.array([0, 0, 5]), np.array([8, 9, 8]), np.tile([50.0, 45.0, 30.0, 30.0], (3, 1)))
    one.pairs = other.pairs = pairs
    other[6]
    for number in range(7):
        a, b = one[number], other[number]
        assert a["seq_id"] == b["seq_id"] and torch.equal(a["test_anno"][0], b["test_anno"][0])
        patch = one.group(0, number // 3)[number % 3]
        assert float(a["test_anno"][0][0]) == (50 if patch in pairs.patch else 40)
    seeds = [[int(toy_sampler(seed).group(0, number)[0]) for number in range(3)] for seed in range(4)]
    assert len({tuple(anchors) for anchors in seeds}) > 1


def test_a_patch_is_followed_where_it_goes_until_it_is_gone() -> None:
    torch.manual_seed(0)
    net = siamfc_alexnet(normalise=True).eval()
    processing = SiamFCProcessing(CropSettings(255, 4.0, 0.0, 0.0))
    patch, background = textured((48, 48), 1), textured((200, 240)) // 4
    images = []
    for x, y in ((90, 70), (106, 78), (122, 86)):
        image = background.copy()
        image[y : y + 48, x : x + 48] = patch
        images.append(image)
    box = np.array([90.0, 70.0, 48.0, 48.0])
    with torch.no_grad():
        boxes = follow(net, processing, [*images, background, images[0]], box)
    assert len(boxes) == 2, "the way back does not agree where the patch is gone"
    assert np.abs(boxes[0] - (106, 78, 48, 48)).max() <= 4 and np.abs(boxes[1] - (122, 86, 48, 48)).max() <= 4


def train(more: Mapping[str, object], resume: bool = False) -> None:
    load_plugins()
    torch.manual_seed(0)
    settings = Settings(
        "pul", "alex_pul", overrides=SMALL | {"hooks.mine_pairs.mining.hops": 1} | dict(more), resume=resume
    )
    TRAIN_SETTINGS["pul/alex_pul"](settings)


@pytest.mark.long
def test_a_resumed_run_equals_an_unbroken_one_in_the_middle_of_a_round(workspace: Path) -> None:
    schedule = {"schedule.epochs": 3, "hooks.mine_pairs.rounds": 2, "hooks.refresh_neighbours.every": 3}
    train(schedule)
    path = best_checkpoint("pul/alex_pul").with_name("SiamFCNet_ep0003.pth.tar")
    unbroken = load_checkpoint(path)
    stats = unbroken["stats"]
    assert list(stats["train"]["Loss/correspondence"]) == [2, 3], "pairs are learned from once they are mined"
    assert stats["mined"]["pairs"][1] == 0 < stats["mined"]["pairs"][3]
    path.unlink()  # the second epoch is now the newest, in the middle of the round and of what was refreshed
    train(schedule, resume=True)
    resumed = load_checkpoint(path)
    assert resumed["stats"]["train"] == stats["train"]
    assert all(torch.equal(value, resumed["net"][name]) for name, value in unbroken["net"].items())


@pytest.mark.long
def test_what_is_known_of_the_videos_changes_no_weight(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = []
    for known in (True, False):
        if not known:
            monkeypatch.setattr("ltr.config.data.embedded_videos", lambda videos: NothingKnown(embedded_videos(videos)))
        train({"schedule.epochs": 1, "hooks.mine_pairs.rounds": 1})
        weights.append(load_checkpoint(best_checkpoint("pul/alex_pul"))["net"])
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_rounds_that_do_not_rise_are_refused(workspace: Path) -> None:
    with pytest.raises(SettingsError, match="rounds"):
        train({"hooks.mine_pairs.rounds": (4, 2)})


def test_of_several_anchors_the_one_with_the_closest_neighbours_is_taken() -> None:
    plain, close = toy_sampler(), toy_sampler()
    features = vectors(12)
    plain.refresh(features, 0, 1)
    close.refresh(features, 0, 1, candidates=4)

    def nearness(drawn: AnchorSampler) -> list[float]:
        groups = [drawn.group(0, number) for number in range(drawn.groups_per_epoch)]
        return [float((features[group[1:]] @ features[group[0]]).mean()) for group in groups]

    assert all(one >= other - 1e-6 for one, other in zip(nearness(close), nearness(plain)))
    assert sum(nearness(close)) > sum(nearness(plain))
    again = toy_sampler()
    again.refresh(features, 0, 1, candidates=1)
    assert [again.group(0, 0).tolist()] == [plain.group(0, 0).tolist()]
