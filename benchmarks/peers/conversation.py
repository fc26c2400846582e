"""A tracker in a process of its own, which is asked by lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.peers.pairs import PeerError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LAST_LINES = 3  # of what a process said before it died


class PeerDied(PeerError):
    """A tracker's process ended before it answered."""


@dataclass(frozen=True)
class Answer:
    """What a tracker made of a frame: milliseconds, and the box x, y, w, h in pixels, the first pixel at 0."""

    ms: float
    box: tuple[float, float, float, float]


class Conversation:
    """A tracker's process, started when entered and ended when left.

    Args:
        name: what errors call it.
        command: what is run.
        threads: that it may compute with.

    Attributes:
        weights: checksums of its network's weights by their names.
    """

    def __init__(self, name: str, command: Sequence[str], threads: int = 1) -> None:
        self.name = name
        self.command = list(command)
        self.threads = threads
        self.weights: dict[str, int] = {}

    def __enter__(self) -> Conversation:
        # Where it goes wrong, what was said last is in the message; a pipe that nobody reads would block it.
        self._said = tempfile.TemporaryFile()
        # A checkout is read and not written to, not even by Python's own files.
        environment = os.environ | dict.fromkeys(THREADS, str(self.threads)) | {"PYTHONDONTWRITEBYTECODE": "1"}
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                encoding="utf-8",
                env=environment,
            )
        except OSError as error:
            self._said.close()
            raise PeerError(f"{self.name} cannot be started: {error}") from error
        try:
            self.weights = self._read("before its first frame")["weights"]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self, frame: Path, box: Sequence[float]) -> Answer:
        """Lets the tracker begin on a box of a frame."""
        return self._ask({"frame": str(frame), "box": list(box)})

    def track(self, frame: Path) -> Answer:
        """Lets the tracker find its target in the next frame."""
        return self._ask({"frame": str(frame)})

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):  # a question that it did not read
                    stream.close()
        self._said.close()

    def _ask(self, question: dict[str, Any]) -> Answer:
        assert self._process.stdin is not None
        where = f"in {question['frame']}"
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death(where) from None
        answer = self._read(where)
        x, y, width, height = answer["box"]
        return Answer(answer["ms"], (x, y, width, height))

    def _read(self, where: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._death(where)
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError:
            raise PeerError(f"{self.name} answered {where} with no JSON: {line.strip()[:200]!r}") from None
        return found

    def _death(self, where: str) -> PeerDied:
        status = self._process.wait()
        self._said.seek(0)
        lines = [line for raw in self._said if (line := raw.decode(errors="replace").strip())]
        said = " / ".join(lines[-LAST_LINES:]) or "it said nothing"
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return PeerDied(f"the process of {self.name} {how} {where}: {said}")


def worker_command(module: str, about: dict[str, Any], python: str = sys.executable) -> list[str]:
    """Returns the command of a process of this folder, ``ours`` or ``originals``, told ``about`` its tracker."""
    return [python, str(Path(__file__).with_name(f"{module}.py")), json.dumps(about)]
