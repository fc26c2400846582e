"""Functions of many small operations on a GPU, recorded once as a CUDA graph and then started all at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

WARM_UPS = 2  # libraries choose their algorithms and take their memory, which they cannot during a recording


@dataclass(frozen=True)
class _Recording(Generic[R]):
    """A graph, the tensors that it reads, and what it writes."""

    graph: torch.cuda.CUDAGraph
    inputs: list[Tensor]
    result: R


def graphed(function: Callable[P, R]) -> Callable[P, R]:
    """Returns a function that gives the same, on a GPU without a wait for each of its kernels.

    If its first tensor is on a GPU, the function is recorded when it is called with new shapes, and played from then
    on. Its result is then valid until the next call, which writes to the same memory. What else the function uses,
    such as a network's weights, must stay where it is; it must not look at a tensor's values, nor move any between
    host and device; and there are no gradients. On a CPU it is simply called.

    Args:
        function: of tensors, given by position, and of what can be hashed. Each different combination of the latter,
            and of the tensors' shapes and types, is one more recording, so there should be few.

    Raises:
        TypeError: the returned function, for a tensor that is given by name or inside of something else.
    """
    recordings: dict[Hashable, _Recording[R]] = {}

    def call(*arguments: P.args, **named: P.kwargs) -> R:
        tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
        if not tensors or not tensors[0].is_cuda:
            return function(*arguments, **named)
        key = (*map(_kind, arguments), *((name, _plain(value)) for name, value in sorted(named.items())))
        recording = recordings.get(key)
        if recording is None:
            recording = recordings[key] = _record(function, arguments, named)
        for there, tensor in zip(recording.inputs, tensors):
            there.copy_(tensor)
        recording.graph.replay()
        return recording.result

    return call


def _kind(argument: Any) -> Hashable:
    if isinstance(argument, Tensor):
        return argument.shape, argument.dtype, argument.device
    return _plain(argument)


def _plain(argument: Any) -> Hashable:
    inner = argument if isinstance(argument, tuple) else (argument,)
    if any(isinstance(part, Tensor) for part in inner):
        raise TypeError(
            "a recorded function takes tensors by position, each on its own: others would not be read again"
        )
    return type(argument), argument


def _record(function: Callable[..., R], arguments: tuple[Any, ...], named: dict[str, Any]) -> _Recording[R]:
    kept = [argument.detach().clone() if isinstance(argument, Tensor) else argument for argument in arguments]
    inputs = [argument for argument in kept if isinstance(argument, Tensor)]
    device = inputs[0].device
    graph = torch.cuda.CUDAGraph()
    # Warmed up where it is recorded, so that what libraries keep for each stream does not belong to the recording.
    stream = _recording_stream(device)
    with torch.no_grad(), torch.cuda.device(device):
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                function(*kept, **named)
        torch.cuda.current_stream(device).wait_stream(stream)
        # Other threads may go on using the device meanwhile.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            result = function(*kept, **named)
    return _Recording(graph, inputs, result)


@cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
