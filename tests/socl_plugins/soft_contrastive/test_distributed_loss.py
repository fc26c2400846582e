"""Two processes that share a batch have the loss and the gradients of one process with all of it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from ltr.data.tensordict import TensorDict
from socl_plugins.soft_contrastive import SampleNumbers, SoftContrastiveSettings, draw_samples, soft_contrastive_loss
from socl_plugins.soft_contrastive.actor import number_videos

PAIRS = 6  # of all processes
OBJECTIVE = SoftContrastiveSettings(tau=0.2, background_temperature=0.3)


def batch() -> tuple[torch.Tensor, torch.Tensor, SampleNumbers, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2 * PAIRS, 5, 4, 4, generator=generator, dtype=torch.float64)
    top = torch.randn(2 * PAIRS, 16, generator=generator, dtype=torch.float64).softmax(dim=1).view(-1, 4, 4)
    videos = torch.tensor([3, 1, 4, 1, 5, 9])  # one video is with both processes
    return features, top, SampleNumbers.draw(2 * PAIRS, OBJECTIVE, generator), videos


def learn(pairs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the loss of some of the pairs, and its gradient in their features."""
    features, top, numbers, videos = batch()
    rows = torch.cat([pairs, pairs + PAIRS])
    own = features[rows].requires_grad_()
    numbers = SampleNumbers(numbers.theta_p[rows], numbers.mix[rows])
    loss, _ = soft_contrastive_loss(
        draw_samples(own, top[rows], OBJECTIVE, numbers), OBJECTIVE.tau, False, videos[pairs]
    )
    loss.backward()
    assert own.grad is not None
    return loss.detach(), own.grad


def _process(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", f"file://{folder / 'meeting'}", rank=rank, world_size=2)
    torch.save(learn(torch.arange(PAIRS).chunk(2)[rank]), folder / f"{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_equal_one_with_the_whole_batch(tmp_path: Path) -> None:
    whole, gradient = learn(torch.arange(PAIRS))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_process, args=(rank, tmp_path), daemon=True) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    losses, gradients = zip(*(torch.load(tmp_path / f"{rank}.pt") for rank in range(2)))
    # As DDP does with parameters: the mean over the processes.
    assert float(sum(losses) / 2) == pytest.approx(float(whole), abs=1e-10)
    for pairs, own in zip(torch.arange(PAIRS).chunk(2), gradients):
        torch.testing.assert_close(own / 2, gradient[torch.cat([pairs, pairs + PAIRS])], atol=1e-10, rtol=1e-8)
    # Each alone, as it was without gathering, has another loss.
    alone = sum(learn(pairs)[0] for pairs in torch.arange(PAIRS).chunk(2)) / 2
    assert abs(float(alone) - float(whole)) > 0.1


def test_a_video_has_one_number_in_every_process() -> None:
    data = TensorDict(dataset=["got10k", "synthetic", "got10k", "got10k"], seq_id=torch.tensor([2, 2, 2, 3]))
    numbers = number_videos(data).tolist()
    assert numbers[0] == numbers[2] and len(set(numbers)) == 3
    assert number_videos(TensorDict(dataset=["got10k"], seq_id=torch.tensor([2]))).tolist() == numbers[:1]
