"""Workers end with their parent, SIGTERM stops a command in good order, and a killed worker is one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from ltr.admin import processes
from ltr.admin.processes import ProcessDied, named_worker_deaths, stopped_by_sigterm

REPOSITORY = Path(__file__).parents[3]
PARENT = """
    import subprocess, sys
    child = "import os, time; from ltr.admin import processes; {how}processes.end_with_parent(); "
    child += "print(os.getpid(), flush=True); time.sleep(60)"
    subprocess.Popen([sys.executable, "-c", child]).wait()
"""


@pytest.mark.parametrize("how", ["", "processes.sys.platform = 'other'; processes.LOOK_EVERY = 0.05; "])
def test_a_worker_ends_with_its_parent_however_that_ended(how: str) -> None:
    program = textwrap.dedent(PARENT).replace("{how}", how)
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    psutil.wait_procs([worker], timeout=20)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_sigterm_is_ctrl_c_while_a_command_runs_and_not_after_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stopped_by_sigterm():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.long
def test_a_killed_worker_of_joblib_is_one_line() -> None:
    from joblib import Parallel, delayed

    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(ProcessDied) as caught, named_worker_deaths("go on with X"):
        Parallel(n_jobs=2)(delayed(exec)(program) for program in ("pass", kill))
    assert "a worker process died (SIGKILL), as the system does when memory runs out: go on with X" in str(caught.value)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(RuntimeError, match="^something else$"), named_worker_deaths("go on"):
        raise RuntimeError("something else")
    message = "DataLoader worker (pid(s) 12, 13) exited unexpectedly"
    with pytest.raises(ProcessDied) as caught, named_worker_deaths("go on"):
        raise RuntimeError(message)
    assert str(caught.value) == "the worker process 12, 13 that reads data died (exited unexpectedly): go on"
    assert processes.ProcessDied.__module__.startswith("ltr"), "so that commands print it as one line"
