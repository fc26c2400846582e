"""The formats of clicks, by name, and which one a file is of."""

from __future__ import annotations

from pathlib import Path

from ltr.registry import near_names
from socl_plugins.clicks.exchange import (
    coco,
    cvat,
    cvat_images,
    deeplabcut,
    label_studio,
    labelme,
    sleap,
    tables,
    tap_vid,
)
from socl_plugins.clicks.exchange.marks import ExchangeError, Format

AUTO = "auto"
FORMATS: dict[str, Format] = {
    "cvat": cvat.FORMAT,
    "cvat-images": cvat_images.FORMAT,
    "label-studio": label_studio.FORMAT,
    "coco": coco.FORMAT,
    "labelme": labelme.FORMAT,
    "deeplabcut": deeplabcut.FORMAT,
    "sleap": sleap.FORMAT,
    "sleap-project": sleap.PROJECT,
    "csv": tables.FORMAT,
    "mot": tables.MOT,
    "tap-vid": tap_vid.FORMAT,
}


def find_format(name: str, path: Path) -> tuple[str, Format]:
    """Returns a format and its name; ``auto`` is the one that the file is of.

    Raises:
        ExchangeError: there is no such file or format, or none that the file is of.
    """
    if not path.exists():
        raise ExchangeError(f"there is no file or folder {path}")
    if name != AUTO:
        if name not in FORMATS:
            raise ExchangeError(f"unknown format {name!r}.{near_names(name, FORMATS)} Known: {', '.join(FORMATS)}")
        return name, FORMATS[name]
    for known, form in FORMATS.items():
        fits = path.is_dir() if form is labelme.FORMAT and path.is_dir() else path.suffix.lower() in _suffixes(form)
        if fits and form.recognise(path):
            return known, form
    if path.is_file() and path.suffix.lower() == ".xml":
        cvat.read_xml(path)  # says what is wrong with it
    raise ExchangeError(f"{path} is of no format that is known here; name it with --format: {', '.join(FORMATS)}")


def _suffixes(form: Format) -> tuple[str, ...]:
    return (".csv", ".txt") if form is tables.MOT else (form.suffix,)
