from __future__ import annotations

import json
import logging
import socket
import subprocess
import time
from pathlib import Path
from types import ModuleType

import pytest

from ltr.admin import visdom as curves
from ltr.admin.settings import Settings
from ltr.engine import Hook, LTRTrainer
from ltr.engine.random_state import seed_everything


def trainer_of(toy: ModuleType, *hooks: Hook) -> LTRTrainer:
    seed_everything(0)
    trainer: LTRTrainer = toy.build(Settings("toy", "sums"), hooks=hooks)
    return trainer


class StopServer(Hook):
    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        self.server = server

    def before_epoch(self, trainer: LTRTrainer) -> None:
        if trainer.epoch == 2:
            self.server.kill()
            self.server.wait()


@pytest.mark.long
def test_the_numbers_are_drawn_on_a_running_server_and_training_survives_its_loss(
    visdom_server: subprocess.Popen[bytes], workspace: Path, toy: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    result = trainer_of(toy).train(2)
    client = curves.connect("ltr_toy_sums")
    assert client is not None
    windows = json.loads(client.get_window_data(env="ltr_toy_sums"))
    assert set(windows) == {"AUC", "Loss/total"}
    (loss,) = windows["Loss/total"]["content"]["data"]
    assert loss["name"] == "train"
    assert dict(zip(loss["x"], loss["y"])) == pytest.approx(result.stats["train"]["Loss/total"])
    (score,) = windows["AUC"]["content"]["data"]
    assert score["x"] == [0, 1, 2]

    capsys.readouterr()
    result = trainer_of(toy, StopServer(visdom_server)).train(4)
    assert result.epochs == 4
    captured = capsys.readouterr()
    assert captured.out.count("warning: the visdom server is lost") == 1
    assert "Traceback" not in captured.out + captured.err


def test_without_a_server_nothing_is_said(
    workspace: Path, toy: ModuleType, visdom_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trainer_of(toy).train(1).epochs == 1
    captured = capsys.readouterr()
    assert "visdom" not in (captured.out + captured.err).lower()


def test_something_that_accepts_connections_but_is_no_visdom_server_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("visdom")
    monkeypatch.setattr(curves, "DRAW_WITHIN", 0.2)
    with socket.socket() as mute:  # accepts, and never says a word
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        monkeypatch.setenv("VISDOM_SERVER", "127.0.0.1")
        monkeypatch.setenv("VISDOM_PORT", str(mute.getsockname()[1]))
        started = time.perf_counter()
        assert curves.connect("trial") is None
        assert time.perf_counter() - started < 10
    logging.getLogger("visdom").setLevel(logging.NOTSET)


@pytest.mark.parametrize("port", ["", "http", "99999"])
def test_a_port_that_is_none_does_no_harm(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("VISDOM_SERVER", "127.0.0.1")
    monkeypatch.setenv("VISDOM_PORT", port)
    curves.VisdomCurves("trial")
