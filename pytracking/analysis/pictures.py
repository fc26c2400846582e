"""Pictures with a title each, as one image file or as a web page: what the ``show`` commands write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ltr.admin.files import check_file_writable, write_bytes_atomically

PICTURE_ENDINGS, PAGE_ENDINGS = (".png", ".jpg", ".jpeg"), (".html", ".htm")


@dataclass(frozen=True)
class Shown:
    """A picture, and what it shows.

    Attributes:
        title: stands above it on a page.
        picture: (H, W, 3) uint8 RGB.
    """

    title: str
    picture: np.ndarray


def check_pictures_path(path: Path) -> None:
    """Checks, before the work that pictures show is done, that they can be written.

    Raises:
        ValueError: the ending is that of no picture and no page.
        WriteError: nothing can be written in the folder.
    """
    endings = (*PICTURE_ENDINGS, *PAGE_ENDINGS)
    if path.suffix.lower() not in endings:
        raise ValueError(f"{path}: what is to be written is told by the ending, one of {', '.join(endings)}")
    check_file_writable(path)


def write_pictures(path: Path, shown: Sequence[Shown], title: str, text: str, plots: Sequence[bytes] = ()) -> None:
    """Writes pictures below each other to an image file, or with their titles to a page; the ending says which.

    Args:
        path: the file to write.
        shown: the pictures.
        title: of the page.
        text: what the pictures are, for the page.
        plots: SVG files that the page shows first.

    Raises:
        ValueError: the picture is too large for its format.
        WriteError: the file cannot be written.
    """
    if path.suffix.lower() in PAGE_ENDINGS:
        from pytracking.analysis.html.writer import data_url, write_page

        content = {
            "text": text,
            "plots": [data_url(plot, "image/svg+xml") for plot in plots],
            "pictures": [(one.title, data_url(_encode(one.picture, ".jpg"), "image/jpeg")) for one in shown],
        }
        write_page(path, "pictures.html", title, content)
        return
    width = max((one.picture.shape[1] for one in shown), default=1)
    rows = [
        np.pad(one.picture, ((0, 6), (0, width - one.picture.shape[1]), (0, 0)), constant_values=255) for one in shown
    ]
    whole = np.vstack(rows) if rows else np.full((1, 1, 3), 255, np.uint8)
    write_bytes_atomically(path, _encode(whole, path.suffix.lower()))


def _encode(image: np.ndarray, suffix: str) -> bytes:
    done, content = cv2.imencode(suffix, image[..., ::-1])
    if not done:
        raise ValueError(
            f"a picture of {image.shape[0]} rows is too large for {suffix}: show less, or write .png or .html"
        )
    return content.tobytes()
