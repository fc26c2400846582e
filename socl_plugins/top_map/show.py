"""Pictures of TOP maps: the frame with its click, the kept proposals, and the map; as one image or as a page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ltr.admin.files import write_bytes_atomically
from socl_plugins.top_map.map import render
from socl_plugins.top_map.proposals import Proposals

HEIGHT = 220  # pixels of each picture
CLICK_COLOUR, WEAK_COLOUR, STRONG_COLOUR = (255, 230, 0), np.array([70, 110, 190]), np.array([255, 70, 40])  # RGB
MAPS_TEXT = "Left: the click. Middle: the kept proposals, the most object-like in red. Right: the map."
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem; color: #222 }
figure { margin: 0 0 1.6rem } figcaption { margin-bottom: .3rem } img { max-width: 100%; border-radius: 3px }
"""


@dataclass(frozen=True)
class Shown:
    """One frame's pictures.

    Attributes:
        title: which frame, and how many proposals.
        picture: (H, W, 3) uint8 RGB: the frame with the click, with the proposals, and under the map, side by side.
    """

    title: str
    picture: np.ndarray


def draw(name: str, image: np.ndarray, point: tuple[float, float], proposals: Proposals) -> Shown:
    """Returns the pictures of a frame.

    Args:
        name: of the frame.
        image: (H, W, 3) uint8, RGB.
        point: the click, x, y.
        proposals: in pixels of the frame.
    """
    scale = HEIGHT / image.shape[0]
    size = max(round(image.shape[1] * scale), 1), HEIGHT
    frame = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    clicked, boxed = frame.copy(), frame.copy()
    spot = round(point[0] * scale), round(point[1] * scale)
    cv2.circle(clicked, spot, 5, (0, 0, 0), -1, cv2.LINE_AA)
    cv2.circle(clicked, spot, 4, CLICK_COLOUR, -1, cv2.LINE_AA)
    strength = proposals.scores / max(float(proposals.scores.max()), 1e-6)
    for box, share in reversed(list(zip(proposals.boxes * scale, strength))):  # the best on top
        colour = (WEAK_COLOUR + (STRONG_COLOUR - WEAK_COLOUR) * share).astype(int).tolist()
        first, last = np.rint(box[:2]).astype(int).tolist(), np.rint(box[:2] + box[2:]).astype(int).tolist()
        cv2.rectangle(boxed, first, last, colour, 1, cv2.LINE_AA)
    top = render(Proposals(proposals.boxes * np.float32(scale), proposals.scores), (HEIGHT, size[0]))
    heat = cv2.applyColorMap(np.rint(top / top.max() * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    mapped = cv2.addWeighted(frame, 0.35, np.ascontiguousarray(heat), 0.65, 0)
    gap = np.full((HEIGHT, 6, 3), 255, np.uint8)
    title = f"{name}: {len(proposals)} proposals, best {proposals.scores[0]:.2f}"
    return Shown(title, np.hstack([clicked, gap, boxed, gap, mapped]))


def write_picture(shown: Sequence[Shown], path: Path) -> None:
    """Writes all frames below each other to one image file, of the kind that its ending names."""
    width = max((one.picture.shape[1] for one in shown), default=1)
    rows = [
        np.pad(one.picture, ((0, 6), (0, width - one.picture.shape[1]), (0, 0)), constant_values=255) for one in shown
    ]
    whole = np.vstack(rows) if rows else np.full((1, 1, 3), 255, np.uint8)
    write_bytes_atomically(path, _encode(whole, path.suffix.lower()))


def write_page(
    shown: Sequence[Shown], path: Path, title: str, text: str = MAPS_TEXT, plots: Sequence[bytes] = ()
) -> None:
    """Writes a page that holds its pictures itself: a title, a text, plots (SVG) and the frames."""
    figures = [f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(plot).decode()}">' for plot in plots]
    for one in shown:
        picture = base64.b64encode(_encode(one.picture, ".jpg")).decode()
        caption = html.escape(one.title)
        image = f'<img alt="{caption}" src="data:image/jpeg;base64,{picture}">'
        figures.append(f"<figure><figcaption>{caption}</figcaption>{image}</figure>")
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>\n<h1>{html.escape(title)}</h1>\n"
        f"<p>{html.escape(text)}</p>\n" + "\n".join(figures) + "\n</body></html>\n"
    )
    write_bytes_atomically(path, page.encode())


def _encode(image: np.ndarray, suffix: str) -> bytes:
    done, content = cv2.imencode(suffix, image[..., ::-1])
    if not done:
        raise ValueError(
            f"a picture of {image.shape[0]} rows is too large for {suffix}: fewer frames, or .png, or .html"
        )
    return content.tobytes()
