from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from ltr.admin.checkpoint import CheckpointError, load_checkpoint
from ltr.admin.files import WriteError
from ltr.admin.settings import Settings, SettingsError
from ltr.engine import Hook, LTRTrainer, TrainingError, TrainingInterrupted
from ltr.engine.resume import ResumeError

Make = Callable[..., LTRTrainer]


def weights(trainer: LTRTrainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.net.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


class Failing(Hook):
    """Raises ``error`` at the given training steps, counted over all attempts."""

    def __init__(self, error: BaseException, *at: int) -> None:
        self.error, self.at, self.steps = error, at, 0

    def after_step(self, trainer: LTRTrainer) -> None:
        self.steps += 1
        if self.steps in self.at:
            raise self.error


# ---- learning ---------------------------------------------------------------------------------------------------


def test_the_loss_falls_and_the_result_says_so(make: Make) -> None:
    result = make().train(5)
    losses = result.stats["train"]["Loss/total"]
    assert list(losses) == [1, 2, 3, 4, 5]
    assert losses[5] < 0.2 * losses[1]
    assert result.epochs == 5
    assert result.score_name == "AUC"
    assert result.untrained is not None and result.trained is not None
    assert result.trained > result.untrained


def test_the_same_seed_gives_the_same_weights_twice_and_another_seed_others(make: Make) -> None:
    runs = []
    for number, seed in enumerate((1, 1, 2)):
        trainer = make(seed=seed, dropout=0.3, name=f"run{number}")
        trainer.train(2)
        runs.append(weights(trainer))
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_loaders_that_are_not_for_training_only_report(make: Make) -> None:
    plain, validated = make(name="plain"), make(name="validated", build={"validation": True})
    plain.train(3)
    result = validated.train(3)
    assert same(weights(plain), weights(validated))
    assert list(result.stats["val"]["Loss/total"]) == [2]  # every second epoch


def test_the_learning_rate_follows_the_scheduler_by_epoch_or_by_step(make: Make) -> None:
    trainer = make(learning_rate=1.0, grad_clip=1e-3)
    trainer.train(2)
    assert trainer.optimizer.param_groups[0]["lr"] == pytest.approx(0.9**4)
    by_step = make(learning_rate=1.0, grad_clip=1e-3, name="by_step")
    by_step.scheduler_interval = "step"
    by_step.train(1)
    assert by_step.optimizer.param_groups[0]["lr"] == pytest.approx(0.9**16)


def test_gradients_are_clipped_to_the_norm_asked_for(make: Make) -> None:
    trainer = make(learning_rate=1.0, momentum=0.0, grad_clip=1e-3)
    before = nn.utils.parameters_to_vector(trainer.net.parameters()).detach().clone()
    moves = []

    class Watch(Hook):
        def after_step(self, trainer: LTRTrainer) -> None:
            moves.append(nn.utils.parameters_to_vector(trainer.net.parameters()).detach().clone())

    trainer.hooks.insert(0, Watch())
    trainer.train(1)
    assert float((moves[0] - before).norm()) == pytest.approx(1e-3, rel=1e-3)


def test_mixed_precision_on_a_cpu_learns_in_bfloat16(make: Make) -> None:
    dtypes = set()
    trainer = make(amp=True)
    trainer.net.out.register_forward_hook(lambda module, inputs, output: dtypes.add(output.dtype))
    result = trainer.train(2)
    losses = result.stats["train"]["Loss/total"]
    assert torch.bfloat16 in dtypes
    assert losses[2] < losses[1]
    assert trainer.net.out.weight.dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_mixed_precision_on_a_gpu_resumes_with_its_loss_scale(make: Make) -> None:
    def on_gpu(**knobs: Any) -> LTRTrainer:
        trainer = make(amp=True, **knobs)
        settings = trainer.settings
        settings.device = torch.device("cuda")
        return LTRTrainer(trainer.actor, trainer.loaders, trainer.optimizer, settings, trainer.lr_scheduler)

    unbroken = on_gpu(dropout=0.3, name="unbroken")
    unbroken.train(4)
    on_gpu(dropout=0.3).train(2)
    resumed = on_gpu(dropout=0.3, resume=True)
    resumed.train(4)
    assert same(weights(unbroken), weights(resumed))
    assert resumed.scaler.get_scale() == unbroken.scaler.get_scale()


# ---- going on ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knobs", [{}, {"dropout": 0.3, "norm": True, "average_decay": 0.9}, {"num_workers": 1}])
def test_two_epochs_and_two_more_after_a_resume_equal_four_unbroken_ones(make: Make, knobs: dict[str, Any]) -> None:
    unbroken = make(name="unbroken", build={"validation": True}, **knobs)
    expected = unbroken.train(4)
    make(build={"validation": True}, **knobs).train(2)
    torch.rand(5)  # whatever happens in between
    resumed = make(build={"validation": True}, resume=True, **knobs)
    result = resumed.train(4)
    assert result.stats == expected.stats  # losses and scores of all epochs, bit for bit
    assert same(weights(unbroken), weights(resumed))
    assert (result.untrained, result.trained) == (expected.untrained, expected.trained)
    assert resumed.optimizer.param_groups[0]["lr"] == unbroken.optimizer.param_groups[0]["lr"]
    best = [load_checkpoint(each.checkpoint) for each in (expected, result) if each.checkpoint]
    assert same(best[0]["net"], best[1]["net"])


def test_resuming_where_nothing_is_starts_from_the_beginning_and_says_so(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    result = make(resume=True).train(1)
    assert result.epochs == 1
    assert "nothing to resume" in capsys.readouterr().out


def test_resuming_a_finished_run_trains_no_further(make: Make) -> None:
    first = make()
    first.train(2)
    again = make(resume=True)
    result = again.train(2)
    assert same(weights(first), weights(again))
    assert result.checkpoint is not None


def test_settings_of_how_fast_it_learns_may_change_and_are_told(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make().train(1)
    make(resume=True, learning_rate=0.05).train(2)
    assert "learning_rate is 0.05, was 0.1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "message"), [({"seed": 3}, "seed is 3, was 0"), ({"delay": 1e-6}, "delay is 1e-06")]
)
def test_another_run_is_not_gone_on_with_unless_asked_for(
    make: Make, changed: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = make()
    first.train(1)
    with pytest.raises(ResumeError, match=f"ep0001.*is of another run: {message}.*--resume-with-changes"):
        make(resume=True, **changed).train(2)
    again = make(resume=True, **changed)
    again.settings.resume_with_changes = True
    assert again.train(2).epochs == 2
    assert f"unlike the checkpoint: {message}" in capsys.readouterr().out


def test_resuming_with_another_network_is_refused(make: Make) -> None:
    make(width=4).train(1)
    other = make(width=5, resume=True)
    other.settings.resume_with_changes = True
    with pytest.raises(CheckpointError, match=r"ep0001\.pth\.tar do not fit .*hidden\.weight is \(4, 2\) instead"):
        other.train(2)


def test_only_the_newest_epochs_and_the_best_checkpoint_stay(make: Make) -> None:
    trainer = make(keep_checkpoints=2)
    trainer.train(5)
    names = sorted(path.name for path in trainer.settings.checkpoint_dir.glob("[!.]*"))
    assert names == ["ToyNet_best.pth.tar", "ToyNet_ep0004.pth.tar", "ToyNet_ep0005.pth.tar"]


def test_a_fresh_run_sets_an_earlier_runs_checkpoints_aside(make: Make) -> None:
    make().train(4)
    trainer = make(seed=1)
    trainer.train(2)
    directory = trainer.settings.checkpoint_dir
    assert sorted(path.name for path in directory.glob("*_ep*")) == ["ToyNet_ep0001.pth.tar", "ToyNet_ep0002.pth.tar"]
    aside = sorted(path.name for path in (directory / "earlier_run_1").iterdir())
    assert aside == ["ToyNet_best.pth.tar", "ToyNet_ep0003.pth.tar", "ToyNet_ep0004.pth.tar"]


def test_a_run_that_never_finishes_an_epoch_touches_no_earlier_checkpoint(make: Make) -> None:
    first = make()
    first.train(1)
    before = sorted(first.settings.checkpoint_dir.iterdir())
    with pytest.raises(RuntimeError):
        make(build={"hooks": [Failing(RuntimeError("broken"), 1)]}).train(1)
    assert sorted(first.settings.checkpoint_dir.iterdir()) == before


def test_a_checkpoint_names_its_origin(make: Make) -> None:
    trainer = make(seed=7)
    trainer.train(1)
    content = load_checkpoint(trainer.settings.checkpoint_dir / "ToyNet_ep0001.pth.tar")
    assert (content["epoch"], content["net_type"], content["actor_type"]) == (1, "ToyNet", "ToyActor")
    assert content["settings"]["seed"] == 7
    assert content["settings"]["config"]["momentum"] == 0.9
    assert content["settings"]["project_path"] == "ltr/toy/sums"
    assert content["constructor"]["network"] == "toy"
    assert content["stats"]["train"]["Loss/total"].keys() == {1}


# ---- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (7, r"the loss is nan in epoch 2, step 3 of 'train'.*in the last checkpoint"),
        (2, r"the loss is nan in epoch 1, step 2 of 'train'.*no epoch was finished"),
    ],
)
def test_a_loss_that_is_not_finite_stops_training_with_epoch_and_step(make: Make, bad: int, message: str) -> None:
    def spoil(loss: torch.Tensor, call: int) -> torch.Tensor:
        return loss * float("nan") if call == bad else loss

    trainer = make(build={"spoil": spoil})
    with pytest.raises(TrainingError, match=message):
        trainer.train(3, fail_safe=False)
    assert all(torch.isfinite(value).all() for value in weights(trainer).values())


def test_weights_that_are_no_longer_finite_get_into_no_checkpoint(make: Make) -> None:
    def spoil(loss: torch.Tensor, call: int) -> torch.Tensor:
        return loss + (loss * 0).sqrt() if call == 8 else loss  # finite, but its gradient is not

    trainer = make(build={"spoil": spoil})
    with pytest.raises(TrainingError, match=r"the weight hidden\.weight is no longer finite after epoch 2"):
        trainer.train(3, fail_safe=False)
    assert [path.name for path in trainer.settings.checkpoint_dir.glob("*_ep*")] == ["ToyNet_ep0001.pth.tar"]


def test_an_error_after_a_finished_epoch_is_retried_and_changes_nothing(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    unbroken = make(name="unbroken", dropout=0.3)
    expected = unbroken.train(3)
    broken = make(dropout=0.3, build={"hooks": [Failing(OSError("the disk went away"), 6)]})
    result = broken.train(3)
    assert same(weights(unbroken), weights(broken))
    assert result.stats == expected.stats
    errors = capsys.readouterr().err
    assert "OSError: the disk went away" in errors  # the whole traceback is shown
    assert "training failed in epoch 2" in errors


def test_an_error_in_the_first_epoch_is_raised(make: Make) -> None:
    with pytest.raises(OSError, match="the disk went away"):
        make(build={"hooks": [Failing(OSError("the disk went away"), 2)]}).train(3)


def test_a_second_error_without_a_new_epoch_is_raised(make: Make) -> None:
    failing = Failing(OSError("the disk went away"), 6, 8)  # the retry of epoch 2 begins with step 7
    with pytest.raises(OSError, match="the disk went away"):
        make(build={"hooks": [failing]}).train(3)
    assert failing.steps == 8


def test_errors_with_an_epoch_between_them_are_each_retried(make: Make) -> None:
    result = make(build={"hooks": [Failing(OSError("the disk went away"), 6, 12)]}).train(4)
    assert result.epochs == 4


def test_ctrl_c_is_never_retried_and_names_the_last_checkpoint(make: Make) -> None:
    with pytest.raises(TrainingInterrupted) as caught:
        make(build={"hooks": [Failing(KeyboardInterrupt(), 6)]}).train(3)
    assert caught.value.epoch == 1
    assert caught.value.checkpoint is not None
    assert load_checkpoint(caught.value.checkpoint)["epoch"] == 1


def test_ctrl_c_before_the_first_epoch_ends_names_no_earlier_runs_checkpoint(make: Make) -> None:
    make().train(2)
    with pytest.raises(TrainingInterrupted) as caught:
        make(build={"hooks": [Failing(KeyboardInterrupt(), 2)]}).train(3)
    assert caught.value.checkpoint is None


def test_a_loader_without_batches_is_an_error(make: Make) -> None:
    trainer = make()

    class Empty:
        name, training, epoch_interval = "train", True, 1

        def set_epoch(self, epoch: int) -> None:
            pass

        def __iter__(self) -> Any:
            return iter(())

    trainer.loaders = [Empty()]
    with pytest.raises(TrainingError, match="the loader 'train' gave no batch in epoch 1"):
        trainer.train(1)


def test_a_workspace_that_cannot_be_written_is_an_error_before_the_first_step(make: Make, workspace: Path) -> None:
    (workspace / "checkpoints").touch()
    trainer = make(build={"scored": False})
    with pytest.raises(WriteError, match=r"cannot write .*workspace/checkpoints/ltr/toy/sums"):
        trainer.train(1)
    assert trainer.total_steps == 0


def test_settings_given_to_a_recipe_that_takes_none_are_an_error(workspace: Path, toy: ModuleType) -> None:
    net = toy.ToyNet()
    settings = Settings("toy", "sums", overrides={"epochs": "3"})
    with pytest.raises(SettingsError, match=r"takes no --set"):
        LTRTrainer(toy.ToyActor(net), [], torch.optim.SGD(net.parameters(), lr=1), settings)
