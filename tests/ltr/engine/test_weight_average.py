from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import nn

from ltr.engine import WeightAverage


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)
        self.norm = nn.BatchNorm1d(1)


def start(decay: float) -> tuple[WeightAverage, Net, Any]:
    net, average = Net(), WeightAverage(decay)
    trainer = cast(Any, SimpleNamespace(net=net))
    average.before_training(trainer)
    return average, net, trainer


def put(net: Net, weight: float, mean: float, batches: int) -> None:
    with torch.no_grad():
        net.layer.weight.fill_(weight)
        assert net.norm.running_mean is not None and net.norm.num_batches_tracked is not None
        net.norm.running_mean.fill_(mean)
        net.norm.num_batches_tracked.fill_(batches)


def test_the_average_follows_the_weights_with_a_warm_up() -> None:
    average, net, trainer = start(0.9)
    put(net, 0.0, 0.0, 0)
    average.averaged.load_state_dict(net.state_dict())
    expected = 0.0
    for step, weight in enumerate((1.0, 2.0, -1.0) * 40, start=1):
        put(net, weight, weight, step)
        average.after_step(trainer)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weight
        state = average.averaged.state_dict()
        assert float(state["layer.weight"]) == pytest.approx(expected, abs=1e-5)
        assert float(state["norm.running_mean"]) == pytest.approx(expected, abs=1e-5)
        assert int(state["norm.num_batches_tracked"]) == step


def test_the_average_of_weights_that_stand_still_is_those_weights() -> None:
    average, net, trainer = start(0.99)
    for _ in range(5):
        average.after_step(trainer)
    assert torch.equal(average.averaged.state_dict()["layer.weight"], net.layer.weight)


def test_the_averaged_network_does_not_learn_and_is_ready_to_use() -> None:
    average, net, _ = start(0.9)
    assert not average.averaged.training
    assert not any(parameter.requires_grad for parameter in average.averaged.parameters())
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())


def test_a_restored_average_goes_on_where_it_was() -> None:
    average, net, trainer = start(0.9)
    put(net, 3.0, 3.0, 1)
    average.after_step(trainer)
    restored = WeightAverage(0.9)
    restored.load_state_dict(average.state_dict())
    restored.before_training(trainer)
    put(net, 5.0, 5.0, 2)
    for each in (average, restored):
        each.after_step(trainer)
    for name, value in average.averaged.state_dict().items():
        assert torch.equal(value, restored.averaged.state_dict()[name])


def test_a_wrong_decay_and_a_network_asked_for_too_early_are_errors() -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 1\)"):
        WeightAverage(1.0)
    with pytest.raises(RuntimeError, match="made when training begins"):
        WeightAverage(0.9).averaged  # noqa: B018
