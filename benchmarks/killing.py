"""Processes that die as machines do: at once, with all that they have started."""

from __future__ import annotations

import os
import signal

import psutil


def kill_tree(pid: int) -> None:
    """Kills a process and all that it has started, without a warning; one that is gone is no error."""
    try:
        process = psutil.Process(pid)
        every = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for each in every:
        try:
            os.kill(each.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
