"""TransT's fusion with torch's own attention against the same attention written out, in one run.

    python benchmarks/attention.py

Written out, the attention of all heads is a tensor of its own: made, normalised and multiplied. Both run on the same
network and give the same answer, which is checked first.
"""

from __future__ import annotations

import argparse
import statistics
import time
from unittest.mock import patch

import torch

from ltr.models.layers.feature_fusion import Attention
from ltr.models.tracking.transt import TransT, transt50


def written_out(self: Attention, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Returns what ``Attention.forward`` returns, with the attention weights as a tensor."""
    parts = zip((query, key, value), self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3))
    q, k, v = (
        torch.nn.functional.linear(tokens, weight, bias).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        for tokens, weight, bias in parts
    )
    weights = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(dim=-1)
    weights = torch.nn.functional.dropout(weights, self.dropout, self.training)
    return self.out_proj((weights @ v).transpose(1, 2).flatten(2))


def seconds(network: TransT, images: tuple[torch.Tensor, torch.Tensor], train: bool) -> float:
    """Returns how long one pass takes, backwards too if the network is to learn."""
    device = images[0].device
    if device.type == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    with torch.set_grad_enabled(train):
        predictions = network(*images)
        if train:
            (predictions.logits.float().mean() + predictions.boxes.float().mean()).backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    """Prints the medians of interleaved runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="runs of each; the median counts")
    parser.add_argument("--batch", type=int, default=1, help="pairs of images in a pass")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    network = transt50(dropout=0.0).to(device)
    template, search = (torch.rand(options.batch, 3, size, size, device=device) * 255 for size in (128, 256))
    images = (template, search)
    with torch.no_grad():
        network.eval()
        fused = network(*images).boxes
        with patch.object(Attention, "forward", written_out):
            torch.testing.assert_close(network(*images).boxes, fused, rtol=1e-3, atol=1e-4)
    for title, train in (("tracking", False), ("learning", True)):
        network.train(train)
        times: dict[str, list[float]] = {"fused": [], "written out": []}
        for _ in range(options.repeats + 1):  # the first is not counted
            times["fused"].append(seconds(network, images, train))
            with patch.object(Attention, "forward", written_out):
                times["written out"].append(seconds(network, images, train))
        medians = {name: statistics.median(found[1:]) * 1000 for name, found in times.items()}
        line = ", ".join(f"{name} {value:.1f} ms" for name, value in medians.items())
        gain = medians["written out"] / medians["fused"]
        print(f"{title} ({device.type}, pairs: {options.batch}): {line}, {gain:.2f} x")


if __name__ == "__main__":
    main()
