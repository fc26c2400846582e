from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from socl_plugins import command

REPOSITORY = Path(__file__).resolve().parents[2]


def test_its_help_is_there_at_once() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from socl_plugins.command import main\nmain(['--help'])\n"
        "print([name for name in ('torch', 'numpy', 'cv2', 'ltr', 'argparse') if name in sys.modules][:-1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in command.COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", command.COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = command.main([name, "--help"])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 0 and "usage:" in capsys.readouterr().out


def test_an_unknown_command_has_near_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["anotate"]) == 2
    assert "Did you mean 'annotate'" in capsys.readouterr().err
    assert command.main([]) == 2


def test_clips_that_are_none_are_told_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PYTRACKING_GOT10K_DIR", "PYTRACKING_GOT10K_VAL_DIR"):
        monkeypatch.setenv(name, "")
    assert command.main(["train", "socl/socl_res18", "--data", str(tmp_path)]) == 1
    assert "error: there is no" in capsys.readouterr().err
