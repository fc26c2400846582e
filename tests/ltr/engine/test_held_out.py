from __future__ import annotations

import random
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from ltr.admin.checkpoint import load_checkpoint, load_network
from ltr.admin.settings import Settings
from ltr.engine import HeldOutScore, LTRTrainer, TrainingError, TrainingInterrupted, TrainingResult, WeightAverage
from ltr.engine.random_state import seed_everything


class Scripted:
    """A score that says what it is told to, and remembers the networks that it saw."""

    def __init__(self, *scores: float | dict[str, float]) -> None:
        self.scores = list(scores)
        self.seen: list[nn.Module] = []

    def __call__(self, net: nn.Module) -> float | dict[str, float]:
        assert not net.training
        self.seen.append(net)
        return self.scores[len(self.seen) - 1]


def trained(
    toy: ModuleType, score: HeldOutScore, epochs: int, *, average: WeightAverage | None = None, name: str = "sums"
) -> tuple[TrainingResult, LTRTrainer]:
    seed_everything(0)
    hooks = [average, score] if average else [score]
    trainer = toy.build(Settings("toy", name), toy.ToyConfig(dropout=0.3), scored=False, hooks=hooks)
    return trainer.train(epochs), trainer


def test_the_best_checkpoint_is_that_of_the_highest_score_and_not_the_last(workspace: Path, toy: ModuleType) -> None:
    result, _ = trained(toy, HeldOutScore(Scripted(0.2, 0.3, 0.5, 0.4)), 3)
    assert (result.untrained, result.trained) == (0.2, 0.5)
    assert result.checkpoint is not None
    assert result.checkpoint.name == "ToyNet_best.pth.tar"
    content = load_checkpoint(result.checkpoint)
    assert content["epoch"] == 2
    assert content["score"] == {"name": "AUC", "value": 0.5, "untrained": 0.2, "of": "the weights after epoch 2"}
    assert isinstance(load_network("toy/sums"), toy.ToyNet)


def test_of_equal_scores_the_earlier_one_stays(workspace: Path, toy: ModuleType) -> None:
    result, _ = trained(toy, HeldOutScore(Scripted(0.2, 0.4, 0.4)), 2)
    assert result.checkpoint is not None
    assert load_checkpoint(result.checkpoint)["epoch"] == 1


def test_a_network_that_got_worse_is_not_handed_over(workspace: Path, toy: ModuleType) -> None:
    score = HeldOutScore(Scripted(0.4, 0.2, 0.3))
    result, trainer = trained(toy, score, 2)
    assert (result.untrained, result.trained, result.learned) == (0.4, 0.4, False)
    assert result.checkpoint is not None
    content = load_checkpoint(result.checkpoint)
    seed_everything(0)
    start = toy.build(Settings("toy", "other"), toy.ToyConfig(dropout=0.3), scored=False).net.state_dict()
    assert content["epoch"] == 0 and content["score"]["of"] == "the weights before training"
    assert all(torch.equal(value, start[name]) for name, value in content["net"].items())
    assert any(not torch.equal(value, start[name]) for name, value in trainer.net.state_dict().items())


def videos(*numbers: float) -> dict[str, float]:
    return {f"video {number}": value for number, value in enumerate(numbers)}


def test_a_gain_within_its_standard_error_is_a_tie_and_ties_go_to_the_start(workspace: Path, toy: ModuleType) -> None:
    start = videos(0.5, 0.5, 0.5, 0.5)
    # Means of .55: differences of .2, 0, 0, 0 have a standard error of .05; those of .06, .04, .06, .04 one of .006.
    chance, certain = videos(0.7, 0.5, 0.5, 0.5), videos(0.56, 0.54, 0.56, 0.54)
    result, _ = trained(toy, HeldOutScore(Scripted(start, chance, chance)), 2)
    assert not result.learned and result.trained == 0.5
    result, _ = trained(toy, HeldOutScore(Scripted(start, chance, certain)), 2, name="certain")
    assert result.learned and result.chosen == "the weights after epoch 2"


def test_one_video_is_not_trusted(workspace: Path, toy: ModuleType) -> None:
    assert not trained(toy, HeldOutScore(Scripted(videos(0.5), videos(0.6))), 1)[0].trusted
    assert trained(toy, HeldOutScore(Scripted(videos(0.5, 0.5), videos(0.6, 0.7))), 1, name="two")[0].trusted


def test_weights_between_start_and_end_are_candidates(workspace: Path, toy: ModuleType) -> None:
    score = Scripted(0.2, 0.3, 0.5, 0.4)
    result, trainer = trained(toy, HeldOutScore(score, between=(0.25, 0.5)), 1)
    assert result.chosen is not None and result.chosen.startswith("the weights 25% of the way")
    assert result.checkpoint is not None
    kept = load_checkpoint(result.checkpoint)["net"]
    seed_everything(0)
    start = toy.build(Settings("toy", "other"), toy.ToyConfig(dropout=0.3), scored=False).net.state_dict()
    for name, value in trainer.net.state_dict().items():
        assert torch.allclose(kept[name], 0.75 * start[name] + 0.25 * value, atol=1e-7)
    with pytest.raises(ValueError, match="not all in"):
        HeldOutScore(score, between=(1.0,))


def test_the_score_is_taken_at_the_interval_and_after_the_last_epoch(workspace: Path, toy: ModuleType) -> None:
    score = Scripted(0.1, 0.2, 0.3, 0.4)
    result, _ = trained(toy, HeldOutScore(score, interval=2), 5)
    assert list(result.stats["held-out"]["AUC"]) == [0, 2, 4, 5]


def test_scoring_does_not_disturb_training(workspace: Path, toy: ModuleType) -> None:
    def noisy(net: nn.Module) -> float:
        random.random()
        torch.rand(3)
        return 0.5

    _, scored = trained(toy, HeldOutScore(noisy), 2, name="scored")
    seed_everything(0)
    unscored = toy.build(Settings("toy", "unscored"), toy.ToyConfig(dropout=0.3), scored=False)
    unscored.train(2)
    for name, value in unscored.net.state_dict().items():
        assert torch.equal(value, scored.net.state_dict()[name])


def test_layers_that_a_recipe_froze_are_still_frozen_after_scoring(workspace: Path, toy: ModuleType) -> None:
    seed_everything(0)
    score = HeldOutScore(Scripted(0.1, 0.2))
    trainer = toy.build(Settings("toy", "sums"), toy.ToyConfig(norm=True), scored=False, hooks=[score])
    trainer.net.train()
    trainer.net.norm.eval()
    score.before_training(trainer)
    assert trainer.net.training
    assert not trainer.net.norm.training


def test_the_averaged_network_is_what_is_scored_and_kept(workspace: Path, toy: ModuleType) -> None:
    score, average = Scripted(0.1, 0.2), WeightAverage(0.9)
    result, trainer = trained(toy, HeldOutScore(score, average=average), 1, average=average)
    assert score.seen[0] is trainer.net
    assert score.seen[1] is average.averaged
    assert result.checkpoint is not None
    kept = load_checkpoint(result.checkpoint)["net"]
    assert torch.equal(kept["out.weight"], average.averaged.state_dict()["out.weight"])
    assert not torch.equal(kept["out.weight"], trainer.net.state_dict()["out.weight"])


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_an_error(workspace: Path, toy: ModuleType, number: float) -> None:
    with pytest.raises(TrainingError, match="held-out AUC is .* at epoch 0"):
        trained(toy, HeldOutScore(Scripted(number)), 1)


class InterruptedScore:
    """Minus the error at 1 + 1, and Ctrl-C in place of one of the scores."""

    def __init__(self, toy: ModuleType, at: int | None) -> None:
        self.toy, self.at, self.calls = toy, at, 0

    def __call__(self, net: nn.Module) -> float:
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return float(self.toy.score_of(net))


@pytest.mark.parametrize("at", [2, 3, 4])  # the first is that of the untrained network
def test_ctrl_c_while_scoring_loses_no_epoch_and_the_run_goes_on_exactly(
    workspace: Path, toy: ModuleType, at: int
) -> None:
    def trainer(name: str, at: int | None, resume: bool = False) -> LTRTrainer:
        seed_everything(0)
        average = WeightAverage(0.9)
        hooks = [average, HeldOutScore(InterruptedScore(toy, at), average=average)]
        settings = Settings("toy", name, resume=resume)
        made: LTRTrainer = toy.build(settings, toy.ToyConfig(dropout=0.3, norm=True), scored=False, hooks=hooks)
        return made

    unbroken = trainer("unbroken", None)
    expected = unbroken.train(3)
    with pytest.raises(TrainingInterrupted) as caught:
        trainer("broken", at).train(3)
    assert caught.value.epoch == at - 1
    assert caught.value.checkpoint is not None and f"ep000{at - 1}" in caught.value.checkpoint.name
    again = trainer("broken", None, resume=True)
    result = again.train(3)
    assert result.stats == expected.stats and result.trained == expected.trained
    for name, value in unbroken.net.state_dict().items():
        assert torch.equal(value, again.net.state_dict()[name])
    best = [load_checkpoint(each.checkpoint)["net"] for each in (expected, result) if each.checkpoint]
    assert all(torch.equal(value, best[1][name]) for name, value in best[0].items())
