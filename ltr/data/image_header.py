"""What an image file says of itself, read without decoding it: its size, and for JPEG whether all of it is there.

Sources: JPEG, ITU-T T.81, annex B (markers) and G (progressive scans); PNG, W3C, 11.2.2; WebP, RFC 9649; TIFF 6.0.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

KINDS = "JPEG, PNG, BMP, WebP or TIFF"
COEFFICIENTS = 64  # of a block of 8 x 8 pixels

_JPEG_START = b"\xff\xd8\xff"
_SOI, _EOI, _SOS, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF markers
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
# In a scan 0xFF is followed by 0 (a byte of data), by a restart marker, or by the marker that ends the scan.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


class HeaderError(ValueError):
    """The data is of no known kind, or its header is damaged; the message says which."""


@dataclass(frozen=True)
class ImageHeader:
    """What the head of an image file says.

    Attributes:
        kind: ``jpeg``, ``png``, ``bmp``, ``webp`` or ``tiff``.
        width: in pixels, as stored: before an orientation tag turns the image.
        height: in pixels, as stored.
        whole: false for a JPEG whose data ends before its end marker does. True for the other kinds, whose decoders
            find that out by themselves.
        end: of a JPEG, the number of bytes of the picture; what follows is not part of it. Of other kinds 0.
        progressive: a JPEG whose scans refine the picture.
        exif: a JPEG with an EXIF segment, which may hold an orientation.
        components: colours of a JPEG; 4 for CMYK. Of other kinds 0.
    """

    kind: str
    width: int
    height: int
    whole: bool = True
    end: int = 0
    progressive: bool = False
    exif: bool = False
    components: int = 0


def read_header(data: bytes) -> ImageHeader:
    """Returns the header of an encoded image.

    >>> read_header(b"BM" + bytes(12) + (40).to_bytes(4, "little") + struct.pack("<ii", 640, -480)).height
    480

    Raises:
        HeaderError: it is of another kind, or damaged before its size is known.
    """
    try:
        if data.startswith(_JPEG_START):
            return _read_jpeg(data)
        for start, read in (
            (rb"\x89PNG\r\n\x1a\n....IHDR", _read_png),
            (rb"BM", _read_bmp),
            (rb"RIFF....WEBPVP8", _read_webp),
            (rb"II\*\0|MM\0\*", _read_tiff),
        ):
            if re.match(start, data, re.DOTALL):
                kind, width, height = read(data)
                return ImageHeader(kind, width, height)
    except (struct.error, IndexError):
        raise HeaderError("is cut off in its header") from None
    raise HeaderError(f"is damaged, or of a kind that is not read ({KINDS} are)")


def _read_png(data: bytes) -> tuple[str, int, int]:
    return "png", *struct.unpack_from(">II", data, 16)


def _read_bmp(data: bytes) -> tuple[str, int, int]:
    old = struct.unpack_from("<I", data, 14)[0] == 12  # OS/2's header
    width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
    return "bmp", width, abs(height)  # below 0 where the top row comes first


def _read_webp(data: bytes) -> tuple[str, int, int]:
    form = data[12:16]
    if form == b"VP8X":
        return "webp", int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if form == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return "webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return "webp", width & 0x3FFF, height & 0x3FFF


def _read_tiff(data: bytes) -> tuple[str, int, int]:
    order = "<" if data.startswith(b"II") else ">"
    directory = struct.unpack_from(f"{order}I", data, 4)[0]
    size: dict[int, int] = {}
    for number in range(struct.unpack_from(f"{order}H", data, directory)[0]):
        place = directory + 2 + 12 * number
        tag, kind = struct.unpack_from(f"{order}HH", data, place)
        if tag in (256, 257):  # width and length, as 16 or 32 bits
            size[tag] = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, place + 8)[0]
    if len(size) < 2:
        raise HeaderError("is damaged: a TIFF without a size")
    return "tiff", size[256], size[257]


def _read_jpeg(data: bytes) -> ImageHeader:
    """Walks over the markers of a JPEG up to its end marker, and notes what its scans bring."""
    size: tuple[int, int] | None = None
    finest: dict[int, list[int]] = {}  # for each component: the lowest bit of each coefficient that a scan brought
    progressive = exif = whole = False
    place = 2
    while place < len(data):
        found = _MARKER.search(data, place)
        if found is None:
            place = len(data)
            break
        marker, place = data[found.start() + 1], found.end()
        if marker == _EOI:
            whole = bool(finest) and all(bit == 0 for bits in finest.values() for bit in bits)
            break
        if marker == 0x01:  # TEM stands alone
            continue
        # A second picture, or what is no marker at all: the data of this one has ended before its end marker.
        if marker == _SOI or marker < 0xC0 or (size and marker in _FRAMES):
            break
        if place + 2 > len(data):
            place = len(data)
            break
        length = int.from_bytes(data[place : place + 2], "big")
        segment = data[place + 2 : place + length]
        if length < 2:
            break
        place += length
        if marker in _FRAMES:
            height, width, colours = struct.unpack_from(">HHB", segment, 1)
            size, progressive = (width, height), marker in _PROGRESSIVE
            finest = {segment[6 + 3 * index]: [99] * COEFFICIENTS for index in range(colours)}
        elif marker == _APP1:
            exif = exif or segment.startswith(b"Exif\0")
        elif marker == _SOS and not _note_scan(segment, finest, progressive):
            break
    if size is None:
        raise HeaderError("is cut off in its header" if place >= len(data) else "is damaged: a JPEG without a size")
    return ImageHeader("jpeg", *size, whole, min(place, len(data)), progressive, exif, len(finest))


def _note_scan(segment: bytes, finest: dict[int, list[int]], progressive: bool) -> bool:
    """Notes which coefficients of which components a scan brings, and to which bit; returns whether it may do so."""
    count = segment[0] if segment else 0
    if len(segment) < 4 + 2 * count:
        return False
    components = [segment[1 + 2 * index] for index in range(count)]
    first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
    if not components or any(component not in finest for component in components) or not first <= last < COEFFICIENTS:
        return False
    for component in components:
        finest[component][first : last + 1] = [bits & 15 if progressive else 0] * (last + 1 - first)
    return True
