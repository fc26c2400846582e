"""SLEAP's CSV of an analysis, and its project files (``.slp``, HDF5), of which what a person placed is read."""

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
    header_is,
    number,
    read_cells,
    rows_of,
    target_name,
)

BY_HAND = 0  # an instance_type
HALF_PIXEL_SINCE = 1.1  # before, the centre of the first pixel was at 0.5


def read(path: Path, base: int = 0) -> Reading:
    """Returns the marks of a SLEAP CSV file."""
    header, *rows = read_cells(path)
    nodes = [name.removesuffix(".x") for name in header if name.endswith(".x")]
    found = Reading()
    for line, row in enumerate(rows, 2):
        values = dict(zip(header, row))
        frame = int(number(values, "frame_idx", f"{path}, line {line}"))
        for node in nodes:
            if not (values.get(f"{node}.x") or "").strip():
                continue
            x, y = (number(values, f"{node}.{axis}", f"{path}, line {line}") for axis in "xy")
            found.marks.append(Mark(None, frame, _target(values.get("track"), node, len(nodes)), x, y))
    return found


def _target(track: str | None, node: str, nodes: int) -> str:
    return target_name(track, node if nodes > 1 or not track else None)


def write(videos: Sequence[ClickedVideo]) -> dict[str, bytes]:
    """Returns a file for each video."""
    header = ("track", "frame_idx", "instance.score", "centre.x", "centre.y", "centre.score")
    return {
        f"{video.name}.csv": rows_of(
            header, [(mark.target, mark.frame, 1.0, mark.x, mark.y, 1.0) for mark in video.marks]
        )
        for video in videos
    }


def recognise(path: Path) -> bool:
    """Returns whether it is a CSV file with SLEAP's columns."""
    return header_is(path, "track", "frame_idx")


def read_project(path: Path, base: int = 0) -> Reading:
    """Returns the marks that a person placed in a SLEAP project."""
    try:
        import h5py
    except ImportError as error:
        raise ExchangeError(f"reading {path} needs h5py: pip install h5py") from error
    try:
        with h5py.File(path, "r") as file:
            return _read_project(file)
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise ExchangeError(f"{path} is not as SLEAP's projects are: {error}") from error


def _read_project(file: Any) -> Reading:
    metadata = file["metadata"].attrs
    shift = -0.5 if float(metadata["format_id"]) < HALF_PIXEL_SINCE else 0.0
    described = json.loads(metadata["json"])
    every = [node["name"] for node in described["nodes"]]
    nodes = [every[node["id"]] for node in described["skeletons"][0]["nodes"]]
    videos = [Path(json.loads(text)["backend"].get("filename", "")).stem or None for text in file["videos_json"][()]]
    tracks = [json.loads(text)[1] for text in file["tracks_json"][()]] if "tracks_json" in file else []
    frames, instances, points = (file[name][()] for name in ("frames", "instances", "points"))
    found = Reading()
    for frame in frames:
        for instance in instances[int(frame["instance_id_start"]) : int(frame["instance_id_end"])]:
            if int(instance["instance_type"]) != BY_HAND:
                found.dropped["predicted by SLEAP, not placed by a person"] += 1
                continue
            track = tracks[int(instance["track"])] if 0 <= int(instance["track"]) < len(tracks) else None
            placed = points[int(instance["point_id_start"]) : int(instance["point_id_end"])]
            for node, point in zip(nodes, placed):
                x, y = float(point["x"]) + shift, float(point["y"]) + shift
                if x != x or y != y:
                    continue
                state = "visible" if bool(point["visible"]) else "occluded"
                name = _target(track, node, len(nodes))
                found.marks.append(Mark(videos[int(frame["video"])], int(frame["frame_idx"]), name, x, y, state))
    return found


def recognise_project(path: Path) -> bool:
    """Returns whether it has SLEAP's suffix."""
    return path.suffix.lower() == ".slp"


FORMAT = Format("SLEAP (CSV)", recognise, read, ".csv", write)
PROJECT = Format("SLEAP project (.slp, needs h5py)", recognise_project, read_project, ".slp")
