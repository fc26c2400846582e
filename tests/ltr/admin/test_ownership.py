"""A directory belongs to one run at a time, a killed run's is taken over, and a second run is told who holds it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ltr.admin.ownership import LOCK_FILE, OWNER_FILE, OwnershipError, own

REPOSITORY = Path(__file__).parents[3]
HOLD = """
    import sys
    from pathlib import Path
    from ltr.admin.ownership import own
    with own(Path(sys.argv[1]), "go elsewhere"):
        print("held", flush=True)
        sys.stdin.read()
"""


@contextmanager
def another_run(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the directory until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(directory)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_second_run_is_told_who_holds_the_directory_and_what_it_can_do(tmp_path: Path) -> None:
    with another_run(tmp_path / "out") as process:
        with pytest.raises(OwnershipError) as caught, own(tmp_path / "out", "choose another --out"):
            pass
        message = str(caught.value)
        assert f"process {process.pid} on " in message and "since 20" in message
        assert message.endswith("wait until it has ended, or choose another --out")


def test_the_directory_of_a_killed_run_is_taken_over_with_a_word_and_swept(tmp_path: Path) -> None:
    with another_run(tmp_path) as process:
        (tmp_path / "deep").mkdir()
        for left in (".a.txt.host.1.partial", "deep/.b.mp4.host.1.partial.mp4"):
            (tmp_path / left).touch()
        (tmp_path / "kept.txt").touch()
        process.kill()
        process.wait()
        said: list[str] = []
        with own(tmp_path, "", say=said.append) as owner:
            owner.check()
            assert owner.pid == os.getpid()
            assert len(said) == 1 and f"process {process.pid}" in said[0] and "takes it over" in said[0]
            left_there = {path.name for path in tmp_path.rglob("*")}
            assert left_there == {LOCK_FILE, OWNER_FILE, "deep", "kept.txt"}
    said.clear()
    with own(tmp_path, "", say=said.append):
        assert said == [], "a run that ended properly leaves nothing to take over"


def test_a_run_may_hold_what_it_holds(tmp_path: Path) -> None:
    with own(tmp_path, "") as outer:
        with own(tmp_path, "") as inner:
            assert inner == outer
        outer.check()
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path)],
            cwd=REPOSITORY,
            input="",
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0 and f"process {os.getpid()} on" in done.stderr
    assert not (tmp_path / OWNER_FILE).exists()


def test_who_lost_the_directory_notices_before_it_writes(tmp_path: Path) -> None:
    with own(tmp_path / "out", "") as owner:
        (tmp_path / "out").rename(tmp_path / "moved")
        with pytest.raises(OwnershipError, match="no longer belongs to this run: it was removed or replaced"):
            owner.check()
        with another_run(tmp_path / "out") as process, pytest.raises(OwnershipError) as caught:
            owner.check()
        assert f"process {process.pid} on " in str(caught.value) and "writes to it now" in str(caught.value)


def test_who_waits_goes_on_when_the_other_has_ended(tmp_path: Path) -> None:
    with another_run(tmp_path) as process:
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            assert process.stdin is not None
            process.stdin.close()

        started = time.monotonic()
        with own(tmp_path, "", wait=True, say=say):
            assert time.monotonic() - started < 20
        assert len(said) == 1 and "waiting" in said[0]
