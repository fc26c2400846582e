"""The loader: batches of samples, from worker processes, split among the processes of a distributed run."""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch.utils.data import DataLoader, Dataset, Sampler

from ltr.admin.processes import end_with_parent
from ltr.data.tensordict import TensorDict

NUMERIC = (torch.Tensor, np.ndarray, np.bool_, numbers.Real)


class LTRLoader(DataLoader[TensorDict]):
    """Batches of a data set whose sample number k can be asked for with any k >= 0, such as a ``TrackingSampler``.

    Epoch e of training consists of the samples e * len(dataset) and following, so no two epochs are alike; without
    training every epoch is the first one, so that its figures can be compared. In a distributed run process r of w
    takes samples r, r + w, r + 2 w, ... of the epoch: together they see each sample once.

    Args:
        name: stands for the loader in statistics, such as ``train``.
        dataset: the samples.
        training: whether the samples are learned from.
        batch_size: samples in a batch of one process.
        num_workers: worker processes; 0 reads in this process. They are started anew in each epoch.
        epoch_interval: the trainer uses the loader in every so many epochs.
        stack_dim: the dimension along which samples are stacked; 1 gives tensors (images, samples, ...).
        drop_last: leave out what does not fill a last batch in every process. If not, processes may differ by a sample.
        pin_memory: read into memory from which a GPU copies fast; by default where there is one.
        rank: number of this process; by default what torch.distributed says.
        world_size: number of processes; by default what torch.distributed says.

    Raises:
        ValueError: an epoch does not fill one batch.
    """

    def __init__(
        self,
        name: str,
        dataset: Dataset[TensorDict],
        training: bool = True,
        batch_size: int = 1,
        num_workers: int = 0,
        epoch_interval: int = 1,
        stack_dim: int = 0,
        drop_last: bool = True,
        pin_memory: bool | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        if rank is None:
            rank = torch.distributed.get_rank() if distributed else 0
        if world_size is None:
            world_size = torch.distributed.get_world_size() if distributed else 1
        if not 0 <= rank < world_size:
            raise ValueError(f"rank is {rank}; it must be at least 0 and below world_size = {world_size}")
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
        if epoch_interval < 1:
            raise ValueError(f"epoch_interval is {epoch_interval}; it must be at least 1")
        length = len(dataset)  # type: ignore[arg-type]
        if drop_last:
            length -= length % (batch_size * world_size)
            if length == 0:
                raise ValueError(
                    f"the loader {name!r} has {len(dataset)} samples an epoch, too few for one batch of {batch_size} "  # type: ignore[arg-type]
                    f"in each of {world_size} processes; raise samples_per_epoch or lower batch_size"
                )
        self.name = name
        self.training = training
        self.epoch_interval = epoch_interval
        self.stack_dim = stack_dim
        self.epoch = 0
        self._share = _EpochShare(length, len(dataset), rank, world_size)  # type: ignore[arg-type]
        super().__init__(
            dataset,
            batch_size=batch_size,
            sampler=self._share,
            num_workers=num_workers,
            collate_fn=_Collate(stack_dim),
            pin_memory=torch.cuda.is_available() if pin_memory is None else pin_memory,
            drop_last=drop_last,
            worker_init_fn=_start_worker,
        )

    def __iter__(self) -> Iterator[TensorDict]:  # type: ignore[override]
        batches = super().__iter__()
        try:
            yield from batches
        finally:
            # After an error, workers would be left to the garbage collector, which waits 5 seconds for each.
            shut_down = getattr(batches, "_shutdown_workers", None)
            if shut_down is not None:
                shut_down()

    def set_epoch(self, epoch: int) -> None:
        """Makes the next iteration that of an epoch, counted from 0."""
        if epoch < 0:
            raise ValueError(f"epoch is {epoch}; it must be at least 0")
        self.epoch = epoch
        self._share.epoch = epoch if self.training else 0


class _EpochShare(Sampler[int]):
    """The sample numbers of one process in one epoch."""

    def __init__(self, length: int, epoch_length: int, rank: int, world_size: int) -> None:
        self.length = length
        self.epoch_length = epoch_length
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.epoch_length
        return iter(range(first + self.rank, first + self.length, self.world_size))

    def __len__(self) -> int:
        return len(range(self.rank, self.length, self.world_size))


def _start_worker(number: int) -> None:
    # Workers are the parallelism: threads inside them only fight for the same cores.
    import cv2

    end_with_parent()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)


class _Collate:
    """``collate`` with a stack dimension; a class, so that it can be sent to a worker process."""

    def __init__(self, stack_dim: int) -> None:
        self.stack_dim = stack_dim

    def __call__(self, samples: Sequence[Any]) -> Any:
        return collate(samples, self.stack_dim)


def collate(samples: Sequence[Any], stack_dim: int = 0, key: str = "") -> Any:
    """Returns samples as one batch.

    Tensors, arrays and numbers are stacked to a tensor; dicts are joined key by key to a TensorDict; lists and tuples
    of one length are joined item by item to a list; all else, such as strings, becomes a list with one entry a sample.

    Args:
        samples: at least one, all of one structure.
        stack_dim: where the new dimension goes; numbers and tensors of too few dimensions are stacked along their last.
        key: stands for the value in error messages.

    Raises:
        ValueError: the samples differ in their keys, types, list lengths or shapes.
    """
    first = samples[0]
    if isinstance(first, NUMERIC):
        if not all(isinstance(sample, NUMERIC) for sample in samples):
            kinds = sorted({type(sample).__name__ for sample in samples})
            raise ValueError(f"cannot stack {key!r}: samples have values of types {', '.join(kinds)}")
        tensors = [torch.as_tensor(np.ascontiguousarray(s) if isinstance(s, np.ndarray) else s) for s in samples]
        shapes = sorted({tuple(tensor.shape) for tensor in tensors})
        if len(shapes) > 1:
            raise ValueError(
                f"cannot stack {key!r}: samples have shapes {shapes}; let the processing bring them to one"
            )
        return torch.stack(tensors, min(stack_dim, tensors[0].ndim))
    if isinstance(first, dict):
        for sample in samples:
            if sample.keys() != first.keys():
                different = sorted(map(str, sample.keys() ^ first.keys()))
                raise ValueError(f"samples of one batch differ in the keys {different}: only some of them have these")
        batch = TensorDict()
        for name in first:
            batch[name] = collate([sample[name] for sample in samples], stack_dim, f"{key}.{name}" if key else name)
        return batch
    if isinstance(first, (list, tuple)):
        if len({len(sample) for sample in samples}) > 1:
            raise ValueError(f"cannot join {key!r}: samples have lists of different lengths")
        return [collate(items, stack_dim, key) for items in zip(*samples)]
    return list(samples)
