from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltr.data.image_loader import load_image
from socl_plugins.clicks.clips import Clips
from socl_plugins.clicks.page.serve import ServeError, serve
from socl_plugins.clicks.prepare import Cutting

from .conftest import FRAMES, TOKEN, MakeClips


@dataclass
class Client:
    clips: Clips
    port: int
    browser: str = "one"

    def ask(
        self, method: str, path: str, body: Any = None, drop: str = "", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {"X-Token": TOKEN, "X-Browser": self.browser, "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given.pop(drop, None)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, content, given)
        response = connection.getresponse()
        read = response.read()
        connection.close()
        return response.status, read, dict(response.getheaders())

    def json(self, method: str, path: str, body: Any = None) -> Any:
        status, content, _ = self.ask(method, path, body)
        assert status == 200, content
        return json.loads(content)

    def click(self, frame: int, x: float | None = 5.0, y: float | None = 6.0, **changes: Any) -> Any:
        return self.json("PUT", "/api/videos/0/clicks", a_click(frame=frame, x=x, y=y, **changes))


def a_click(**changes: Any) -> dict[str, Any]:
    values = {"frame": 0, "target": "1", "x": 5.0, "y": 6.0, "state": "visible", "ms": 700, "author": "ann"}
    return {**values, **changes}


@pytest.fixture
def client(make_clips: MakeClips, serve_clips: Callable[[Clips], str]) -> Client:
    clips = make_clips(3)
    return Client(clips, int(re.findall(r":(\d+)/", serve_clips(clips))[0]))


def test_only_the_page_itself_is_answered(client: Client) -> None:
    def status(path: str, method: str = "GET", drop: str = "", **headers: str) -> int:
        return client.ask(method, path, None, drop, **headers)[0]

    assert status(f"/?token={TOKEN}") == 200
    assert status("/?token=wrong") == status("/") == 403
    assert status("/api/videos") == 200
    assert status("/api/videos", drop="X-Token") == 403
    assert status("/api/videos", X_Token="wrong") == 403
    assert status("/api/videos", Host="evil.example") == 400
    assert status("/api/videos", Host="10.0.0.1") == 400
    assert status("/api/videos", Host=f"localhost:{client.port}") == 200
    assert status("/api/videos", Sec_Fetch_Site="cross-site") == 403
    assert status(f"/?token={TOKEN}", Sec_Fetch_Site="same-site") == 403
    assert status("/api/videos", Sec_Fetch_Site="same-origin") == 200
    assert status("/..%2f..%2fclips.json") == 404
    assert status("/api/videos/..%2f0/frames/0") == 404
    assert status("/api/videos/0/frames/0/..%2f..%2fclicks.jsonl") == 404
    assert status("/api/videos/0/clicks", "POST") == status("/api/videos", "DELETE") == 405
    headers = client.ask("GET", f"/?token={TOKEN}")[2]
    lower = {name.lower(): value for name, value in headers.items()}
    assert "default-src 'none'" in lower["content-security-policy"]
    assert not [name for name in lower if name.startswith("access-control")]


def test_a_click_is_stored_and_what_stands_is_told(client: Client) -> None:
    assert client.click(3)["answer"] == {"x": 5.0, "y": 6.0, "state": "visible", "source": "hand", "author": "ann"}
    assert client.click(3, 7.0, id="a")["answer"]["x"] == client.click(3, 7.0, id="a")["answer"]["x"] == 7.0
    assert client.click(3, None, None, state="undone")["answer"]["x"] == 5.0
    assert client.click(3, None, None, state="undone")["answer"] is None
    client.click(4, target="dog")
    stored = [json.loads(line) for line in (client.clips.root / "train/video_0/clicks.jsonl").read_text().splitlines()]
    assert [(line["frame"], line["state"], line["ms"]) for line in stored[:2]] == [(3, "visible", 700)] * 2
    assert len(stored) == 5 and all(line["time"] and line["video"] == "video_0" for line in stored)
    opened = client.json("PUT", "/api/videos/0", {"author": "ann"})
    assert opened["targets"] == ["dog"] and opened["history"] == [[4, "dog"]]
    assert client.json("GET", "/api/videos")["videos"][0]["answered"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\x00garbage", 400),
        (b"[" * 9000, 400),
        (b"[]", 400),
        (b'"' + b"a" * 20_000 + b'"', 413),
        ({}, 422),
        (a_click(frame=FRAMES), 422),
        (a_click(frame="0"), 422),
        (a_click(frame=-1), 422),
        (a_click(x=128.5), 422),
        (a_click(y=-0.5), 422),
        (a_click(x=float("nan")), 422),
        (a_click(target="../../x"), 422),
        (a_click(state="here"), 422),
        (a_click(video="video_1"), 422),
        (a_click(path="/etc/passwd"), 422),
        (a_click(author={"a": 1}), 422),
        (a_click(ms="fast"), 422),
        (a_click(w=10.0), 422),
        (a_click(w=10.0, h=-1.0), 422),
        (a_click(w=10.0, h=1e6), 422),
        (a_click(w=10.0, h=10.0, state="skipped"), 422),
    ],
)
def test_garbage_is_refused_and_stores_nothing(client: Client, body: Any, status: int) -> None:
    answered, content, _ = client.ask("PUT", "/api/videos/0/clicks", body)
    assert answered == status and json.loads(content)["error"]
    assert client.ask("PUT", "/api/videos/0/clicks", a_click(), Content_Type="text/plain")[0] == 415
    assert not (client.clips.root / "train/video_0/clicks.jsonl").exists()
    client.click(0)


def test_what_is_not_there_is_not_found(client: Client) -> None:
    for path in ("/api/videos/3/frames/0", f"/api/videos/0/frames/{FRAMES}", f"/api/videos/{10**30}/frames/0"):
        assert client.ask("GET", path)[0] == 404
    assert client.ask("PUT", "/api/videos/7/clicks", a_click())[0] == 404


def test_a_frame_is_the_file_and_feedback_is_a_picture_with_a_box(client: Client, tmp_path: Path) -> None:
    clip = client.clips.videos[0]
    status, frame, _ = client.ask("GET", "/api/videos/0/frames/5")
    assert status == 200 and frame == client.clips.frame_path(clip, 5).read_bytes()
    status, picture, headers = client.ask("GET", "/api/videos/0/frames/5/top?x=60&y=40")
    (tmp_path / "picture.jpg").write_bytes(picture)
    assert status == 200 and load_image(tmp_path / "picture.jpg").shape == (180, 240, 3)
    box = [float(value) for value in next(v for k, v in headers.items() if k.lower() == "x-box").split(",")]
    assert box[0] < 60 < box[0] + box[2] and box[1] < 40 < box[1] + box[3]
    assert client.ask("GET", "/api/videos/0/frames/5/top?x=600&y=40")[0] == 422
    assert client.ask("GET", "/api/videos/0/frames/5/top?x=here&y=40")[0] == 422


def test_a_frame_that_is_not_cut_is_decoded_for_the_page(
    make_clips: MakeClips, serve_clips: Callable[[Clips], str], tmp_path: Path
) -> None:
    clips = make_clips(1, cutting=Cutting(val=0, cut=False))
    client = Client(clips, int(re.findall(r":(\d+)/", serve_clips(clips))[0]))
    (tmp_path / "frame.jpg").write_bytes(client.ask("GET", "/api/videos/0/frames/5")[1])
    shown, exact = load_image(tmp_path / "frame.jpg"), clips.load_frame(clips.videos[0], 5)
    assert np.abs(shown.astype(int) - exact).mean() < 4
    assert client.ask("GET", "/api/videos/0/frames/5/top?x=60&y=40")[0] == 200


def test_a_full_disk_is_told_and_the_next_click_is_stored(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.click(0)

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("socl_plugins.clicks.log.os.write", full)
        status, content, _ = client.ask("PUT", "/api/videos/0/clicks", a_click(frame=1))
    assert status == 507 and "No space left" in json.loads(content)["error"]
    client.click(2)
    assert [click.frame for click in client.clips.log(client.clips.videos[0]).clicks] == [0, 2]


def test_two_browsers_get_different_videos(client: Client) -> None:
    other = Client(client.clips, client.port, "two")
    first = client.json("GET", "/api/videos")["chosen"]
    client.json("PUT", f"/api/videos/{first}", {"author": "ann"})
    second = other.json("GET", "/api/videos")["chosen"]
    assert first != second
    assert client.json("GET", "/api/videos")["chosen"] == first


def wait_for(done: Any) -> Any:
    for _ in range(400):
        if found := done():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


@pytest.mark.long
def test_the_tracker_proposes_and_a_click_puts_it_right(client: Client) -> None:
    def boxes(frame: int) -> Any:
        body = {"target": "1", "frame": frame, "on": True}
        return client.json("PUT", "/api/videos/0/proposals", body)["boxes"].get(str(frame))

    body = {"target": "1", "frame": 0, "on": True}
    status, content, _ = client.ask("PUT", "/api/videos/0/proposals", body)
    assert status == 422 and "needs a click to start from" in json.loads(content)["error"]
    client.click(0, 60.0, 40.0)
    assert len(wait_for(lambda: boxes(6))) == 5
    client.click(6, 20.0, 80.0)
    x, y, w, h, _ = wait_for(lambda: boxes(7))
    assert abs(x + w / 2 - 20) < 25 and abs(y + h / 2 - 80) < 25
    assert client.json("PUT", "/api/videos/0/proposals", {**body, "on": False})["boxes"] == {}


def test_the_tracker_starts_with_the_size_that_a_second_click_told(client: Client) -> None:
    def box(frame: int) -> Any:
        body = {"target": "1", "frame": frame, "on": True}
        return wait_for(lambda: client.json("PUT", "/api/videos/0/proposals", body)["boxes"].get(str(frame)))

    client.click(0, 60.0, 40.0)
    free = box(1)
    assert client.click(0, 60.0, 40.0, w=18.0, h=42.0)["answer"]["h"] == 42.0
    width, height = wait_for(lambda: (at := box(1)) != free and at)[2:4]
    assert width / height == pytest.approx(18 / 42) and 0.9 < height / 42 < 1.1  # a step of scale at most
    _, picture, headers = client.ask("GET", "/api/videos/0/frames/0/top?x=60&y=40&w=18&h=42")
    assert headers["x-box"] == "51.0,19.0,18.0,42.0" and picture[:2] == b"\xff\xd8"
    assert client.ask("GET", "/api/videos/0/frames/0/top?x=60&y=40&w=0&h=42")[0] == 422


@pytest.mark.long
def test_it_asks_where_the_tracker_is_least_sure(client: Client) -> None:
    body = {"target": "1", "begin": True}
    client.json("PUT", "/api/videos/0/asking", body)
    failed = wait_for(lambda: client.json("PUT", "/api/videos/0/asking", {"target": "1"})["error"])
    assert "no click to start from" in failed
    client.click(0, 60.0, 40.0)
    client.json("PUT", "/api/videos/0/asking", body)
    order = wait_for(lambda: client.json("PUT", "/api/videos/0/asking", {"target": "1"})["order"])
    assert len(order) == len(set(order)) == FRAMES // 2 and 0 not in order


def test_a_port_that_is_taken_is_told(client: Client) -> None:
    with pytest.raises(ServeError, match=f"port {client.port}: .*--port"):
        serve(client.clips.root, 4, "siamfc/untrained_res18", port=client.port)
    with pytest.raises(ServeError, match="port 99999: .*0-65535"):
        serve(client.clips.root, 4, "siamfc/untrained_res18", port=99999)
