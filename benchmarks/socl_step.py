"""What SoCL's loss and samples add to a training step, in one run: ``python benchmarks/socl_step.py --help``.

Time: that of sampling, loss and their gradient in the features, over the backbone's forward and backward; on a CPU it
is processor time, so that other programs on the machine do not count. On a GPU most of that is waiting for the
processor to start one kernel after the other, which in a step it does while the backbone still computes. So it is also
said there how much longer whole steps are than steps whose gradient in the features is given, both kinds in turn.

Memory: on a GPU, the allocator's peak of these two kinds of steps; on a CPU, the bytes of all tensors that autograd
keeps at once for the backward pass, with the loss and without.

Beside SoCL stands a memory bank of as many negatives as SoCL makes of the batch itself (8N - 2 for each pair):
templates of earlier steps, which no longer fit the network. As many of the present network would need the templates of
4N pairs, four times the backbone's time and memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from ltr.models.tracking import siamfc_resnet18
from socl_plugins.soft_contrastive import (
    SoftContrastiveSettings,
    draw_samples,
    global_soft_template,
    soft_contrastive_loss,
)
from socl_plugins.soft_contrastive.response import ResponseSettings, ResponseTerm

Loss = Callable[[torch.Tensor], torch.Tensor]


class MemoryBank:
    """Contrasts templates with those of earlier steps: what SoCL spares (its section 3.2.2)."""

    def __init__(self, size: int, channels: int, top_maps: torch.Tensor, tau: float) -> None:
        self.rows = F.normalize(torch.randn(size, channels, device=top_maps.device), dim=1)
        self.top_maps = top_maps
        self.tau = tau

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        templates = F.normalize(global_soft_template(features, self.top_maps), dim=1)
        positive = (templates * templates.roll(len(templates) // 2, dims=0)).sum(dim=1) / self.tau
        loss = ((templates @ self.rows.T / self.tau).logsumexp(dim=1) - positive).mean()
        self.rows = torch.cat([templates.detach(), self.rows])[: len(self.rows)]
        return loss


class Step:
    """A training step taken apart.

    Args:
        pairs: N; the step has 2N frames.
        size: side of a frame's crop in pixels.
        device: ``cpu`` or ``cuda``.
        amp: compute the backbone in mixed precision.
    """

    def __init__(self, pairs: int, size: int, device: str, amp: bool) -> None:
        torch.manual_seed(0)
        order = torch.channels_last
        self.device = torch.device(device)
        self.amp = amp
        self.net = siamfc_resnet18().to(self.device).train()
        self.net.to(memory_format=order)  # type: ignore[call-overload]
        self.images = (255 * torch.rand(2 * pairs, 3, size, size)).to(self.device).contiguous(memory_format=order)
        cells = self.net.grid(size).cells
        self.points = size * (0.25 + 0.5 * torch.rand(2 * pairs, 2)).to(self.device)
        self.top_maps = torch.randn(2 * pairs, cells * cells).softmax(dim=1).view(-1, cells, cells).to(self.device)
        features = self.features().detach()
        self.gradient: torch.Tensor | None = torch.randn_like(features) / features.numel()

    def features(self) -> torch.Tensor:
        """Returns the features of the batch, computed anew."""
        dtype = torch.float16 if self.device.type == "cuda" else torch.bfloat16
        with torch.autocast(self.device.type, dtype=dtype, enabled=self.amp):
            features = self.net.embed(self.images)
        return features.float()

    def without_loss(self) -> None:
        """Takes the backbone's part of the step: the gradient in the features is given."""
        self.features().backward(self.gradient)

    def with_loss(self, loss: Loss) -> None:
        """Takes the whole step."""
        loss(self.features()).backward()

    def loss_alone(self, loss: Loss) -> Callable[[], None]:
        """Returns a function that computes a loss of features that are there, and its gradient in them."""
        features = self.features().detach().requires_grad_()

        def work() -> None:
            features.grad = None
            loss(features).backward()

        return work

    def seconds(self, repeat: int, *works: Callable[[], object]) -> list[float]:
        """Returns the median time of each work, done in turn."""
        clock = time.perf_counter if self.device.type == "cuda" else time.process_time
        times: list[list[float]] = []
        for _ in range(repeat + 2):
            times.append([])
            for work in works:
                self._wait()
                start = clock()
                work()
                self._wait()
                times[-1].append(clock() - start)
        return np.median(times[2:], axis=0).tolist()  # the first ones warm up

    def peak_bytes(self, work: Callable[[], object]) -> int:
        """Returns how much memory a step takes at most, see the module."""
        if self.device.type == "cuda":
            work()
            self._wait()
            torch.cuda.reset_peak_memory_stats()
            work()
            self._wait()
            return torch.cuda.max_memory_allocated()
        kept: dict[int, tuple[torch.Tensor, int]] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = (tensor, storage.nbytes())  # holding it, so that no other takes its place
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            work()
        return sum(size for _, size in kept.values())

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cuda = torch.cuda.is_available()
    parser.add_argument("--pairs", type=int, default=96 if cuda else 12, help="N (default: 96 on a GPU, else 12)")
    parser.add_argument("--size", type=int, default=192, help="side of a crop in pixels (default: 192)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if cuda else "cpu")
    parser.add_argument("--amp", action="store_true", help="compute the backbone in mixed precision")
    parser.add_argument("--repeat", type=int, default=20 if cuda else 5, help="times of which the median is taken")
    options = parser.parse_args()
    torch.set_num_threads(1)
    step = Step(options.pairs, options.size, options.device, options.amp)
    settings = SoftContrastiveSettings()
    response = ResponseTerm.of(step.net, options.size, ResponseSettings())
    bank = MemoryBank(8 * options.pairs - 2, step.features().shape[1], step.top_maps, settings.tau)

    def socl(features: torch.Tensor) -> torch.Tensor:
        samples = draw_samples(features, step.top_maps, settings)
        return soft_contrastive_loss(samples, settings.tau)[0]

    def with_response(features: torch.Tensor) -> torch.Tensor:
        return socl(features) + response(features, step.points)

    where = torch.cuda.get_device_name() if step.device.type == "cuda" else "CPU, one thread"
    frames = f"2N = {2 * options.pairs} frames of {options.size} x {options.size} pixels"
    print(f"{where}, torch {torch.__version__}; {frames}; mixed precision {'on' if options.amp else 'off'}")
    losses: dict[str, Loss] = {
        "SoCL, loss and samples": socl,
        "the same and the term on the response": with_response,
        "memory bank, as many negatives": bank,
    }
    (backbone,) = step.seconds(options.repeat, step.without_loss)
    base = step.peak_bytes(step.without_loss)
    print(f"backbone, forward and backward: {1e3 * backbone:.1f} ms, {base / 2**20:.1f} MiB")
    times = {}
    for name, loss in losses.items():
        (alone,) = step.seconds(4 * options.repeat, step.loss_alone(loss))
        times[name] = f"{1e3 * alone:.1f} ms, {alone / backbone:.1%} of the backbone's time"
        if step.device.type == "cuda":
            less, more = step.seconds(options.repeat, step.without_loss, partial(step.with_loss, loss))
            times[name] += f", {more / less - 1:+.1%} for a step"
    step.gradient = None  # or else it is there beside the one that a loss makes
    for name, loss in losses.items():
        added = step.peak_bytes(partial(step.with_loss, loss)) - base
        if loss is bank:
            added += bank.rows.nbytes  # on a GPU it is in both peaks
        print(f"{name}: {times[name]}; {added / 2**20:+.2f} MiB, {added / base:+.2%} of its memory")
    return 0


if __name__ == "__main__":
    sys.exit(main())
