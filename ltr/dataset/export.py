"""Writes any data set in GOT-10k's layout, which other tools and frameworks read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.names import path_below


def export_got10k(dataset: BaseVideoDataset, directory: str | Path, split: str = "train", quality: int = 95) -> Path:
    """Writes all videos of a data set to ``<directory>/<split>`` as GOT-10k does, and returns that folder.

    What is written is read by ``Got10k``; ``points.txt`` holds the clicks of a data set that has them, and
    ``groundtruth.txt`` is left out for one that has no boxes. ``list.txt`` comes last, so that an export that was
    broken off is not taken for a whole one.

    Args:
        dataset: the videos.
        directory: the folder that holds ``train``, ``val`` and ``test``; made if need be.
        split: which of them to write.
        quality: of the JPEG files, up to 100.

    Raises:
        FileExistsError: there is an export already.
        DatasetError: a video's name cannot be that of a folder; nothing is written.
        OSError: a file cannot be written.
    """
    folder = Path(directory) / split
    if (folder / "list.txt").exists():
        raise FileExistsError(f"{folder} holds a data set already; give another folder, or remove that one")
    names = [dataset.sequence_name(seq_id) for seq_id in range(len(dataset))]
    folders = [path_below(folder, name, f"the data set {dataset.get_name()!r}") for name in names]
    for seq_id, place in enumerate(folders):
        _export_sequence(dataset, seq_id, place, quality)
    (folder / "list.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return folder


def _export_sequence(dataset: BaseVideoDataset, seq_id: int, folder: Path, quality: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = dataset.get_sequence_info(seq_id)
    height = width = 0
    for frame_id in range(len(info["valid"])):
        frame = dataset.load_frame(seq_id, frame_id)
        height, width = frame.shape[:2]
        encoded = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        (folder / f"{frame_id + 1:08d}.jpg").write_bytes(encoded.tobytes())
    for key, file_name in (("bbox", "groundtruth.txt"), ("point", "points.txt")):
        if key in info:
            np.savetxt(folder / file_name, info[key].numpy(), fmt="%.4f", delimiter=",")
    in_view = info.get("in_view", info["visible"]).numpy()
    np.savetxt(folder / "absence.label", np.zeros(len(in_view), int), fmt="%d")
    np.savetxt(folder / "cover.label", np.where(in_view, 8, 0), fmt="%d")
    lines = [
        "[METAINFO]",
        f"object_class: {dataset.get_class_name(seq_id) or 'unknown'}",
        f"resolution: ({width}, {height})",
    ]
    (folder / "meta_info.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
