"""The order of the frames in a folder of images."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ltr.dataset.text import DatasetError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
_NUMBERED = re.compile(r"(.*?)([0-9]+)", re.DOTALL)


def numbered_images(folder: Path) -> dict[int, Path]:
    """Returns the images of a folder by the number that their name ends in, in this order.

    ``1.jpg`` to ``12.jpg``, ``frame_1.jpg``, ``img-98.jpg`` to ``img-109.jpg`` and ``00000001.jpg`` are in the order of
    their numbers, with or without leading zeros. Files that begin with a dot, and those that are no images, do not
    count. Where no name ends in a number, or there is no such folder, the result is empty.

    Raises:
        DatasetError: two images have one number, or names differ before their number, so that their order is unknown;
            or an image is no file.
    """
    found: list[tuple[str, str]] = []  # what the name begins with, and the name
    images: dict[int, Path] = {}
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DatasetError(f"the folder {folder} cannot be read: {error.strerror or error}") from error
    for entry in entries:
        stem, suffix = os.path.splitext(entry.name)
        if suffix.lower() not in IMAGE_SUFFIXES or entry.name.startswith("."):
            continue
        parts = _NUMBERED.fullmatch(stem)
        found.append((parts[1] if parts else stem, entry.name))
        if parts is None:
            continue
        number, path = int(parts[2]), folder / entry.name
        if number in images:
            raise DatasetError(f"{folder}: {images[number].name} and {entry.name} are one frame; remove one of them")
        if not entry.is_file():
            raise DatasetError(f"{path} is no image: it is a folder, a pipe or a device")
        images[number] = path
    if images and len({start for start, _ in found}) > 1:
        first = found[0]
        other = next(each for each in found if each[0] != first[0])
        raise DatasetError(
            f"{folder}: {first[1]} and {other[1]} differ before their numbers, so the order of the frames is unknown; "
            "name all images alike, or move those that are no frames"
        )
    return dict(sorted(images.items()))
