"""Several processes that train one network: who am I, and how do we agree.

The processes are started by ``torchrun``, which tells each its place in environment variables. Without it every
function here answers for a single process, so no caller needs an ``if``.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from ltr.admin.processes import ProcessDied

T = TypeVar("T")

# The others wait while rank 0 tracks the held-out videos, which may take long.
WAIT_LIMIT = timedelta(hours=4)

STEP_VARIABLE = "PYTRACKING_STEP_SECONDS"
STEP_SECONDS = 600.0
"""Within a step processes wait so long for each other, unless the variable says otherwise. A machine that loses its
power or its network says nothing, and this is all that tells the others."""

_patient: Any = None  # a group of the same processes, which waits for WAIT_LIMIT


def is_running() -> bool:
    """Returns whether this process is one of a group."""
    return dist.is_available() and dist.is_initialized()


def rank() -> int:
    """Returns this process's number in the group, from 0; 0 without a group."""
    return dist.get_rank() if is_running() else 0


def world_size() -> int:
    """Returns the number of processes in the group; 1 without a group."""
    return dist.get_world_size() if is_running() else 1


def is_main() -> bool:
    """Returns whether this process is the one that writes files and prints."""
    return rank() == 0


def was_launched() -> bool:
    """Returns whether torchrun (or a launcher that speaks like it) started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def local_device(kind: str) -> torch.device:
    """Returns this process's device of a kind such as ``"cpu"`` or ``"cuda"``: under torchrun, one GPU a process."""
    if kind != "cuda":
        return torch.device(kind)
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def start(device: torch.device) -> None:
    """Joins the group that torchrun announces (gloo on CPU, NCCL on CUDA); does nothing without torchrun.

    Raises:
        ValueError: ``PYTRACKING_STEP_SECONDS`` is no number above 0.
    """
    global _patient
    if not was_launched() or is_running():
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_step_limit())
    _patient = dist.new_group(timeout=WAIT_LIMIT)


def stop() -> None:
    """Leaves the group, if there is one."""
    global _patient
    if is_running():
        dist.destroy_process_group()
        _patient = None


def _step_limit() -> timedelta:
    text = os.environ.get(STEP_VARIABLE) or str(STEP_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= WAIT_LIMIT.total_seconds():
        raise ValueError(
            f"the environment variable {STEP_VARIABLE} is {text!r}: give seconds, above 0 and up to four hours"
        )
    return timedelta(seconds=seconds)


_LOST = re.compile(
    r"gloo/transport|Connection (closed|reset) by peer|Socket [Cc]losed|Broken pipe|remote process exited"
)


@contextlib.contextmanager
def named_losses(advice: str) -> Iterator[None]:
    """Turns what gloo and NCCL raise when another process of the group ends into one line.

    Args:
        advice: what is kept and how to go on.

    Raises:
        ProcessDied: another process of the group has ended.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_running() or not (isinstance(error, dist.DistError) or _LOST.search(str(error))):
            raise
        who = f"process {rank()} of {world_size()} lost another one, which has ended or cannot be reached"
        raise ProcessDied(f"{who}: {advice}") from error


def barrier() -> None:
    """Waits until every process of the group is here."""
    if is_running():
        dist.barrier(group=_patient)


def broadcast(value: T) -> T:
    """Returns the main process's ``value`` on every process."""
    if not is_running():
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0, group=_patient)
    return values[0]


def gather(value: T) -> list[T]:
    """Returns every process's ``value``, ordered by rank, on every process."""
    if not is_running():
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value, group=_patient)
    return values


def gather_rows(rows: torch.Tensor) -> torch.Tensor:
    """Returns the rows (N, ...) of every process as one tensor (processes x N, ...), ordered by rank.

    Differentiable: a process's rows get the gradient of the losses of all processes, summed. Every process must call it
    with the same shape.
    """
    if not is_running():
        return rows
    from torch.distributed.nn.functional import all_gather  # not there in builds of torch without torch.distributed

    return torch.cat(all_gather(rows))


def mean(sums: Mapping[str, tuple[float, int]]) -> dict[str, float]:
    """Returns the mean of each named quantity over all processes, from its (sum, count) in this one."""
    totals: dict[str, tuple[float, int]] = {}
    for part in gather(dict(sums)):
        for name, (total, count) in part.items():
            before = totals.get(name, (0.0, 0))
            totals[name] = (before[0] + total, before[1] + count)
    return {name: total / count for name, (total, count) in totals.items() if count}
