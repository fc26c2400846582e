"""Label Studio's JSON: rectangles in video (their centres) and key points in images; both in percent of the frame.

A video's frames count from 1. What a browser shows as a frame may differ from the decoder's by one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socl_plugins.clicks.exchange.marks import (
    ClickedVideo,
    ExchangeError,
    Format,
    Mark,
    Reading,
    image_mark,
    number,
    read_json,
    target_name,
    unique_names,
)

SHOWN_SIDE = 2.0  # percent: what a click is drawn as


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a Label Studio export."""
    tasks = read_json(path)
    found = Reading()
    for task in tasks if isinstance(tasks, list) else [tasks]:
        if not isinstance(task, dict):
            raise ExchangeError(f"{path} holds {str(task)[:40]!r} where a task is expected")
        data = task.get("data") or {}
        for annotation in task.get("annotations") or []:
            results = [result for result in annotation.get("result") or [] if isinstance(result, dict)]
            videos = [result for result in results if result.get("type") == "videorectangle"]
            names = unique_names([(_label(result), result.get("id", "")) for result in videos])
            for result, name in zip(videos, names):
                _read_video(found, result, name, _stem(data.get("video")), str(path))
            for result in results:
                if result.get("type") == "keypointlabels":
                    _read_image(found, result, str(data.get("image", "")), base, str(path))
                elif result.get("type") != "videorectangle":
                    found.dropped[f"a {result.get('type')} has no one centre"] += 1
    return found


def _read_video(found: Reading, result: dict[str, Any], target: str, video: str | None, where: str) -> None:
    for key in (result.get("value") or {}).get("sequence") or []:
        x, y, width, height = (number(key, name, where) for name in ("x", "y", "width", "height"))
        frame = int(number(key, "frame", where)) - 1
        place = (x + width / 2) / 100, (y + height / 2) / 100
        found.marks.append(Mark(video, frame, target, *place, space="relative"))


def _read_image(found: Reading, result: dict[str, Any], image: str, base: int, where: str) -> None:
    place = image_mark(image, base)
    if place is None:
        found.dropped[f"the image's name holds no frame number, such as {image!r}"] += 1
        return
    video, frame, space = place
    value = result.get("value") or {}
    width, height = (number(result, name, where) for name in ("original_width", "original_height"))
    found.sizes[video] = int(width), int(height)
    x, y = number(value, "x", where) / 100 * width, number(value, "y", where) / 100 * height
    found.marks.append(Mark(video, frame, target_name(_label(result)), x, y, space=space))


def _label(result: dict[str, Any]) -> str:
    value = result.get("value") or {}
    return str(next(iter(value.get("labels") or value.get("keypointlabels") or [""]), ""))


def _stem(path: object) -> str | None:
    return Path(str(path).partition("?")[0]).stem or None if path else None


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns one file with a task for each video."""
    return {"label_studio.json": (json.dumps([_task(video) for video in videos], indent=1) + "\n").encode()}


def _task(video: ClickedVideo) -> dict[str, Any]:
    seconds = video.frames / video.fps if video.fps else 0.0
    results = []
    for target, marks in video.targets().items():
        sequence = [
            {
                "frame": mark.frame + 1,
                "x": (mark.x or 0.0) / video.width * 100 - SHOWN_SIDE / 2,
                "y": (mark.y or 0.0) / video.height * 100 - SHOWN_SIDE / 2,
                "width": SHOWN_SIDE,
                "height": SHOWN_SIDE,
                "rotation": 0,
                "time": mark.frame / video.fps if video.fps else 0.0,
                "enabled": True,
            }
            for mark in marks
        ]
        value = {"framesCount": video.frames, "duration": seconds, "sequence": sequence, "labels": [target]}
        names = {"from_name": "box", "to_name": "video", "type": "videorectangle"}
        results.append({"id": f"{video.name}-{target}", **names, "value": value})
    return {"data": {"video": f"{video.name}.mp4"}, "annotations": [{"result": results}]}


def recognise(path: Path) -> bool:
    """Returns whether it is a JSON file of tasks with annotations."""
    try:
        content = read_json(path)
    except ExchangeError:
        return False
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, dict) and isinstance(first.get("data"), dict) and "annotations" in first


FORMAT = Format("Label Studio (JSON: video rectangles, key points)", recognise, read, ".json", write)
