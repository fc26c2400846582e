"""Runs the project's commands in forked processes, which may be killed at any moment, and counts what came of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FORK = multiprocessing.get_context("fork")
SEED = int(os.environ.get("FAULT_SEED", "0"))
"""Of everything that is drawn here; the campaign prints it."""

Main = Callable[[Sequence[str]], int]


def rng(*what: int) -> np.random.Generator:
    return np.random.default_rng((SEED, *what))


@dataclass(frozen=True)
class Outcome:
    """What came of a command.

    Attributes:
        status: the exit status; negative: the signal that ended it; None: it did not end in time.
        output: what it printed, both streams.
        seconds: how long it ran.
    """

    status: int | None
    output: str
    seconds: float

    def fault(self, expected: Sequence[int]) -> str | None:
        """Returns what is wrong with how the command ended, or None."""
        if self.status is None:
            return "it hangs"
        if "Traceback (most recent call last)" in self.output:
            return f"a traceback: {self.output.strip().splitlines()[-1][:200]}"
        if self.status not in expected:
            return f"exit status {self.status}: {self.output.strip()[-200:]}"
        return None


class Started:
    """A command in a process of its own, in a process group of its own."""

    def __init__(self, main: Main, arguments: Sequence[object], log: Path) -> None:
        self.log = log
        self.start = time.perf_counter()
        self.process = FORK.Process(target=_run, args=(main, [str(word) for word in arguments], log))
        self.process.start()

    def wait(self, seconds: float = 120.0) -> Outcome:
        """Waits for the end; what does not end in time is killed."""
        self.process.join(seconds)
        status = self.process.exitcode
        if status is None:
            self.kill()
        output = self.log.read_text(errors="replace") if self.log.exists() else ""
        return Outcome(status, output, time.perf_counter() - self.start)

    def kill(self) -> None:
        """Ends the command's process as the out-of-memory killer does; its children are its own business."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()


def run(main: Main, arguments: Sequence[object], log: Path, seconds: float = 120.0) -> Outcome:
    """Runs a command to its end."""
    return Started(main, arguments, log).wait(seconds)


def run_and_kill(main: Main, arguments: Sequence[object], log: Path, after: float) -> bool:
    """Kills a command after so many seconds; returns whether it was still running."""
    started = Started(main, arguments, log)
    time.sleep(after)
    running = started.process.is_alive()
    started.kill() if running else started.wait()
    return running


def _run(main: Main, arguments: list[str], log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace", buffering=1)
    status = 1
    try:
        status = main(arguments) or 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@dataclass
class Row:
    """How often something was tried, and what went wrong."""

    tried: int = 0
    faults: list[str] = field(default_factory=list)


class Counts:
    """What a campaign counted, by what was tried."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def add(self, what: str, fault: str | None = None, tried: int = 1) -> None:
        row = self.rows.setdefault(what, Row())
        row.tried += tried
        if fault:
            row.faults.append(fault)

    def check(self, *what: str) -> None:
        """Fails the test if anything went wrong, with all that did."""
        faults = [f"{name}: {fault}" for name in what for fault in self.rows[name].faults]
        assert not faults, "\n".join(faults[:40])

    def table(self) -> str:
        lines = ["| tried | how often | went wrong |", "|---|---|---|"]
        lines += [f"| {name} | {row.tried:,} | {len(row.faults)} |" for name, row in self.rows.items()]
        return "\n".join(lines)


def tree(folder: Path, but: Sequence[str] = ()) -> dict[str, bytes]:
    """Returns the content of every file below a folder, by its path; ``but`` not those whose names end so."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(tuple(but)))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def flipped(content: bytes, bit: int) -> bytes:
    """Returns the content with one bit the other way."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
