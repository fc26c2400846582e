"""Clicks through the annotation page in a real browser: how exact, how fast, and whether memory stays flat.

    python benchmarks/clicking.py --clicks 1000

A 1280 x 720 video is clicked at random places, zoomed in four times on a screen of two pixels a CSS pixel. Printed are
the largest error of a stored click in pixels of the frame, the time from a click to the next frame on the screen, and
the memory of the browser (with this program's own) and of the server on the way.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from ltr.dataset.text import read_lines  # noqa: E402
from socl_plugins.clicks.prepare import Cutting, prepare  # noqa: E402

WIDTH, HEIGHT, ZOOM, TIME_LINE = 1280, 720, 4, 34


def write_frames(folder: Path, count: int) -> None:
    """Writes so many frames of moving blobs."""
    rng = np.random.default_rng(0)
    ground = cv2.resize(rng.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8), (WIDTH, HEIGHT))
    folder.mkdir()
    for number in range(count):
        image = np.roll(ground, number, axis=1)
        cv2.circle(image, (100 + number % (WIDTH - 200), HEIGHT // 2), 60, (0, 0, 255), -1)
        cv2.imwrite(str(folder / f"{number:06d}.jpg"), image)


def serve(clips: Path) -> tuple[subprocess.Popen[str], str]:
    """Starts the page's server and returns it with the page's address."""
    command = [sys.executable, "-m", "socl_plugins.clicks", "annotate", str(clips), "--every", "1", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    address = next(found.group(0) for line in process.stdout if (found := re.search(r"http://\S+", line)))
    return process, address


def memory(process: psutil.Process) -> float:
    """Returns the memory of a process and its children in MB."""
    return sum(each.memory_info().rss for each in [process, *process.children(recursive=True)]) / 2**20


def click_through(page: Any, clicks: int, server: psutil.Process) -> tuple[list[tuple[float, float]], list[float]]:
    """Clicks so many frames and returns the places that were meant, in pixels of the frame, and the seconds of each."""
    area = page.locator("#canvas").bounding_box()
    middle = area["x"] + area["width"] / 2, area["y"] + (area["height"] - TIME_LINE) / 2
    scale = min(area["width"] / WIDTH, (area["height"] - TIME_LINE) / HEIGHT) * ZOOM
    page.mouse.move(*middle)
    for _ in range(4):
        page.mouse.wheel(0, -200 * float(np.log(ZOOM)))  # by e for 400, in pixels of the screen
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    rng = np.random.default_rng(1)
    meant, seconds = [], []
    for number in range(clicks):
        x, y = (rng.uniform(-0.4, 0.4) * side for side in (area["width"], area["height"] - TIME_LINE))
        x, y = round(middle[0] + x) - middle[0], round(middle[1] + y) - middle[1]
        shown = page.get_attribute("body", "data-shown")
        started = time.perf_counter()
        page.mouse.click(middle[0] + x, middle[1] + y)
        if number + 1 < clicks:
            page.wait_for_selector(f'body:not([data-shown="{shown}"])')
        seconds.append(time.perf_counter() - started)
        meant.append((WIDTH / 2 + x / scale, HEIGHT / 2 + y / scale))
        if number % max(clicks // 5, 1) == 0:
            everything = memory(psutil.Process())
            print(f"{number:6} clicks: browser {everything - memory(server):.0f} MB, server {memory(server):.0f} MB")
    return meant, seconds


def main() -> None:
    """Runs the benchmark."""
    from playwright.sync_api import ViewportSize, sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=1000)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_frames(Path(folder) / "walk", options.clicks)
        prepare([f"{folder}/walk"], Path(folder) / "clips", Cutting(val=0))
        process, address = serve(Path(folder) / "clips")
        flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=options.chromium, args=flags)
        size = ViewportSize(width=1600, height=900)
        page = browser.new_context(viewport=size, device_scale_factor=2).new_page()
        page.goto(address)
        page.wait_for_selector("body[data-shown]")
        try:
            meant, seconds = click_through(page, options.clicks, psutil.Process(process.pid))
            sent = "() => !Object.keys(localStorage).some((key) => key.startsWith('outbox-'))"
            page.wait_for_function(sent, timeout=120_000)  # clicks come faster than a person's, and are sent one by one
        finally:
            browser.close()
            process.kill()
        lines = read_lines(Path(folder) / "clips/train/walk/clicks.jsonl")
    stored = {line["frame"]: (line["x"], line["y"]) for line in map(json.loads, lines)}
    errors = [np.abs(np.subtract(stored[frame], place)).max() for frame, place in enumerate(meant)]
    median, slow = np.percentile(seconds, [50, 95]) * 1000
    print(f"{len(lines)} of {options.clicks} clicks stored, the largest error {max(errors):.3f} px of the frame")
    print(f"click to next frame: median {median:.0f} ms, 95% within {slow:.0f} ms, the driver's own time included")


if __name__ == "__main__":
    main()
