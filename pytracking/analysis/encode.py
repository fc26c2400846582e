"""Encoding of video files: H.264 where this machine has an encoder (PyAV), else MPEG-4 (OpenCV)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

H264_ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc")
"""Names that FFmpeg gives them, the preferred one first."""
QUALITY = {"libx264": {"preset": "veryfast", "crf": "20"}}
"""Options of an encoder; the others take a bit rate."""
BITS_PER_PIXEL = 0.15
SMPTE_170M = 6
"""FFmpeg's number of the colour matrix that OpenCV converts with, which players are told."""
PROBE_SIDE = 256  # pixels; hardware has a smallest size


class EncodeError(RuntimeError):
    """A video that cannot be encoded here."""


@lru_cache
def h264_encoder() -> str | None:
    """Returns the name of an H.264 encoder that encodes a frame, or None: a build may name some that cannot."""
    return next((name for name in H264_ENCODERS if _works(name)), None)


def _works(name: str) -> bool:
    import av

    picture = av.VideoFrame.from_ndarray(np.zeros((PROBE_SIDE, PROBE_SIDE, 3), np.uint8), format="rgb24")
    try:
        encoder: Any = av.CodecContext.create(name, "w")
        encoder.width = encoder.height = PROBE_SIDE
        encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
        encoder.encode(picture.reformat(format="yuv420p"))
    except (av.FFmpegError, ValueError, OSError):  # no such encoder, or no device for it
        return False
    return True


def encode(frames: Iterable[np.ndarray], file: Path, size: tuple[int, int], rate: float) -> int:
    """Writes RGB uint8 frames of ``size`` (width, height), both even, to an MP4 file, and returns how many.

    Raises:
        EncodeError: neither PyAV nor OpenCV can write it.
        OSError: the file cannot be written.
    """
    name = h264_encoder()
    return mpeg4(frames, file, size, rate) if name is None else h264(frames, file, size, rate, name)


def h264(frames: Iterable[np.ndarray], file: Path, size: tuple[int, int], rate: float, name: str) -> int:
    """Writes an MP4 with the encoder of this name, its index in front, so that it plays while it is fetched."""
    import av

    count = 0
    with av.open(str(file), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream: Any = container.add_stream(name, rate=Fraction(rate).limit_denominator(1000))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = QUALITY.get(name, {})
        if name not in QUALITY:
            stream.bit_rate = round(BITS_PER_PIXEL * size[0] * size[1] * rate)
        stream.codec_context.colorspace = SMPTE_170M
        for frame in frames:
            # OpenCV converts colours some times faster than FFmpeg does by default.
            planes = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
            count += 1
        container.mux(stream.encode())
    return count


def mpeg4(frames: Iterable[np.ndarray], file: Path, size: tuple[int, int], rate: float) -> int:
    """Writes an MP4 in MPEG-4 Part 2 with OpenCV, which tells no error but that it cannot begin."""
    count = 0
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    try:
        if not writer.isOpened():
            raise EncodeError(
                f"OpenCV {cv2.__version__} cannot write the video {file}: is its directory writable, and does this "
                "OpenCV have FFmpeg (cv2.getBuildInformation() says so)?"
            )
        for frame in frames:
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            count += 1
    finally:
        writer.release()
    return count
