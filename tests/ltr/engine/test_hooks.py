from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltr.engine import Hook, LTRTrainer, TrainingResult
from ltr.engine.result import History

Make = Callable[..., LTRTrainer]


def test_hooks_are_called_around_steps_and_epochs_in_order(make: Make) -> None:
    calls: list[str] = []

    class Watch(Hook):
        def before_training(self, trainer: LTRTrainer) -> None:
            calls.append("before training")

        def before_epoch(self, trainer: LTRTrainer) -> None:
            calls.append(f"before epoch {trainer.epoch}")

        def after_step(self, trainer: LTRTrainer) -> None:
            calls.append(f"step {trainer.step}")

        def after_epoch(self, trainer: LTRTrainer) -> None:
            calls.append(f"after epoch {trainer.epoch}")

        def after_training(self, trainer: LTRTrainer) -> None:
            calls.append("after training")

        def close(self) -> None:
            calls.append("close")

    make(batch_size=16, build={"hooks": [Watch()]}).train(2)
    epochs = [["step 1", "step 2"] for _ in range(2)]
    assert calls == [
        "before training",
        *["before epoch 1", *epochs[0], "after epoch 1"],
        *["before epoch 2", *epochs[1], "after epoch 2"],
        "after training",
        "close",
    ]


def test_what_a_hook_knows_survives_a_resume(make: Make) -> None:
    class Counter(Hook):
        def __init__(self) -> None:
            self.steps = 0

        def after_step(self, trainer: LTRTrainer) -> None:
            self.steps += 1

        def state_dict(self) -> dict[str, Any]:
            return {"steps": self.steps}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            self.steps = state["steps"]

    make(build={"hooks": [Counter(), Counter()]}).train(1)
    counters = [Counter(), Counter()]
    make(resume=True, build={"hooks": counters}).train(2)
    assert [counter.steps for counter in counters] == [8, 8]


def test_progress_tells_loss_and_time_left(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make(print_interval=2).train(2)
    output = capsys.readouterr().out
    assert "training ltr/toy/sums on cpu: 2 epochs" in output
    assert "held-out AUC before training: -" in output
    assert "epoch 1/2, step 2/4: Loss/total" in output
    assert "0:00 left" in output
    assert "epoch 2/2: train Loss/total" in output


def test_on_a_terminal_progress_is_a_bar_over_the_whole_run(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    make().train(2)
    output = capsys.readouterr().out
    assert "8/8" in output
    assert "epoch 2/2: train Loss/total" in output


def test_tensorboard_gets_every_number_by_epoch(make: Make, workspace: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    result = make().train(2)
    events = accumulator.EventAccumulator(str(workspace / "tensorboard" / "ltr" / "toy" / "sums"))
    events.Reload()
    scores = {event.step: event.value for event in events.Scalars("AUC/held-out")}
    losses = {event.step: event.value for event in events.Scalars("Loss/total/train")}
    stats: History = result.stats
    assert scores == pytest.approx(stats["held-out"]["AUC"])
    assert losses == pytest.approx(stats["train"]["Loss/total"])


def test_a_result_without_a_score_points_to_the_last_epoch(make: Make) -> None:
    result = make(build={"scored": False}).train(2)
    assert isinstance(result, TrainingResult)
    assert result.score_name is None
    assert result.checkpoint is not None
    assert result.checkpoint.name == "ToyNet_ep0002.pth.tar"
