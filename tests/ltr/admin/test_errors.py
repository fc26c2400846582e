from __future__ import annotations

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ltr.admin.errors import message_for_people
from ltr.admin.settings import SettingsError, TrainConfig, apply_overrides
from ltr.data.loader import collate


def caught(function: object, *arguments: object) -> BaseException:
    with pytest.raises(Exception) as info:
        function(*arguments)  # type: ignore[operator]
    return info.value


def test_an_error_that_this_project_words_needs_no_traceback() -> None:
    assert "at least 1" in (message_for_people(caught(TrainConfig, 0)) or "")
    error = caught(collate, [torch.zeros(1), torch.zeros(2)])
    assert "samples have shapes" in (message_for_people(error) or "")


def test_an_error_that_merely_happened_needs_its_traceback() -> None:
    assert message_for_people(caught(int, "x")) is None
    assert message_for_people(caught(lambda: 1 / 0)) is None
    assert message_for_people(caught(torch.zeros(2).reshape, 3)) is None
    assert message_for_people(caught(apply_overrides, 3, {})) is None  # a TypeError is a programming mistake


class Broken(Dataset[torch.Tensor]):
    def __init__(self, words: bool) -> None:
        self.words = words

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> torch.Tensor:
        if self.words:
            collate([torch.zeros(1), torch.zeros(2)], key="boxes")
        return torch.tensor(int("x"))


@pytest.mark.parametrize("words", [True, False])
def test_the_same_holds_for_errors_in_worker_processes(words: bool) -> None:
    error = caught(list, DataLoader(Broken(words), num_workers=1))
    message = message_for_people(error)
    if words:
        assert message is not None
        assert message.startswith("cannot stack 'boxes'")
    else:
        assert message is None


def test_a_settings_error_is_always_known() -> None:
    assert message_for_people(SettingsError("words")) == "words"
