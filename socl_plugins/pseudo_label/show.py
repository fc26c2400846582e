"""Pictures of pseudo boxes: frames of some videos, each box in the colour of where it comes from."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from pytracking.analysis.pictures import Shown, write_pictures
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.build import sparse_labels
from socl_plugins.pseudo_label.fuse import Kind
from socl_plugins.pseudo_label.store import PseudoBoxStore

HEIGHT = 150  # pixels of each picture
COLUMNS = 8
COLOURS = {  # RGB
    Kind.HUMAN: (60, 200, 80),
    Kind.TRACKED: (70, 140, 255),
    Kind.CORRECTED: (255, 60, 40),
    Kind.INTERPOLATED: (255, 170, 0),
    Kind.TOP_MAP: (200, 80, 220),
}


def write_strips(dataset: SparseBoxAnnotated, store: PseudoBoxStore, path: Path, videos: int) -> None:
    """Writes a picture, or a page, with a row of frames for each of some videos.

    Args:
        dataset: of the store.
        store: with their boxes.
        path: .png, .jpg or .html.
        videos: how many, spread over the data set.
    """
    rows = []
    for video in np.unique(np.linspace(0, len(dataset) - 1, videos).astype(int)).tolist():
        name = dataset.sequence_name(video)
        boxes, kinds = store.read(name, sparse_labels(dataset, video))
        frames = np.flatnonzero(kinds != Kind.ABSENT)
        chosen = frames[np.unique(np.linspace(0, len(frames) - 1, COLUMNS).astype(int))]
        pictures = [_picture(dataset.load_frame(video, int(f)), boxes[f], Kind(kinds[f])) for f in chosen]
        rows.append(Shown(name, np.hstack(pictures)))
    legend = np.full((24, 640, 3), 255, np.uint8)
    for number, (kind, colour) in enumerate(COLOURS.items()):
        place = (8 + 125 * number, 17)
        cv2.putText(legend, kind.name.lower(), place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    title = f"Pseudo boxes of {dataset.get_name()}"
    write_pictures(path, [Shown("legend", legend), *rows], title, "Each box in the colour of where it comes from.")


def _picture(image: np.ndarray, box: np.ndarray, kind: Kind) -> np.ndarray:
    scale = HEIGHT / image.shape[0]
    drawn = cv2.resize(image, (max(round(image.shape[1] * scale), 1), HEIGHT), interpolation=cv2.INTER_AREA)
    first, last = (
        np.rint(box[:2] * scale).astype(int).tolist(),
        np.rint((box[:2] + box[2:]) * scale).astype(int).tolist(),
    )
    cv2.rectangle(drawn, first, last, COLOURS[kind], 2, cv2.LINE_AA)
    return drawn
