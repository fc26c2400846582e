from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ltr.admin.command_line import run_command
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
@pytest.mark.long
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


class ReadsNothing(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.tensor(len(open("/nowhere/file").read()))  # noqa: SIM115


def test_the_operating_systems_errors_name_their_file(tmp_path: Path) -> None:
    error = caught((tmp_path / "nothing").read_bytes)
    assert message_for_people(error) == f"{tmp_path / 'nothing'}: No such file or directory"
    error = caught((tmp_path / ("x" * 5000)).read_bytes)
    assert "File name too long" in (message_for_people(error) or "")
    error = caught(list, DataLoader(ReadsNothing(), num_workers=1))
    assert message_for_people(error) == "/nowhere/file: No such file or directory"
    assert message_for_people(OSError("said nothing of a file")) is None


@pytest.mark.long
def test_what_a_person_can_mend_needs_no_traceback() -> None:
    assert "write the path in full" in (message_for_people(caught(Path("~nouser/x").expanduser)) or "")
    assert (message_for_people(caught(np.zeros, (10**6, 10**9))) or "").startswith("not enough memory: Unable")


def test_a_package_that_this_python_lacks_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(options: argparse.Namespace) -> int:
        import no_such_package_at_all.part  # noqa: F401

        return 0

    options = argparse.Namespace(workspace=None, plugin=[], debug=0)
    assert run_command(options, command) == 1
    error = capsys.readouterr().err
    assert "no package 'no_such_package_at_all'" in error and "bash install.sh" in error
