"""Mixed precision is on by itself where the hardware is fast at it, and only there."""

from __future__ import annotations

import pytest
import torch

from ltr.engine.precision import CPU_QUESTIONS, mixed_precision_is_fast


@pytest.mark.parametrize("has", [*CPU_QUESTIONS, None])
def test_a_cpu_is_asked_for_each_kind_of_bfloat16(monkeypatch: pytest.MonkeyPatch, has: str | None) -> None:
    for question in CPU_QUESTIONS:
        monkeypatch.setattr(torch.cpu, question, lambda question=question: question == has, raising=False)
    assert mixed_precision_is_fast(torch.device("cpu")) is (has is not None)


def test_a_torch_that_knows_no_answer_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    for question in CPU_QUESTIONS:
        monkeypatch.delattr(torch.cpu, question, raising=False)
    assert not mixed_precision_is_fast(torch.device("cpu"))
    assert mixed_precision_is_fast(torch.device("cuda")) and not mixed_precision_is_fast(torch.device("meta"))
