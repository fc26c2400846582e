from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
import torch

from ltr.admin.checkpoint import load_checkpoint
from ltr.config.run import learning_rates
from ltr.models.builder import build_network
from ltr.run_training import main
from tests.recipes import recipe

SCRIPT = Path(__file__).resolve().parents[2] / "ltr" / "run_training.py"
PLUGIN = Path(__file__).with_name("toy_plugin.py")
TOY = ["toy", "sums", "--plugin", str(PLUGIN), "--device", "cpu"]

Output = pytest.CaptureFixture[str]


def checkpoints(workspace: Path) -> Path:
    return workspace / "checkpoints" / "ltr" / "toy" / "sums"


# ---- a run that goes well ---------------------------------------------------------------------------------------


def test_a_run_ends_with_the_checkpoint_how_to_use_it_and_the_score(
    workspace: Path, toy: ModuleType, capsys: Output
) -> None:
    assert main([*TOY, "--set", "epochs=2", "--seed", "1"]) == 0
    *_, checkpoint, command, score = capsys.readouterr().out.splitlines()
    assert checkpoint == f"checkpoint: {checkpoints(workspace) / 'ToyNet_best.pth.tar'}"
    assert command.endswith("python add.py")
    assert re.fullmatch(r"held-out AUC: -?\d\.\d{3} -> -?\d\.\d{3} \(the weights after epoch 2\)", score)


def test_settings_seed_and_workspace_reach_the_recipe(
    workspace: Path, toy: ModuleType, tmp_path: Path, capsys: Output
) -> None:
    elsewhere = tmp_path / "elsewhere"
    arguments = ["--set", "epochs=1", "--set", "width=6", "--seed", "5", "--workspace", str(elsewhere)]
    assert main([*TOY, *arguments]) == 0
    content = load_checkpoint(checkpoints(elsewhere) / "ToyNet_ep0001.pth.tar")
    assert content["settings"]["seed"] == 5
    assert content["settings"]["config"]["width"] == 6
    assert not checkpoints(workspace).exists()


def test_the_same_command_gives_the_same_numbers_twice(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    outputs = []
    for _ in range(2):
        assert main([*TOY, "--set", "dropout=0.2", "--seed", "3"]) == 0
        lines = [line for line in capsys.readouterr().out.splitlines() if "earlier run" not in line]
        outputs.append([re.sub(r" \(\d+:\d\d\)| \d+:\d\d left", "", line) for line in lines])
    assert outputs[0] == outputs[1]


def test_a_run_goes_on_where_an_earlier_one_ended(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    assert main([*TOY, "--set", "epochs=1"]) == 0
    assert main([*TOY, "--set", "epochs=3", "--resume"]) == 0
    assert "going on from" in capsys.readouterr().out
    losses = load_checkpoint(checkpoints(workspace) / "ToyNet_ep0003.pth.tar")["stats"]["train"]["Loss/total"]
    assert list(losses) == [1, 2, 3]


def test_the_recipes_are_listed_with_what_they_do(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    assert main(["--list", "--plugin", str(PLUGIN)]) == 0
    assert re.search(r"^  toy sums +Learns to add two numbers\.$", capsys.readouterr().out, re.MULTILINE)


# ---- what goes wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["toy", "smus"], "unknown training recipe 'toy/smus'. Did you mean 'toy/sums'"),
        (["tyo", "sums"], "'toy/sums'"),
        (["toy", "sums", "--set", "epoch=3"], "unknown setting 'epoch'. Did you mean 'epochs'"),
        (["toy", "sums", "--set", "epochs=three"], "epochs=three: expected a whole number"),
        (["toy", "sums", "--plugin", "/nowhere/plugin.py"], "there is no file /nowhere/plugin.py"),
        (["toy", "sums", "--set", "batch_size=100"], "too few for one batch of 100"),
    ],
)
def test_a_known_error_is_one_paragraph_and_status_1(
    workspace: Path, toy: ModuleType, capsys: Output, arguments: list[str], message: str
) -> None:
    assert main([*arguments, "--plugin", str(PLUGIN), "--device", "cpu"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert "Traceback" not in captured.err.partition("cannot be loaded")[0]
    assert "held-out" not in captured.out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_asked_for_where_there_is_none_is_an_error(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    assert main(["toy", "sums", "--plugin", str(PLUGIN), "--device", "cuda"]) == 1
    assert "torch finds no GPU here" in capsys.readouterr().err


def test_an_unknown_error_shows_its_traceback(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    assert main([*TOY, "--set", "error=unknown"]) == 1
    errors = capsys.readouterr().err
    assert "Traceback" in errors
    assert "ZeroDivisionError: the recipe said so" in errors


def test_debug_shows_every_traceback(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    assert main([*TOY, "--set", "epochs=0", "--debug"]) == 1
    errors = capsys.readouterr().err
    assert "Traceback" in errors
    assert "epochs is 0" in errors


def test_a_broken_checkpoint_stops_a_resume_with_its_name(workspace: Path, toy: ModuleType, capsys: Output) -> None:
    assert main([*TOY, "--set", "epochs=1"]) == 0
    path = checkpoints(workspace) / "ToyNet_ep0001.pth.tar"
    path.write_bytes(path.read_bytes()[:500])
    assert main([*TOY, "--resume"]) == 1
    assert f"{path} is truncated" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["toy"], ["toy", "sums", "extra"], ["toy", "sums", "--set", "epochs"], ["toy", "sums", "--seed", "-1"]],
)
def test_wrong_usage_is_status_2(workspace: Path, capsys: Output, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: run_training.py" in capsys.readouterr().err


@pytest.mark.long
def test_ctrl_c_stops_a_script_started_anywhere_with_status_130_and_says_how_to_go_on(
    workspace: Path, tmp_path: Path
) -> None:
    # Names that the script's own directory has, too: neither may hide the other.
    (tmp_path / "data.py").write_text("raise RuntimeError('the wrong data')")
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *TOY, "--set", "epochs=100000", "--set", "delay=0.001"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A program started in the background inherits Ctrl-C ignored; this one must hear it all the same.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 3/100000: train"):
            process.send_signal(signal.SIGINT)
            break
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    match = re.search(r"interrupted: the checkpoint of epoch (\d+) is whole: (.+)\nto go on: (.+ --resume)\n", errors)
    assert match is not None, errors
    assert load_checkpoint(match[2])["epoch"] == int(match[1]) >= 2
    assert f"PYTRACKING_WORKSPACE_DIR={workspace}" in match[3]
    assert "Traceback" not in errors
    assert "held-out AUC: " not in output


def start(*words: str, ignored: bool = False, launcher: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Starts a run of the toy recipe in the background; ``ignored``: with Ctrl-C ignored, as after a shell's ``&``."""
    handler = signal.SIG_IGN if ignored else signal.SIG_DFL
    return subprocess.Popen(
        [sys.executable, *launcher, str(SCRIPT), *TOY, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),
        text=True,
    )


ENDLESS = ("--set", "epochs=100000", "--set", "delay=0.001")


def read_until(process: subprocess.Popen[str], start: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return
    raise AssertionError(process.communicate()[1])


@pytest.mark.long
def test_a_second_run_in_the_workspace_is_refused_and_sigterm_stops_the_first_in_good_order(
    workspace: Path, toy: ModuleType, capsys: Output
) -> None:
    first = start(*ENDLESS, ignored=True)
    try:
        read_until(first, "epoch 2/100000: train")
        assert main(TOY) == 1
        error = capsys.readouterr().err
        assert f"is being written to by process {first.pid} on " in error
        assert "choose another workspace with --workspace" in error and "Traceback" not in error
        assert main([*TOY, "--resume"]) == 1, "nor may it be gone on with"
        first.send_signal(signal.SIGTERM)
        errors = first.communicate(timeout=240)[1]
    finally:
        first.kill()
    assert first.returncode == 130 and "interrupted: the checkpoint of epoch" in errors and "Traceback" not in errors
    assert not list(checkpoints(workspace).glob("earlier_run*"))
    epochs = [load_checkpoint(path)["epoch"] for path in sorted(checkpoints(workspace).glob("*_ep*"))]
    assert epochs == list(range(epochs[0], epochs[0] + len(epochs)))


@pytest.mark.long
def test_the_directory_of_a_killed_run_is_taken_over_and_its_partial_files_go(
    workspace: Path, toy: ModuleType, capsys: Output
) -> None:
    first = start(*ENDLESS)
    try:
        read_until(first, "epoch 2/100000: train")
    finally:
        first.kill()
        first.communicate()
    (checkpoints(workspace) / ".ToyNet_ep0009.pth.tar.host.1.partial").touch()
    newest = max(load_checkpoint(path)["epoch"] for path in checkpoints(workspace).glob("T*_ep*"))
    assert main([*TOY, "--resume", "--set", f"epochs={newest + 1}", "--set", "delay=0.001"]) == 0
    assert "takes it over" in capsys.readouterr().err
    assert not list(checkpoints(workspace).glob("*.partial"))


def test_ctrl_c_before_the_first_checkpoint_says_that_nothing_can_be_resumed(
    workspace: Path, toy: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def interrupt(self: object, index: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(toy.Sums, "__getitem__", interrupt)
    assert main(TOY) == 130
    assert "nothing to resume" in capsys.readouterr().err


# ---- several processes ------------------------------------------------------------------------------------------


@pytest.mark.long
def test_two_processes_learn_the_same_as_one_with_their_batches_together(
    workspace: Path, toy: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [*torchrun, str(SCRIPT), *TOY, "--set", "batch_size=4"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    ranks = [torch.load(tmp_path / f"rank{rank}.pth", weights_only=True) for rank in range(2)]
    together = load_checkpoint(checkpoints(workspace) / "ToyNet_ep0003.pth.tar")

    (tmp_path / "alone").mkdir()
    monkeypatch.setenv("TOY_WEIGHTS", str(tmp_path / "alone"))
    assert main([*TOY, "--set", "batch_size=8", "--workspace", str(tmp_path / "alone")]) == 0
    alone = torch.load(tmp_path / "alone" / "rank0.pth", weights_only=True)
    for name, value in alone.items():
        assert torch.equal(ranks[0][name], ranks[1][name])
        assert torch.allclose(ranks[0][name], value, atol=1e-5, rtol=0)
        assert torch.equal(ranks[0][name], together["net"][name])
    losses = load_checkpoint(checkpoints(tmp_path / "alone") / "ToyNet_ep0003.pth.tar")["stats"]["train"]["Loss/total"]
    assert together["stats"]["train"]["Loss/total"] == pytest.approx(losses, abs=1e-5)
    assert len(together["random_state"]) == 2
    # Only the first process prints.
    assert done.stdout.count("held-out AUC: ") == 1
    assert done.stdout.rstrip().splitlines()[-1].startswith("held-out AUC: ")


@pytest.mark.long
def test_a_killed_process_of_a_distributed_run_is_one_line_of_the_others(workspace: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    run = start(*ENDLESS, launcher=launcher)
    try:
        read_until(run, "epoch 2/100000: train")
        [*_, other] = sorted(psutil.Process(run.pid).children(), key=lambda process: process.pid)
        os.kill(other.pid, signal.SIGKILL)
        errors = run.communicate(timeout=240)[1]
    finally:
        run.kill()
    assert run.returncode != 0
    ours = errors.partition("torch/distributed/run.py")[0]  # what follows is torchrun's own report
    lost = "error: process 0 of 2 lost another one, which has ended or cannot be reached: finished epochs are kept"
    assert lost in ours or "interrupted: the checkpoint of epoch" in ours, errors
    assert "gloo" not in ours


def test_a_killed_worker_that_reads_data_is_one_line_with_the_command_that_goes_on(
    workspace: Path, toy: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    usual = toy.Sums.__getitem__

    def killed(self: object, index: int) -> object:
        if index >= len(self) and torch.utils.data.get_worker_info() is not None:  # type: ignore[arg-type]
            os.kill(os.getpid(), signal.SIGKILL)  # in the second epoch
        return usual(self, index)

    monkeypatch.setattr(toy.Sums, "__getitem__", killed)
    assert main([*TOY, "--set", "num_workers=1"]) == 1
    errors = capsys.readouterr().err
    assert "that reads data died (is killed by signal: Killed), as the system does when memory runs out" in errors
    assert "finished epochs are kept, and --resume goes on" in errors and "Traceback" not in errors
    assert re.search(r"\nto go on: PYTRACKING_.* --resume\n$", errors)
    assert load_checkpoint(checkpoints(workspace) / "ToyNet_ep0001.pth.tar")["epoch"] == 1


def test_siamfc_s_own_recipe_is_what_its_authors_print() -> None:
    own = recipe("siamfc/siamfc", schedule="paper")
    assert (own.optimizer.method, own.optimizer.momentum, own.optimizer.weight_decay) == ("sgd", 0.9, 5e-4)
    assert (own.schedule.epochs, own.schedule.batch_size, own.schedule.average_decay) == (50, 8, None)
    net = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(net.parameters(), own.optimizer.learning_rate)
    rates, scheduler = [], learning_rates(optimizer, own.schedule, 10)
    assert scheduler is not None
    for _ in range(own.schedule.epochs + 1):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert rates[0] == pytest.approx(1e-2) and rates[-1] == pytest.approx(1e-5)
    assert np.ptp(np.diff(np.log(rates))) < 1e-9, "by the same part after each epoch"
    assert build_network(own.network.name).response_scale == 1e-3
