"""From mp4 files to a tracker by the four commands that a user types, with somebody who clicks through the page.

    python benchmarks/twenty_videos.py --out twenty                              the embedded synthetic videos
    python benchmarks/twenty_videos.py --out twenty --data VIDEOS... --videos 20  folders of videos with boxes

The videos are written as mp4 files; their boxes are only known to who clicks: 10 times a video, at the true centre and
5 px of noise. With --more 1000, another annotator then clicks so many times on a copy, for time and memory.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ltr.dataset.synthetic import SyntheticVideo  # noqa: E402
from pytracking.evaluation.own_videos import own_videos  # noqa: E402
from pytracking.evaluation.sequence import SequenceList, from_video_dataset  # noqa: E402

NOISE = 5.0  # pixels, in each direction


def chosen_videos(folders: list[Path], count: int) -> SequenceList:
    """Returns so many videos with boxes, evenly taken from folders, or the embedded ones."""
    if not folders:
        return from_video_dataset(SyntheticVideo(count, num_frames=40, seed=9))
    found = SequenceList()
    for folder in folders:
        found = found + own_videos(folder)
    return SequenceList(found[int(n)] for n in np.linspace(0, len(found) - 1, count).astype(int))


def write_videos(videos: SequenceList, folder: Path) -> dict[str, np.ndarray]:
    """Writes mp4 files and returns the boxes (T, 4) of each by its name."""
    folder.mkdir(parents=True)
    boxes = {}
    for number, video in enumerate(videos):
        name = f"film {number:02d}"
        boxes[name.replace(" ", "_")] = video.ground_truth_rect
        height, width = (side // 2 * 2 for side in video.frame(0).shape[:2])
        with av.open(str(folder / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "18"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for frame in range(len(video)):
                image = np.ascontiguousarray(video.frame(frame)[:height, :width])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
    return boxes


def socl(words: list[str], environment: dict[str, str]) -> str:
    """Runs a command as it is typed and returns what it says; says itself how long it took."""
    print("$ socl", *words, flush=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", "socl_plugins.command", *words]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    print(done.stdout, f"[{time.perf_counter() - started:.0f} s]\n", sep="", flush=True)
    if done.returncode:
        sys.exit(f"socl {words[0]} failed with {done.returncode}")
    return done.stdout


class Page:
    """The page's server, asked as the page in the browser asks it."""

    def __init__(self, clips: Path, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "socl_plugins.command", "annotate", str(clips), "--port", "0"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = next(m for line in self.process.stdout if (m := re.search(r"http://([\d.]+:\d+)/\?token=(\S+)", line)))
        self._host, self._token = found.groups()

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """Returns the answer; anything but 200 ends the program."""
        connection = http.client.HTTPConnection(self._host, timeout=60)
        headers = {"X-Token": self._token, "X-Browser": "one", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200:
            sys.exit(f"{method} {path}: {answer.status} {content.decode()}")
        return content

    def memory(self) -> float:
        """Returns the server's memory in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)

    def close(self) -> None:
        """Ends the server as Ctrl-C does."""
        self.process.send_signal(2)
        self.process.wait(60)


def click_videos(
    page: Page, boxes: dict[str, np.ndarray], wanted: int, author: str, rng: np.random.Generator
) -> list[float]:
    """Clicks so many frames of each video, evenly spread, and returns the seconds that each took to be stored."""
    seconds = []
    for number, video in enumerate(json.loads(page.ask("GET", "/api/videos"))["videos"]):
        page.ask("PUT", f"/api/videos/{number}", {"author": author})
        truth = boxes[video["name"]]
        for frame in np.unique(np.linspace(0, video["frames"] - 1, wanted).astype(int)).tolist():
            if not (np.isfinite(truth[frame]).all() and truth[frame, 2:].min() > 0):
                body: dict[str, Any] = {"x": None, "y": None, "state": "absent"}
            else:
                place = truth[frame, :2] + truth[frame, 2:] / 2 + rng.normal(0, NOISE, 2)
                x, y = np.clip(place, 0, [video["width"], video["height"]]).round(2).tolist()
                body = {"x": x, "y": y, "state": "visible"}
            body |= {"frame": frame, "target": "1", "ms": 1500, "author": author, "id": f"{author}-{number}-{frame}"}
            started = time.perf_counter()
            page.ask("PUT", f"/api/videos/{number}/clicks", body)
            seconds.append(time.perf_counter() - started)
            page.ask("GET", f"/api/videos/{number}/frames/{frame}")
            if body["state"] == "visible":
                page.ask("GET", f"/api/videos/{number}/frames/{frame}/top?x={body['x']}&y={body['y']}")
    return seconds


def told(seconds: list[float], page: Page) -> str:
    """Returns a line about how long clicks took to be stored, and the server's memory."""
    median, slow = np.percentile(seconds, [50, 95]) * 1000
    return f"{len(seconds)} clicks: median {median:.1f} ms, 95% within {slow:.1f} ms, server {page.memory():.0f} MB"


def main() -> None:
    """Runs the scenario."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a new folder for everything")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders of videos with groundtruth.txt")
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--clicks", type=int, default=10, help="of each video")
    parser.add_argument("--more", type=int, default=0, help="further clicks by another annotator, on a copy")
    parser.add_argument("--uncut", action="store_true", help="leave the frames in the mp4 files")
    parser.add_argument("--recipe", default="socl/socl_res18")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="KEY=VALUE, as for training")
    options = parser.parse_args()
    if options.out.exists():
        sys.exit(f"{options.out} is there already: give a new folder")
    started = time.perf_counter()
    boxes = write_videos(chosen_videos(options.data, options.videos), options.out / "videos")
    print(f"{len(boxes)} mp4 files, {sum(map(len, boxes.values())):,} frames [{time.perf_counter() - started:.0f} s]\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTRACKING_WORKSPACE_DIR": str(options.out / "workspace")}
    for name in ("PYTRACKING_GOT10K_DIR", "PYTRACKING_GOT10K_VAL_DIR", "PYTRACKING_OTB_DIR"):
        environment[name] = ""  # no box is read
    clips = str(options.out / "clips")
    started = time.perf_counter()
    uncut = ["--uncut"] if options.uncut else []
    socl(["prepare", str(options.out / "videos"), "--out", clips, "--val", "0.4", *uncut], environment)
    rng = np.random.default_rng(0)
    page = Page(Path(clips), environment)
    before = page.memory()
    print(f"$ socl annotate {clips}\n{told(click_videos(page, boxes, options.clicks, 'one', rng), page)}")
    page.close()
    if options.more:
        copy = options.out / "copy"
        shutil.copytree(clips, copy)
        page = Page(copy, environment)
        for part in range(4):
            count = max(options.more // 4 // len(boxes), 1)
            print(f"more: {told(click_videos(page, boxes, count, f'other {part}', rng), page)}", flush=True)
        page.close()
    print(f"server at the start: {before:.0f} MB\n")
    changes = [word for change in options.overrides for word in ("--set", change)]
    said = socl(["train", options.recipe, "--data", clips, *changes], environment)
    out = str(options.out / "tracked")
    tracker = "siamfc/" + options.recipe.partition("/")[2]
    socl(["track", clips, "--tracker", tracker, "--render", "--export", "cvat", "--out", out], environment)
    score = re.search(r"held-out click precision: .*", said)
    print(f"all commands: {(time.perf_counter() - started) / 60:.1f} minutes")
    print(score.group(0) if score else "training said no score")


if __name__ == "__main__":
    main()
