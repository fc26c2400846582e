"""The click log: every answer of a person about a frame as it was given, a JSON object a line in ``clicks.jsonl``.

The file lies beside the video's frames and only grows: a line is on the disk before the click counts as stored, and
taking an answer back is a line, too. What is learned from is compiled from it, see
:mod:`socl_plugins.clicks.compiled`.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path

LOG_NAME = "clicks.jsonl"
STATES = ("visible", "occluded", "absent", "skipped")
UNDONE = "undone"  # takes back the author's last answer about the frame and target
SOURCES = ("hand", "accepted", "imported")
FIRST_TARGET = "1"  # what the only target of a video is called if nobody named it
LONGEST_NAME = 64
_NAME = re.compile(r"\w(?:[\w .-]*[\w-])?")


class ClicksError(ValueError):
    """Something is wrong with clicks, clips or videos; the message says what, and what to do."""


class ClickLogError(ClicksError):
    """A click that cannot be stored, or a log that is not one."""


@dataclass(frozen=True)
class Click:
    """One answer about one target in one frame.

    Attributes:
        video: name of the video.
        frame: its number, from 0.
        target: name of the target.
        x, y: in pixels of the frame from its upper left corner; None where the state needs no place.
        state: ``visible``; ``occluded``, hidden by something, at the place if there is one; ``absent``, not in the
            frame; ``skipped``, looked at without an answer; or ``undone``.
        ms: from the moment when the frame was shown to the answer; None where nobody measured it.
        source: ``hand``; ``accepted``, a tracker's proposal that a person agreed to; or ``imported``.
        time: of storing, ISO 8601, UTC.
        author: who gave it.
        id: given by who made it, so that what is sent twice is stored once.
        w, h: the target's width and height in pixels, where a second click, on a corner, told them; else None.

    Raises:
        ClickLogError: a field has no possible value.
    """

    video: str
    frame: int
    target: str = FIRST_TARGET
    x: float | None = None
    y: float | None = None
    state: str = "visible"
    ms: int | None = None
    source: str = "hand"
    time: str = ""
    author: str = ""
    id: str = ""
    w: float | None = None
    h: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.frame, int) or isinstance(self.frame, bool) or self.frame < 0:
            raise ClickLogError(f"frame is {self.frame!r}; frames are whole numbers from 0 on")
        if self.state not in (*STATES, UNDONE):
            raise ClickLogError(f"state is {self.state!r}; it is one of {', '.join((*STATES, UNDONE))}")
        if self.source not in SOURCES:
            raise ClickLogError(f"source is {self.source!r}; it is one of {', '.join(SOURCES)}")
        check_name("target", self.target)
        for name in ("video", "time", "author", "id"):
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > 4 * LONGEST_NAME:
                raise ClickLogError(f"{name} is {str(text)[:80]!r}; it must be a text of at most 256 characters")
        if self.ms is not None and (not isinstance(self.ms, int) or isinstance(self.ms, bool) or self.ms < 0):
            raise ClickLogError(f"ms is {self.ms!r}; it must be a whole number of milliseconds, or null")
        given = [_finite(value) for value in (self.x, self.y) if value is not None]
        if not all(given) or len(given) == 1 or (self.state == "visible" and not given):
            raise ClickLogError(f"x is {self.x!r} and y {self.y!r}; a {self.state} target needs two finite numbers")
        sides = [side for side in (self.w, self.h) if side is not None]
        if sides and (len(sides) == 1 or self.state != "visible" or not all(_finite(s) and s > 0 for s in sides)):
            raise ClickLogError(
                f"w is {self.w!r} and h {self.h!r}; the size of a visible target is two positive numbers of pixels"
            )

    @property
    def place(self) -> tuple[float, float] | None:
        """x, y, or None."""
        return None if self.x is None or self.y is None else (self.x, self.y)

    @property
    def size(self) -> tuple[float, float] | None:
        """w, h, or None."""
        return None if self.w is None or self.h is None else (self.w, self.h)

    def line(self) -> str:
        """Returns the click as a line of the log, without its end."""
        values = asdict(self)
        if self.size is None:  # few clicks have one
            del values["w"], values["h"]
        return json.dumps(values, ensure_ascii=False)


CLICK_FIELDS = tuple(field.name for field in fields(Click))


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")


def check_name(what: str, name: object) -> str:
    """Returns a name that can be part of a file's name.

    Raises:
        ClickLogError: it has other characters than letters, digits, spaces, ``.``, ``_`` and ``-``, or is too long.
    """
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ClickLogError(
            f"{str(name)[:80]!r} cannot be the name of a {what}: use up to {LONGEST_NAME} letters, digits, spaces, "
            "'.', '_' and '-', a letter or digit first"
        )
    return name


def now() -> str:
    """Returns the time as the log holds it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


class ClickLog:
    """The clicks of one video, kept in memory and in its file; several threads may use it.

    Args:
        path: of the file; it need not be there.

    Raises:
        ClickLogError: the file holds something else; the message names the line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._size = -1
        self._clicks: list[Click] = []
        self._ids: set[str] = set()
        self._read()

    @property
    def clicks(self) -> list[Click]:
        """All lines in order, also those that another process has written since."""
        with self._lock:
            self._read()
            return list(self._clicks)

    def append(self, clicks: Iterable[Click]) -> int:
        """Stores clicks and returns how many are new; they are on the disk when this returns.

        Those with an ``id`` that is stored already are left out. Either all are stored or none.

        Raises:
            OSError: they cannot be written, such as on a full disk; the file is as it was.
        """
        with self._lock:
            self._read()
            new = [click for click in clicks if not click.id or click.id not in self._ids]
            if new:
                self._write("".join(f"{click.line()}\n" for click in new).encode())
                self._take(new)
            return len(new)

    def _take(self, clicks: list[Click]) -> None:
        self._clicks += clicks
        self._ids |= {click.id for click in clicks if click.id}

    def _write(self, content: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            before = os.fstat(descriptor).st_size
            try:
                written = 0
                while written < len(content):
                    written += os.write(descriptor, content[written:])
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, before)  # half a line would spoil the next one
                raise
            self._size = before + len(content)
        finally:
            os.close(descriptor)

    def _read(self) -> None:
        size = self.path.stat().st_size if self.path.is_file() else 0
        if size == self._size:
            return
        content = self.path.read_bytes() if size else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):  # a writer was killed inside a line, which nobody was told was stored
            os.truncate(self.path, whole)
        self._clicks, self._ids = [], set()
        self._take([self._parse(line, number) for number, line in enumerate(content[:whole].splitlines(), 1)])
        self._size = whole

    def _parse(self, line: bytes, number: int) -> Click:
        try:
            values = json.loads(line)
            unknown = [name for name in values if name not in CLICK_FIELDS]
            if unknown:
                raise ClickLogError(f"unknown field {unknown[0]!r}")
            return Click(**values)
        except (ValueError, TypeError, AttributeError) as error:
            raise ClickLogError(f"{self.path}, line {number} is no click: {error}") from error


def standing(clicks: Iterable[Click]) -> list[Click]:
    """Returns the answers that hold: of each author the last about a frame and target that was not taken back."""
    return [stack[-1] for stack in _stacks(clicks).values()]


def _stacks(clicks: Iterable[Click]) -> dict[tuple[str, int, str, str], list[Click]]:
    """Returns all answers that were not taken back, by video, frame, target and author."""
    stacks: dict[tuple[str, int, str, str], list[Click]] = {}
    for click in clicks:
        stack = stacks.setdefault((click.video, click.frame, click.target, click.author), [])
        if click.state != UNDONE:
            stack.append(click)
        elif stack:
            stack.pop()
    return {key: stack for key, stack in stacks.items() if stack}


def answers(clicks: Iterable[Click]) -> dict[str, dict[int, Click]]:
    """Returns for each target, in the order of their first lines, the answer for each frame that has one.

    Of several authors the latest answer counts; that one skipped a frame counts only if all did. The size of a target
    that a second click told goes with the frame: later clicks there without one leave it.
    """
    clicks = list(clicks)
    found: dict[str, dict[int, Click]] = {click.target: {} for click in clicks}
    order = {id(click): number for number, click in enumerate(clicks)}
    for click in sorted(standing(clicks), key=lambda click: (click.state != "skipped", order[id(click)])):
        found[click.target][click.frame] = click
    sized = (click for stack in _stacks(clicks).values() for click in stack if click.size)
    sizes = {(click.target, click.frame): click for click in sorted(sized, key=lambda click: order[id(click)])}
    for (target, frame), told in sizes.items():
        answer = found[target].get(frame)
        if answer is not None and answer.state == "visible" and answer.size is None:
            found[target][frame] = replace(answer, w=told.w, h=told.h)
    return {target: frames for target, frames in found.items() if frames}
