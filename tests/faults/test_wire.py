"""What comes over the wire: a TraX client and a visdom server that say nonsense, on this machine alone."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ltr.admin import visdom as curves
from pytracking import run_vot
from tests.faults.conftest import TOYS
from tests.faults.harness import Counts, rng

REPOSITORY = TOYS.parents[2]
TRAX, VISDOM = "nonsense from a TraX client", "nonsense from a visdom server"


def nonsense(draw: np.random.Generator, image: Path) -> bytes:
    """Returns what a client may say: lines of the protocol, cut, doubled, with other values, and noise between."""
    lines = [
        b"@@TRAX:hello\n",
        f'@@TRAX:initialize "file://{image}" "10,10,12,12"\n'.encode(),
        f'@@TRAX:frame "file://{image}"\n'.encode(),
        b'@@TRAX:initialize "file:///nowhere.jpg" "1,1,5,5"\n',
        b'@@TRAX:initialize "data:image/png;base64,QUJD" "nan,nan,nan,nan"\n',
        b'@@TRAX:frame "memory:1" "x=y"\n',
        b"@@TRAX:state\n",
        b'@@TRAX:initialize "" ""\n',
        b"@@TRAX:" + bytes(draw.integers(32, 127, 50, dtype=np.uint8)) + b"\n",
        bytes(draw.integers(0, 256, 300, dtype=np.uint8)),
    ]
    said = b"".join(lines[index] for index in draw.integers(0, len(lines), 12))
    return said[: int(draw.integers(1, len(said) + 1))] + (b"\n@@TRAX:quit\n" if draw.random() < 0.5 else b"")


def trax_case(number: int, folder: Path, counts: Counts) -> None:
    import cv2

    image = folder / "frame.png"
    if not image.is_file():
        cv2.imwrite(str(image), np.full((48, 64, 3), 9, np.uint8))
    words = [sys.executable, str(REPOSITORY / "pytracking" / "run_vot.py"), "drift", "plain", "--plugin", str(TOYS)]
    said = nonsense(rng(5, number), image)
    try:
        done = subprocess.run(words, input=said, capture_output=True, timeout=60, preexec_fn=limit_memory)
    except subprocess.TimeoutExpired:
        counts.add(TRAX, f"case {number}: it hangs after the client has gone")
        return
    fault = None
    if b"Traceback" in done.stderr:
        fault = done.stderr.decode(errors="replace").strip().splitlines()[-1][:200]
    elif done.returncode not in (0, 1):
        fault = f"exit status {done.returncode}"
    counts.add(TRAX, f"case {number}: {fault}" if fault else None)


def limit_memory() -> None:
    """Keeps a process that goes wild from taking the machine's memory."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


class Nonsense:
    """Something that accepts connections, and answers each with what ``answer`` makes."""

    def __init__(self, answer: Callable[[], bytes]) -> None:
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
                with closing(connection):
                    connection.settimeout(0.5)
                    connection.recv(65536)
                    connection.sendall(self.answer())
            except TimeoutError:
                continue
            except OSError:
                if self.listener.fileno() < 0:
                    return


def answer(draw: np.random.Generator) -> bytes:
    noise = bytes(draw.integers(0, 256, 400, dtype=np.uint8))
    bodies = [b"", b"{}", b"[]", b"null", b"[" * 50_000, b"<html>", b'["main"]', noise]
    body = bodies[int(draw.integers(len(bodies)))]
    heads = [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body),
        b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % len(body),
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"",
        b"\x00\xff",
    ]
    return heads[int(draw.integers(len(heads)))] + body


def visdom_cases(number: int, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run draws its numbers on whatever answers there, and goes on without it."""
    pytest.importorskip("visdom")
    draw = rng(6)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("VISDOM_SERVER", "127.0.0.1")
    monkeypatch.setattr(curves, "DRAW_WITHIN", 0.5)
    for case in range(number):
        server = Nonsense(lambda: answer(draw))
        monkeypatch.setenv("VISDOM_PORT", str(server.port))
        try:
            drawn = curves.VisdomCurves("trial")
            for epoch in range(3):
                drawn.add("Loss/total", epoch, 0.5, "train")
            fault = None
        except Exception as error:
            fault = f"case {case}: {type(error).__name__}: {error}"
        counts.add(VISDOM, fault)
        server.listener.close()
    counts.check(VISDOM)


def test_a_visdom_server_that_says_nonsense(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    visdom_cases(5, counts, monkeypatch)


@pytest.mark.campaign
def test_campaign_of_a_visdom_server_that_says_nonsense(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    visdom_cases(60, counts, monkeypatch)


@pytest.mark.campaign
def test_campaign_of_a_trax_client_that_says_nonsense(folder: Path, counts: Counts) -> None:
    pytest.importorskip("trax", reason="the package vot-trax is not installed: pip install 'pytracking-socl[vot]'")
    assert run_vot.main
    for number in range(30):
        trax_case(number, folder, counts)
    counts.check(TRAX)
