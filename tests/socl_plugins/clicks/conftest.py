"""Small videos with a known target, as files, and folders of clips that are made of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ltr.dataset.synthetic import SyntheticVideo
from ltr.registry import load_plugins
from socl_plugins.clicks.clips import Clips
from socl_plugins.clicks.prepare import Cutting, prepare

FRAMES = 24
TOKEN = "secret"  # of the page
SIZE = (96, 128)  # height, width

MakeClips = Callable[..., Clips]


def write_video(path: Path, frames: list[np.ndarray], times: list[int] | None = None, rate: int = 25) -> None:
    """Writes frames as an mp4 file; ``times`` are those of presentation, in 1/1000 s, for an uneven frame rate."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000 if times else rate)
        stream.codec_context.qmin = stream.codec_context.qmax = 2
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = times[number] if times else number
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def coded_frames(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """Frames that say their own number: in 8 squares, black for 0 and white for 1, the highest bit first."""
    frames = []
    for number in range(count):
        image = np.full((*size, 3), 90, np.uint8)
        for bit in range(8):
            image[: size[0] // 3, bit * size[1] // 8 : (bit + 1) * size[1] // 8] = 255 * (number >> (7 - bit) & 1)
        frames.append(image)
    return frames


def read_number(image: np.ndarray) -> int:
    """The number that a frame of :func:`coded_frames` says."""
    height, width = image.shape[:2]
    bits = [image[height // 6, round((bit + 0.5) * width / 8)].mean() > 127 for bit in range(8)]
    return sum(int(bit) << (7 - place) for place, bit in enumerate(bits))


@pytest.fixture(scope="session")
def synthetic() -> SyntheticVideo:
    return SyntheticVideo(3, num_frames=FRAMES, size=SIZE, seed=7)


@pytest.fixture(scope="session")
def video_files(tmp_path_factory: pytest.TempPathFactory, synthetic: SyntheticVideo) -> list[Path]:
    """The synthetic videos as files; not to be changed."""
    folder = tmp_path_factory.mktemp("videos")
    for video in range(len(synthetic)):
        frames = [synthetic.load_frame(video, frame) for frame in range(FRAMES)]
        write_video(folder / f"video {video}.mp4", frames)
    return sorted(folder.iterdir())


@pytest.fixture
def make_clips(tmp_path: Path, video_files: list[Path]) -> MakeClips:
    """Prepares the first so many of the video files."""

    def make(videos: int = 3, name: str = "clips", cutting: Cutting = Cutting()) -> Clips:
        return prepare(map(str, video_files[:videos]), tmp_path / name, cutting).clips

    return make


@pytest.fixture
def serve_clips() -> Iterator[Callable[[Clips], str]]:
    """Serves clips on a port of this process, asking for every second frame, and gives the page's address."""
    pytest.importorskip("starlette")
    uvicorn = pytest.importorskip("uvicorn")
    from socl_plugins.clicks.page.serve import tracker_maker
    from socl_plugins.clicks.page.server import create_app
    from socl_plugins.clicks.page.session import AnnotationSession

    load_plugins(["socl_plugins.plugin"])  # brings the way from a click to a box
    running = []

    def serve(clips: Clips) -> str:
        session = AnnotationSession(clips, 2, tracker_maker("siamfc/untrained_res18"))
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(session, TOKEN), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}/?token={TOKEN}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(20)
