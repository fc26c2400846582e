from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from ltr.engine.random_state import random_state, seed_everything, set_random_state, untouched_random_state


def draw() -> tuple[float, float, float, float]:
    return random.random(), float(np.random.rand()), float(np.random.randn()), float(torch.rand(1))


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    numbers = []
    for seed in (1, 1, 2):
        seed_everything(seed)
        numbers.append(draw())
    assert numbers[0] == numbers[1]
    assert numbers[0] != numbers[2]


def test_every_process_draws_its_own_numbers() -> None:
    seed_everything(1)
    first = draw()
    seed_everything(1, rank=1)
    assert draw() != first


def test_a_stored_state_continues_the_same_numbers(tmp_path: Path) -> None:
    seed_everything(3)
    draw()  # the second normal number of a pair waits inside NumPy's state
    torch.save(random_state(), tmp_path / "state.pth")
    expected = draw()
    set_random_state(torch.load(tmp_path / "state.pth", weights_only=True))
    assert draw() == expected


def test_numbers_drawn_inside_leave_no_trace() -> None:
    seed_everything(3)
    expected = draw()
    seed_everything(3)
    with untouched_random_state():
        draw()
    assert draw() == expected
