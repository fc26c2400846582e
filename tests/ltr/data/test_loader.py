from __future__ import annotations

import contextlib
import gc
import multiprocessing
import time
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from ltr.data.image_loader import load_image
from ltr.data.loader import LTRLoader, collate
from ltr.data.sampler import TrackingSampler
from ltr.data.tensordict import TensorDict


class Numbers(Dataset[TensorDict]):
    """Sample k holds the number k."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> TensorDict:
        return TensorDict(number=index, threads=torch.get_num_threads(), cv_threads=cv2.getNumThreads())


class Files(Numbers):
    """Sample k is the image file of that number."""

    def __getitem__(self, index: int) -> TensorDict:
        return TensorDict(image=load_image(f"/nowhere/{index:04d}.jpg"))


def numbers(loader: LTRLoader) -> list[int]:
    return [number for batch in loader for number in batch.number.tolist()]


def to_tensors(data: TensorDict, rng: np.random.Generator) -> TensorDict:
    for name in ("train", "test"):
        images = np.stack(data[f"{name}_images"]).astype(np.float32)
        data[f"{name}_images"] = torch.from_numpy(images + rng.normal(size=images.shape).astype(np.float32))
    return data


def test_the_number_of_workers_does_not_change_a_bit_of_a_batch(make_clips):
    def batches(num_workers: int) -> list[TensorDict]:
        sampler = TrackingSampler([make_clips(12, 1, 9)], None, 6, 4, processing=to_tensors, seed=5)
        loader = LTRLoader("train", sampler, batch_size=2, num_workers=num_workers)
        loader.set_epoch(2)
        return list(loader)

    one, other = batches(0), batches(2)
    assert len(one) == len(other) == 3
    for a, b in zip(one, other):
        assert isinstance(b, TensorDict) and a.keys() == b.keys()
        assert torch.equal(a.train_images, b.train_images) and torch.equal(a.test_images, b.test_images)
        assert a.train_frame_names == b.train_frame_names and torch.equal(a.seq_id, b.seq_id)


def test_an_epoch_goes_on_where_the_last_one_ended_and_can_be_entered_anywhere():
    loader = LTRLoader("train", Numbers(6), batch_size=2)
    assert numbers(loader) == [0, 1, 2, 3, 4, 5] and len(loader) == 3
    loader.set_epoch(4)
    assert numbers(loader) == [24, 25, 26, 27, 28, 29] and loader.epoch == 4
    assert numbers(loader) == [24, 25, 26, 27, 28, 29], "until the epoch is set, it stays"


def test_without_training_every_epoch_has_the_same_samples():
    loader = LTRLoader("val", Numbers(5), training=False, batch_size=2, drop_last=False, epoch_interval=3)
    loader.set_epoch(7)
    assert numbers(loader) == [0, 1, 2, 3, 4] and len(loader) == 3
    assert (loader.name, loader.training, loader.epoch_interval) == ("val", False, 3)


@pytest.mark.parametrize(("length", "world_size", "batch_size"), [(12, 2, 3), (13, 2, 3), (23, 4, 2)])
def test_processes_share_an_epoch_without_a_sample_twice_in_batches_of_one_size(length, world_size, batch_size):
    shares = []
    for rank in range(world_size):
        loader = LTRLoader("train", Numbers(length), batch_size=batch_size, rank=rank, world_size=world_size)
        loader.set_epoch(1)
        shares.append(list(loader))
    assert len({len(share) for share in shares}) == 1, "unequal numbers of batches would leave a process waiting"
    for step in range(len(shares[0])):
        together = sorted(number for share in shares for number in share[step].number.tolist())
        first = length + step * world_size * batch_size
        assert together == list(range(first, first + world_size * batch_size)), "as one process with the whole batch"


def test_a_last_part_of_an_epoch_is_shared_too_if_it_is_kept():
    loaders = [LTRLoader("val", Numbers(5), False, 2, drop_last=False, rank=rank, world_size=2) for rank in range(2)]
    assert [numbers(loader) for loader in loaders] == [[0, 2, 4], [1, 3]]


def test_rank_and_world_size_come_from_the_distributed_run(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda *args: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda *args: 3)
    assert numbers(LTRLoader("train", Numbers(12), batch_size=2)) == [1, 4, 7, 10]


def test_a_worker_uses_one_thread():
    batch = next(iter(LTRLoader("train", Numbers(2), num_workers=1)))
    assert batch.threads.item() == 1 and batch.cv_threads.item() == 1


def test_an_error_in_a_worker_still_names_the_file():
    with pytest.raises(ValueError, match="there is no image /nowhere/0000.jpg"):
        next(iter(LTRLoader("train", Files(2), num_workers=1)))


def test_an_error_or_a_break_ends_the_workers_at_once():
    for dataset in (Files(40), Numbers(40)):
        loader = LTRLoader("train", dataset, num_workers=2)
        started = time.monotonic()
        with contextlib.suppress(ValueError):
            for _ in loader:
                break
        gc.collect()
        assert time.monotonic() - started < 4 and not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 8}, "'train' has 5 samples an epoch, too few for one batch of 8 in each of 1"),
        ({"batch_size": 3, "rank": 0, "world_size": 2}, "too few for one batch of 3 in each of 2"),
        ({"rank": 2, "world_size": 2}, "rank is 2"),
        ({"epoch_interval": 0}, "epoch_interval is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_a_wrong_argument_is_an_error_that_names_it(arguments, message):
    with pytest.raises(ValueError, match=message):
        LTRLoader("train", Numbers(5), **arguments)


def test_a_negative_epoch_is_an_error():
    with pytest.raises(ValueError, match="epoch is -1"):
        LTRLoader("train", Numbers(5)).set_epoch(-1)


def sample(**change: Any) -> TensorDict:
    values = {
        "image": np.zeros((3, 8, 8), np.uint8),
        "frames": torch.zeros(2, 4),
        "boxes": [torch.zeros(4), torch.ones(4)],
        "score": 0.5,
        "seq_id": 7,
        "found": True,
        "name": "clip",
        "nothing": None,
        "inner": {"x": np.float32(2)},
    }
    return TensorDict(values | change)


def test_a_batch_stacks_what_are_numbers_and_lists_what_are_not():
    batch = collate([sample(), sample(name="other", found=False), sample()])
    assert isinstance(batch, TensorDict)
    assert batch.image.shape == (3, 3, 8, 8) and batch.image.dtype == torch.uint8
    assert batch.frames.shape == (3, 2, 4)
    assert [tuple(box.shape) for box in batch.boxes] == [(3, 4), (3, 4)] and batch.boxes[1].min() == 1
    assert batch.score.dtype == torch.float32 and batch.seq_id.dtype == torch.int64
    assert batch.found.tolist() == [True, False, True] and batch.found.dtype == torch.bool
    assert batch.name == ["clip", "other", "clip"] and batch.nothing == [None] * 3
    assert batch.inner.x.tolist() == [2, 2, 2]


def test_stack_dim_1_puts_images_before_samples():
    batch = collate([sample(), sample(), sample()], stack_dim=1)
    assert batch.frames.shape == (2, 3, 4) and batch.seq_id.shape == (3,)
    loader = LTRLoader("train", Numbers(4), batch_size=2, stack_dim=1)
    assert loader.stack_dim == 1 and next(iter(loader)).number.shape == (2,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((3, 9, 8), np.uint8)}, r"'image'.*\(3, 8, 8\), \(3, 9, 8\).*processing"),
        ({"inner": {"x": np.zeros(2)}}, "'inner.x'"),
        ({"boxes": [torch.zeros(4)]}, "'boxes'.*different lengths"),
        ({"score": None}, "'score'.*NoneType, float"),
        ({"extra": 1}, r"keys \['extra'\]"),
    ],
)
def test_samples_that_do_not_fit_are_an_error_that_names_the_key(change, message):
    with pytest.raises(ValueError, match=message):
        collate([sample(), sample(**change)])
