"""The page in a real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks.clips import Clips, open_clips
from socl_plugins.clicks.exchange.transfer import import_clicks
from socl_plugins.clicks.log import answers
from socl_plugins.clicks.prepare import prepare

from .conftest import FRAMES, SIZE, MakeClips, write_video

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
REPOSITORY = Path(__file__).resolve().parents[3]
TIME_LINE = 34  # its height on the canvas


@dataclass
class Server:
    process: subprocess.Popen[str]
    address: str

    @property
    def port(self) -> str:
        return re.findall(r":(\d+)/", self.address)[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def start_server(root: Path, port: str = "0") -> Server:
    command = [sys.executable, "-m", "socl_plugins.clicks", "annotate", str(root), "--every", "2", "--port", port]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen([*command, "--tracker", "siamfc/untrained_res18"], env=environment, stdout=-1, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return Server(process, found.group(0))
    raise AssertionError("the server did not start")


@pytest.fixture
def clips(make_clips: MakeClips) -> Clips:
    return make_clips(3)


@pytest.fixture
def address(clips: Clips, serve_clips: Callable[[Clips], str]) -> str:
    return serve_clips(clips)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if not CHROMIUM.is_file():
        pytest.skip(f"there is no browser {CHROMIUM}")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


class Person:
    """Who sits before the page."""

    def __init__(self, browser: Any, address: str, zoom: int = 1, **options: Any) -> None:
        options = {"viewport": {"width": 1000, "height": 700}, **options}
        self.page = browser.new_context(**options).new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.goto(address)
        self.wait()

    def wait(self) -> None:
        self.page.wait_for_selector("body[data-shown]")

    @property
    def shown(self) -> tuple[str, int]:
        video, _, frame = str(self.page.get_attribute("body", "data-shown")).partition("/")
        return video, int(frame)

    def moves(self, action: Any) -> tuple[str, int]:
        """What is shown once the action has led to another frame."""
        before = self.page.get_attribute("body", "data-shown")
        action()
        self.page.wait_for_selector(f'body:not([data-shown="{before}"])')
        return self.shown

    def at(self, x: float, y: float, size: tuple[int, int] = SIZE) -> tuple[float, float]:
        """Where a place of the frame, of (height, width) and shown whole, lies on the page."""
        height, width = size
        area = self.page.locator("#canvas").bounding_box()
        free = area["height"] - TIME_LINE
        scale = min(area["width"] / width, free / height)
        left, top = area["x"] + (area["width"] - width * scale) / 2, area["y"] + (free - height * scale) / 2
        return left + x * scale, top + y * scale

    def click(self, x: float, y: float, size: tuple[int, int] = SIZE) -> tuple[str, int]:
        return self.moves(lambda: self.page.mouse.click(*self.at(x, y, size)))

    def press(self, key: str) -> tuple[str, int]:
        return self.moves(lambda: self.page.keyboard.press(key))

    def stored(self) -> None:
        """Waits until the page has nothing left to send."""
        for _ in range(200):
            if not self.page.evaluate("() => Object.keys(localStorage).filter((k) => k.startsWith('outbox-')).length"):
                return
            time.sleep(0.05)
        raise AssertionError("clicks wait in the page")


def frames_of(clips: Clips, name: str, target: str = "1") -> dict[int, tuple[str, Any]]:
    clip = next(clip for clip in clips if clip.name == name)
    found = answers(open_clips(clips.root).log(clip).clicks).get(target, {})
    return {frame: (click.state, click.place) for frame, click in found.items()}


def near(place: Any, wanted: tuple[float, float], tolerance: float = 0.5) -> bool:
    return max(abs(place[0] - wanted[0]), abs(place[1] - wanted[1])) <= tolerance


@pytest.mark.long
def test_forty_frames_by_mouse_and_keyboard(
    chromium: Any, address: str, clips: Clips, synthetic: SyntheticVideo, tmp_path: Path
) -> None:
    person = Person(chromium, address)
    assert person.shown == ("video_0", 0)
    boxes = [synthetic.get_sequence_info(video)["bbox"] for video in range(3)]
    centers = [(box[:, :2] + box[:, 2:] / 2).clamp(2, 94).tolist() for box in boxes]
    wanted: dict[str, dict[int, tuple[str, Any]]] = {}
    for video in range(3):
        name, mine = f"video_{video}", wanted.setdefault(f"video_{video}", {})
        for frame in range(0, FRAMES - 2, 2):  # the last is left open
            assert person.shown == (name, frame)
            if frame == 4:
                person.press(" ")
                mine[frame] = ("skipped", None)
            elif frame == 8:
                person.press("x")
                mine[frame] = ("absent", None)
            elif frame == 12:
                person.page.mouse.move(*person.at(30, 40))
                person.press("o")
                mine[frame] = ("occluded", (30, 40))
            else:
                x, y = centers[video][frame]
                person.click(x, y)
                mine[frame] = ("visible", (x, y))
        # One frame on and back, then the last click is taken back and made better.
        last = FRAMES - 4
        assert person.press("d") == (name, FRAMES - 1) and person.press("ArrowLeft") == (name, FRAMES - 2)
        assert person.press("z") == (name, last)
        x, y = centers[video][last][0] / 2, centers[video][last][1] / 2
        assert person.click(x, y) == (name, FRAMES - 2)
        mine[last] = ("visible", (x, y))
        assert person.press("m")[0] == name  # the middle of a gap, between two asked frames
        middle = person.shown[1]
        assert middle not in mine
        person.click(50, 50)
        mine[middle] = ("visible", (50, 50))
        if video < 2:
            assert person.press("PageDown")[0] == f"video_{video + 1}"
    person.stored()
    for name, mine in wanted.items():
        found = frames_of(clips, name)
        assert {frame: state for frame, (state, _) in found.items()} == {f: state for f, (state, _) in mine.items()}
        assert all(near(found[frame][1], place) for frame, (_, place) in mine.items() if place)
    assert sum(len(mine) for mine in wanted.values()) >= 36
    person.page.reload()
    person.wait()
    assert person.shown == ("video_2", FRAMES - 2)  # the frame that is still open
    assert "1 asked frames are open" in person.page.inner_text("#progress")
    assert person.press("z")[1] == middle  # also after a reload, the last answer can be taken back
    person.stored()
    assert middle not in frames_of(clips, "video_2")
    # Clicks that are imported meanwhile are there when the page is loaded again.
    (tmp_path / "video_2.csv").write_text(f"frame,x,y\n{FRAMES - 2},7,8\n")
    import_clicks(open_clips(clips.root), tmp_path / "video_2.csv")
    person.page.reload()
    person.wait()
    assert "0 asked frames are open" in person.page.inner_text("#progress")
    assert frames_of(clips, "video_2")[FRAMES - 2] == ("visible", (7, 8))
    lines = [json.loads(line) for path in clips.root.rglob("clicks.jsonl") for line in path.read_text().splitlines()]
    assert len(lines) >= 40 and all(line["ms"] is None or line["ms"] < 60_000 for line in lines)
    assert not person.complaints


@pytest.mark.long
def test_nothing_is_lost_when_the_server_is_killed_between_two_clicks(chromium: Any, clips: Clips) -> None:
    first = start_server(clips.root)
    person = Person(chromium, first.address)
    person.click(10, 20)
    person.stored()
    first.kill()
    person.page.mouse.click(*person.at(30, 40))
    person.page.wait_for_selector("#message:not([hidden])")
    assert "1 click waits here" in person.page.inner_text("#message")
    again = start_server(clips.root, first.port)
    try:
        person.page.goto(again.address)
        person.wait()
        person.stored()
        found = frames_of(clips, "video_0")
        assert set(found) == {0, 2} and near(found[0][1], (10, 20)) and near(found[2][1], (30, 40))
    finally:
        again.kill()


def test_clicks_are_exact_on_a_fine_screen_and_zoomed_in(chromium: Any, address: str, clips: Clips) -> None:
    person = Person(chromium, address, device_scale_factor=2)
    x, y = person.at(40.25, 60.5)
    person.page.mouse.move(x, y)
    for _ in range(4):
        person.page.mouse.wheel(0, -800 * 0.34657)  # a fourth of log 4, in pixels of the screen
    person.page.wait_for_timeout(100)
    person.moves(lambda: person.page.mouse.click(x, y))
    person.stored()
    assert near(frames_of(clips, "video_0")[0][1], (40.25, 60.5), 0.25)  # a wheel's place is rounded to pixels


def test_the_click_shows_what_it_becomes_and_targets_have_their_own_clicks(
    chromium: Any, address: str, clips: Clips
) -> None:
    person = Person(chromium, address)
    person.click(60, 40)
    person.page.wait_for_selector("#feedback:not([hidden])")
    assert re.fullmatch(r"frame 0: \d+ × \d+ pixels", person.page.inner_text("#caption"))
    person.page.click("#targets button:last-child")
    person.page.keyboard.type("1")
    person.page.keyboard.press("Enter")  # "1" replaces what is selected
    assert "There is a target 1 already" in person.page.inner_text("#message")
    person.page.fill("#targets input", "dog")
    person.page.keyboard.press("Enter")
    person.click(20, 30)
    person.page.keyboard.press("1")
    assert person.page.inner_text("#targets button[aria-pressed=true]") == "1"
    person.stored()
    assert set(frames_of(clips, "video_0")) == {0} and set(frames_of(clips, "video_0", "dog")) == {2}
    assert not person.complaints


def test_a_second_click_on_a_corner_tells_the_size(chromium: Any, address: str, clips: Clips) -> None:
    person = Person(chromium, address)
    person.page.keyboard.press("s")
    person.page.mouse.click(*person.at(60, 40))
    person.page.wait_for_selector("#message:has-text('a corner')")
    person.page.mouse.click(*person.at(60, 41))  # no corner: it would be a box without a width
    assert person.shown == ("video_0", 0) and "to the side" in person.page.inner_text("#message")
    person.page.mouse.move(*person.at(75, 20))
    assert person.click(75, 20) == ("video_0", 2)
    assert person.page.get_attribute("#size", "aria-pressed") == "false"
    person.page.wait_for_selector("#caption:has-text('frame 0: 30 × 40 pixels')")
    person.click(62, 41)  # the next click is one again
    person.stored()
    first, second = (answers(clips.log(clips.videos[0]).clicks)["1"][frame] for frame in (0, 2))
    assert near((first.w or 0, first.h or 0), (30, 40), 1.0) and near(first.place or (0, 0), (60, 40), 0.5)
    assert second.size is None
    person.page.keyboard.press("s")
    person.page.mouse.click(*person.at(60, 40))
    person.press("a")  # on another frame, its centre is asked for anew
    person.page.keyboard.press("s")
    assert person.click(61, 39) == ("video_0", 4) and not person.complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_everything_fits_on_the_screen(chromium: Any, address: str, scheme: str, width: int, tmp_path: Path) -> None:
    person = Person(chromium, address, viewport={"width": width, "height": 800}, color_scheme=scheme)
    person.click(60, 40)
    person.page.wait_for_selector("#feedback:not([hidden])")
    assert person.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    ground, text = person.page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; }"
    )
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, text)]
    assert (light[0] > light[1]) == (scheme == "light") and abs(light[0] - light[1]) > 300
    for button in person.page.locator("#actions button").all():
        box = button.bounding_box()
        assert box["height"] < 44 and box["x"] + box["width"] <= width  # in one line, and not cut off
    person.page.screenshot(path=str(tmp_path / "page.png"))


def test_the_picture_of_the_documentation(chromium: Any, serve_clips: Callable[[Clips], str], tmp_path: Path) -> None:
    """With PYTRACKING_UPDATE_PICTURES set, docs/annotate.jpg is made anew."""
    embedded = SyntheticVideo(1, num_frames=31, size=(360, 640), seed=3)
    write_video(tmp_path / "walk.mp4", [embedded.load_frame(0, frame) for frame in range(31)])
    clips = prepare([str(tmp_path / "walk.mp4")], tmp_path / "clips").clips
    person = Person(chromium, serve_clips(clips), viewport={"width": 1280, "height": 800})
    boxes = embedded.get_sequence_info(0)["bbox"]
    for frame in range(0, 8, 2):
        person.click(*(boxes[frame, :2] + boxes[frame, 2:] / 2).tolist(), size=(360, 640))
    person.page.wait_for_selector("#caption:has-text('frame 6')")
    person.press("a")
    person.press("a")
    person.press("a")
    person.press("d")
    picture = person.page.screenshot(type="jpeg", quality=80)
    target = REPOSITORY / "docs" / "annotate.jpg"
    if os.environ.get("PYTRACKING_UPDATE_PICTURES"):
        target.write_bytes(picture)
    assert target.is_file() and not person.complaints


@pytest.mark.long
def test_the_tracker_proposes_and_the_last_frames_are_played(chromium: Any, address: str, clips: Clips) -> None:
    person = Person(chromium, address)
    person.click(60, 40)
    person.page.keyboard.press("t")
    person.page.wait_for_selector("#track[aria-pressed=true]")
    for frame in (2, 4):
        assert person.shown[1] == frame
        for _ in range(100):  # until the tracker has come here
            person.page.keyboard.press("Enter")
            if person.shown[1] != frame:
                break
            person.page.wait_for_timeout(100)
    person.page.keyboard.press("t")
    person.stored()
    log = clips.log(clips.videos[0]).clicks
    assert [(click.frame, click.source) for click in log] == [(0, "hand"), (2, "accepted"), (4, "accepted")]
    person.page.keyboard.down("p")
    person.page.wait_for_timeout(400)
    person.page.mouse.click(*person.at(10, 10))  # while frames are played, a click is none
    person.page.keyboard.up("p")
    person.page.wait_for_timeout(200)
    assert person.shown[1] == 6 and len(clips.log(clips.videos[0]).clicks) == 3
    person.page.keyboard.press("q")
    person.page.wait_for_selector("#ask[aria-pressed=true]")
    assert "frames, those first where" in person.page.inner_text("#message")
    assert not person.complaints
