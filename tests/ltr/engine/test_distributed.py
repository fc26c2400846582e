"""A single process; two processes are tested with the command line that starts them (``test_run_training.py``)."""

from __future__ import annotations

import pytest
import torch

from ltr.engine import distributed


def test_a_single_process_is_the_main_one_and_waits_for_nobody() -> None:
    assert (distributed.rank(), distributed.world_size(), distributed.is_main()) == (0, 1, True)
    distributed.barrier()
    assert distributed.broadcast("a") == "a"
    assert distributed.gather("a") == ["a"]


def test_the_mean_is_over_all_values_and_not_over_means() -> None:
    assert distributed.mean({"loss": (6.0, 4), "none": (0.0, 0)}) == {"loss": 1.5}


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert distributed.local_device("cuda") == torch.device("cuda", 3)
    assert distributed.local_device("cpu") == torch.device("cpu")


def test_without_torchrun_no_group_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    distributed.start(torch.device("cpu"))
    assert not distributed.is_running()


@pytest.mark.parametrize("text", ["soon", "0", "-3", "nan", "20000"])
def test_how_long_a_step_waits_is_checked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", distributed.STEP_VARIABLE: text}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"{distributed.STEP_VARIABLE} is '{text}': give seconds"):
        distributed.start(torch.device("cpu"))
    assert not distributed.is_running()
