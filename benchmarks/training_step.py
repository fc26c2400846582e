"""Where a training step of `socl socl_res18` on a CPU spends its time: ``python benchmarks/training_step.py --help``.

The backbone goes forwards and backwards, with the gradient in its features given, in several forms that take turns.
Training computes in bfloat16 with channels last where the processor multiplies it in hardware, and else in float32 with
channels last. ``folded`` has the norms, whose statistics are held as when one starts from learned weights, multiplied
into the convolutions' weights. Printed are the median processor time of one thread, how many times as fast each form
is as float32, its convolutions' operations a second, and those of a product of two matrices.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ltr.actors.base_actor import hold_norm_statistics  # noqa: E402
from ltr.models.tracking import siamfc_resnet18  # noqa: E402

Step = Callable[[], object]


def fold_norms(net: nn.Module) -> None:
    """Makes each convolution do what the norm after it does, by weights that gradients pass through."""
    before: nn.Conv2d | None = None
    for module in list(net.modules()):
        if isinstance(module, nn.Conv2d):
            before = module
        elif isinstance(module, nn.BatchNorm2d):
            assert before is not None
            before.forward = _folded(before, module)  # type: ignore[method-assign,assignment]
            module.forward = nn.Identity().forward  # type: ignore[method-assign]


def _folded(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> Callable[[torch.Tensor], torch.Tensor]:
    def forward(x: torch.Tensor) -> torch.Tensor:
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight = convolution.weight * scale[:, None, None, None]
        shift = norm.bias - norm.running_mean * scale
        return F.conv2d(x, weight, shift, convolution.stride, convolution.padding)  # type: ignore[arg-type]

    return forward


def operations(net: nn.Module, images: torch.Tensor) -> int:
    """Returns the multiplications and additions of the convolutions, forwards and backwards: three times forwards."""
    count = 0

    def add(module: nn.Conv2d, _: object, output: torch.Tensor) -> None:
        nonlocal count
        count += 2 * output.numel() * module.weight[0].numel()

    hooks = [module.register_forward_hook(add) for module in net.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        net.embed(images)  # type: ignore[operator]
    for hook in hooks:
        hook.remove()
    return 3 * count


def make_step(images: torch.Tensor, bfloat16: bool, channels_last: bool, folded: bool, compiled: bool) -> Step:
    """Returns a step in one of the forms."""
    torch.manual_seed(0)
    net = siamfc_resnet18().train()
    hold_norm_statistics(net)
    order = torch.channels_last if channels_last else torch.contiguous_format
    net.to(memory_format=order)  # type: ignore[call-overload]
    images = images.contiguous(memory_format=order)
    if folded:
        fold_norms(net)
    embed = torch.compile(net.embed) if compiled else net.embed
    gradient: list[torch.Tensor] = []

    def step() -> None:
        net.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            features = embed(images)
        if not gradient:
            gradient.append(torch.randn_like(features) / features.numel())
        features.backward(gradient[0])

    return step


def processor_times(steps: list[Step], rounds: int) -> list[float]:
    """Returns the median processor time of each step in seconds; they take turns, and the first round warms up."""
    times: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds + 1):
        for found, step in zip(times, steps):
            started = time.process_time()
            step()
            found.append(time.process_time() - started)
    return [statistics.median(found[1:]) for found in times]


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--size", type=int, default=192, help="side of a crop in pixels")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="also torch.compile, which takes a minute to begin with")
    options = parser.parse_args()
    torch.set_num_threads(1)
    images = 255 * torch.rand(2 * options.pairs, 3, options.size, options.size)
    forms = {
        "float32": (False, False, False, False),
        "float32, channels last": (False, True, False, False),
        "bfloat16, channels last": (True, True, False, False),
        "bfloat16, channels last, folded": (True, True, True, False),
    }
    if options.compile:
        forms["bfloat16, channels last, compiled"] = (True, True, False, True)
    started = time.perf_counter()
    steps = [make_step(images, *form) for form in forms.values()]
    times = processor_times(steps, options.rounds)
    count = operations(siamfc_resnet18().eval(), images)
    for name, seconds in zip(forms, times):
        rate = count / seconds / 1e9
        print(f"{name:36}{1e3 * seconds:8.0f} ms{times[0] / seconds:8.2f} x{rate:8.0f} billion operations a second")
    for kind in (torch.float32, torch.bfloat16):
        matrix = torch.rand(1024, 1024).to(kind)
        (seconds,) = processor_times([partial(torch.mm, matrix, matrix)], 10 * options.rounds)
        print(f"a product of matrices of 1024 x 1024 in {kind}: {2 * 1024**3 / seconds / 1e9:.0f}")
    print(f"{options.pairs} pairs a step, {time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
