"""Decoding of image files to RGB arrays: jpeg4py for JPEG files where it and its library are installed, else OpenCV.

The result is that of OpenCV's colour reading: 8 bits, three channels, turned as the file's orientation tag says, as
image viewers and browsers show it. jpeg4py is given files without such a tag only; its pixels differ by a few grey
levels. A picture of which a part is missing is an error, whatever follows it in the file.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ltr.data.image_header import HeaderError, ImageHeader, read_header

MAX_PIXELS = 100_000_000
MAX_PIXELS_VARIABLE = "PYTRACKING_MAX_PIXELS"

# Looks like the data of a scan; then also with each of the restart markers, of which the next one may be missing.
_MORE = bytes(number * number * 167 % 255 for number in range(512))
_MORE += b"".join(b"\xff" + bytes([0xD0 + number]) + _MORE[:64] for number in range(8))

Decoder = Callable[[bytes], "np.ndarray | None"]


class ImageError(ValueError):
    """An image file that is missing, damaged, too large or of an unknown kind."""


def load_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Returns the image in a file as RGB, (H, W, 3) uint8.

    Raises:
        ImageError: the file is missing, unreadable, cut off, no image, or no regular file, or the image is larger than
            :func:`max_pixels` allows; the message names it.
    """
    try:
        # A pipe would be waited for, and some devices never end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ImageError(f"the image {path} cannot be read: it is a folder, a pipe or a device, and no file")
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no image {path}; check the data set's path, or copy the file again") from None
    except OSError as error:
        raise ImageError(f"the image {path} cannot be read: {error.strerror or error}") from error
    return decode_image(data, str(path))


def decode_image(data: bytes, name: str = "in memory") -> np.ndarray:
    """Returns an encoded image as RGB, (H, W, 3) uint8.

    Args:
        data: the content of a JPEG, PNG, BMP, WebP or TIFF file.
        name: stands for the image in error messages.

    Raises:
        ImageError: the data is empty, cut off or no image, or the image is too large.
    """
    if not data:
        raise ImageError(f"the image {name} is empty (0 bytes); copy or download it again")
    try:
        header = read_header(data)
    except HeaderError as error:
        raise ImageError(f"the image {name} {error}; copy or download it again") from None
    check_size(header.width, header.height, f"the image {name}")
    image = None
    if header.kind == "jpeg":
        if not header.whole:
            raise ImageError(f"the JPEG image {name} is cut off after {header.end} bytes; copy or download it again")
        data = data[: header.end]
        decode = None if header.exif else jpeg4py_decoder()
        image = None if decode is None else decode(data)
    if image is None:
        image = decode_with_opencv(data)
        if image is not None and header.kind == "jpeg" and _lacks_blocks(image, data, header):
            raise ImageError(f"the JPEG image {name} is cut off before its end marker; copy or download it again")
    if image is None:
        raise ImageError(f"the image {name} is damaged, or of a kind that cannot be decoded; copy or download it again")
    return image


def decode_with_opencv(data: bytes) -> np.ndarray | None:
    """Returns an encoded image as RGB, (H, W, 3) uint8, or None if OpenCV cannot decode it."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def max_pixels() -> int:
    """Returns how many pixels an image may have: ``PYTRACKING_MAX_PIXELS``, or 100 million.

    Raises:
        ImageError: the variable holds no number of pixels.
    """
    text = os.environ.get(MAX_PIXELS_VARIABLE, "")
    if not text:
        return MAX_PIXELS
    try:
        limit = float(text)  # 2e8 is easier to read than its zeros
    except ValueError:
        limit = 0
    if not 1 <= limit < float("inf"):
        raise ImageError(f"{MAX_PIXELS_VARIABLE} is {text!r}, which is no number of pixels such as {MAX_PIXELS}")
    return int(limit)


def check_size(width: int, height: int, what: str) -> None:
    """Raises ImageError if ``what`` has more pixels than :func:`max_pixels`: a small file may declare a huge image."""
    if width * height > max_pixels():
        raise ImageError(
            f"{what} declares {width} x {height} pixels, more than the {max_pixels():,} that are read; if that is "
            f"what it has, set {MAX_PIXELS_VARIABLE}"
        )


def _lacks_blocks(image: np.ndarray, data: bytes, header: ImageHeader) -> bool:
    """Returns whether the decoder filled in what a JPEG does not hold, though it has an end marker.

    Decoders fill missing blocks with medium grey, and say nothing. Where the last pixel is as bright, and where that
    cannot be seen, the data is decoded again with more of it before the end marker: a whole picture does not change.
    """
    # The last scan of a progressive picture only sharpens; grey is another colour in CMYK.
    hidden = header.progressive or header.components == 4
    # A tag may have turned the image, so that the last pixel is in another corner.
    ends = image[[0, -1]][:, [0, -1]].reshape(4, 3) if header.exif else image[-1:, -1]
    if not hidden and (abs(ends @ np.array([0.299, 0.587, 0.114]) - 128) > 1.5).all():
        return False
    longer = decode_with_opencv(data[:-2].rstrip(b"\xff") + _MORE + data[-2:])
    return longer is not None and not np.array_equal(longer, image)


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
