"""Decoding of image files to RGB arrays: jpeg4py for JPEG files where it and its library are installed, else OpenCV.

Both give the same shape and order of channels; pixels differ by a few grey levels. The orientation tag of a file is
ignored, so that boxes drawn on the stored pixels fit.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"

Decoder = Callable[[bytes], "np.ndarray | None"]


class ImageError(ValueError):
    """An image file that is missing, damaged or of an unknown kind."""


def load_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Returns the image in a file as RGB, (H, W, 3) uint8.

    Raises:
        ImageError: the file is missing, unreadable, truncated or no image; the message names it.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no image {path}; check the data set's path, or copy the file again") from None
    except OSError as error:
        raise ImageError(f"the image {path} cannot be read: {error.strerror or error}") from error
    return decode_image(data, str(path))


def decode_image(data: bytes, name: str = "in memory") -> np.ndarray:
    """Returns an encoded image as RGB, (H, W, 3) uint8.

    Args:
        data: the content of an image file of any kind that OpenCV reads.
        name: stands for the image in error messages.

    Raises:
        ImageError: the data is empty, truncated or no image.
    """
    if not data:
        raise ImageError(f"the image {name} is empty (0 bytes); copy or download it again")
    image = None
    if data.startswith(JPEG_START):
        # Decoders fill what is missing of a JPEG with grey and say nothing. The end marker cannot occur inside scan
        # data, and a thumbnail's own one lies before the last scan.
        if data.rfind(JPEG_END) < data.rfind(JPEG_SCAN) or JPEG_SCAN not in data:
            raise ImageError(f"the JPEG image {name} is cut off after {len(data)} bytes; copy or download it again")
        decode = jpeg4py_decoder()
        image = None if decode is None else decode(data)
    if image is None:
        image = decode_with_opencv(data)
    if image is None:
        raise ImageError(f"the image {name} is damaged, or of a kind that cannot be decoded; copy or download it again")
    return image


def decode_with_opencv(data: bytes) -> np.ndarray | None:
    """Returns an encoded image as RGB, (H, W, 3) uint8, or None if OpenCV cannot decode it."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@functools.cache
def jpeg4py_decoder() -> Decoder | None:
    """Returns the like of :func:`decode_with_opencv` that uses jpeg4py, or None where it or its library is missing."""
    try:
        import jpeg4py

        # The package imports without its library: only a decoded image shows that both are there.
        encoded = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1]
        jpeg4py.JPEG(encoded.ravel()).decode()
    except Exception:
        return None

    def decode(data: bytes) -> np.ndarray | None:
        try:
            return jpeg4py.JPEG(np.frombuffer(data, np.uint8)).decode()
        except Exception:  # it takes neither CMYK nor a harmless warning: OpenCV has the last word
            return None

    return decode
