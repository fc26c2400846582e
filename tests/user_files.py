"""Small data sets with what files of users have in them: names, text and pictures of many kinds, right and wrong."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

FRAMES = 12
SIZE = (40, 200)  # height and width
BOXES = [[10.0 * number, 4.0, 20.0, 16.0] for number in range(1, FRAMES + 1)]  # frame k is as grey as its box's x

NUMBERED = tuple(f"{number:08d}.jpg" for number in range(1, FRAMES + 1))
LINES = tuple(",".join(f"{value:g}" for value in box) for box in BOXES)


@functools.cache
def picture(grey: int, suffix: str = ".jpg") -> bytes:
    return cv2.imencode(suffix, np.full((*SIZE, 3), grey, np.uint8))[1].tobytes()


@functools.cache
def photo(**options: object) -> bytes:
    """A JPEG of varied content, as Pillow writes it."""
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (5, 20, 3), np.uint8)
    file = io.BytesIO()
    mode = str(options.pop("mode", "RGB"))
    pixels = cv2.resize(noise, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)  # type: ignore[arg-type]
    return file.getvalue()


def of_mode(mode: str, kind: str, **options: object) -> bytes:
    """The third frame in another kind of colour; in grey, which comes out the same in all of them."""
    from PIL import Image

    file = io.BytesIO()
    pixels = Image.new("RGB", SIZE[::-1], (30, 30, 30)).convert(mode)
    pixels.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def turned() -> bytes:
    """The orientation tag of a picture that was taken with the camera on its side."""
    from PIL import Image

    tags = Image.Exif()
    tags[0x0112] = 6
    return tags.tobytes()


def encoded(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def text(lines: Sequence[str] = LINES, end: str = "\n", start: str = "", code: str = "utf-8") -> bytes:
    return (start + "".join(line + end for line in lines)).encode(code)


def replaced(number: int, line: str) -> bytes:
    """The ground truth with another line of this number."""
    return text([*LINES[: number - 1], line, *LINES[number:]])


@dataclass(frozen=True)
class Case:
    """A video ``clip`` in GOT-10k's layout.

    Attributes:
        title: what is special about it.
        names: of its images, in the right order.
        truth: content of its ground-truth file.
        files: further files, in its folder.
        change: what is done to the folder in the end.
        error: what must be said of it; none: it is read right.
        at: who says it: ``reading`` of the files, or ``decoding`` of a frame.
        hidden: frames in which flags say that the target is not seen.
    """

    title: str
    names: tuple[str, ...] = NUMBERED
    truth: bytes = text()
    files: dict[str, bytes] = field(default_factory=dict)
    change: Callable[[Path], object] | None = None
    error: str = ""
    at: str = "reading"
    hidden: tuple[int, ...] = ()

    def write(self, root: Path) -> Path:
        """Writes the data set, and returns the folder that holds its list."""
        folder = root / "val" / "clip"
        folder.mkdir(parents=True)
        (root / "val" / "list.txt").write_text("clip\n")
        for number, name in enumerate(self.names, start=1):
            (folder / name).write_bytes(picture(10 * number, Path(name).suffix.lower()))
        (folder / "groundtruth.txt").write_bytes(self.truth)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        if self.change:
            self.change(folder)
        return root / "val"


def named(form: str, first: int = 1) -> tuple[str, ...]:
    return tuple(form.format(number) for number in range(first, first + FRAMES))


def becomes(file: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Puts something else in the place of a file."""

    def change(folder: Path) -> None:
        (folder / file).unlink(missing_ok=True)
        make(folder / file)

    return change


def content(file: str, data: Callable[[], bytes]) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(data())


COVER = ["8"] * 4 + ["0", "0"] + ["3"] * 6
HIDDEN = (4, 5)
THIRD = NUMBERED[2]
NAMED_PNG = named("{}.png")
TRAILER = b"\0\0\0\x18ftypmp42 \xff\xda\0\x0c\x03 \xff\xd9 end"

ORDER = [
    Case("1.jpg to 12.jpg", named("{}.jpg")),
    Case("from 0 on", named("{}.jpg", 0)),
    Case("frame_1.jpg", named("frame_{}.jpg")),
    Case("img-98.jpg to img-109.jpg", named("img-{}.jpg", 98)),
    Case("95.jpg to 106.jpg", named("{}.jpg", 95)),
    Case("a number before the last", named("2024 06 {}.jpg", 95)),
    Case("zeros to two digits", named("{:02d}.jpg", 95)),
    Case("leading zeros on some", ("1.jpg", "02.jpg", *named("{}.jpg")[2:6], "007.jpg", *named("{}.jpg")[7:])),
    Case("name of many digits", named("cam2_20240101_{}.png", 9)),
    Case("upper-case endings", named("{}.JPG")),
    Case("png", named("{}.png")),
    Case("bmp", named("{}.bmp")),
    Case("webp", named("{}.webp")),
    Case("tiff", named("{}.tiff")),
    Case("Unicode and blanks in names", named("Bild Zoë #50% {}.jpg")),
    Case("what macOS leaves", files={"._00000001.jpg": b"\0\5\x16\7", ".DS_Store": b"x", ".hidden_3.jpg": b"x"}),
    Case("two images of one number", files={"1.jpg": picture(0)}, error="00000001.jpg and 1.jpg are one frame"),
    Case("two kinds of one number", files={"00000001.png": picture(0, ".png")}, error="00000001.jpg and .*png are one"),
    Case("names of two kinds", files={"mask_13.jpg": picture(0)}, error="mask_13.jpg differ before their numbers"),
    Case("an image without a number", files={"cover.jpg": picture(0)}, error="cover.jpg differ before their numbers"),
    Case("no image with a number", ("first.jpg", "last.jpg"), error="00+1.jpg"),
    Case("a folder named as an image", change=becomes(THIRD, Path.mkdir), error="3.jpg is no image: it is a folder"),
    Case("a pipe named as an image", change=becomes(THIRD, os.mkfifo), error="3.jpg is no image: .*pipe"),
]

NUMBERS = [
    Case("byte order mark", truth=text(start="\ufeff")),
    Case("CRLF", truth=text(end="\r\n")),
    Case("CR", truth=text(end="\r")),
    Case("CRLF and a byte order mark", truth=text(end="\r\n", start="\ufeff")),
    Case("tabs", truth=text([line.replace(",", "\t") for line in LINES])),
    Case("commas and blanks", truth=text([line.replace(",", ", ") for line in LINES])),
    Case("blanks around commas", truth=text([line.replace(",", " , ") for line in LINES])),
    Case("semicolons", truth=text([line.replace(",", ";") for line in LINES])),
    Case("several blanks", truth=text([f"  {line.replace(',', '   ')}  " for line in LINES])),
    Case("a comma at the end of lines", truth=text([f"{line}," for line in LINES])),
    Case(
        "another separator in each line",
        truth=text([line.replace(",", ",;\t "[k % 4]) for k, line in enumerate(LINES)]),
    ),
    Case("empty lines at the end", truth=text([*LINES, "", "  ", "\t", ""])),
    Case("no line end at the end", truth=text().rstrip()),
    Case("exponents and signs", truth=text(["+1e1, 4.0e0, 2E+1, .16e2", *LINES[1:]])),
    Case("an empty line in the middle", truth=replaced(5, ""), error="groundtruth.txt, line 5: expected 4 numbers.*''"),
    Case("an empty first line", truth=text(["", *LINES]), error="groundtruth.txt, line 1: expected 4 numbers"),
    Case("letters", truth=replaced(3, "30,4,x,16"), error="groundtruth.txt, line 3: .*'30,4,x,16'"),
    Case("three numbers", truth=replaced(12, "120,4,2"), error="groundtruth.txt, line 12: .*'120,4,2'"),
    Case("five numbers", truth=replaced(2, "20,4,20,16,1"), error="groundtruth.txt, line 2"),
    Case("nothing between commas", truth=replaced(2, "20,,20,16"), error="groundtruth.txt, line 2: .*'20,,20,16'"),
    Case("infinity", truth=replaced(2, "20,4,inf,16"), error="groundtruth.txt, line 2"),
    Case("a part is NaN", truth=replaced(2, "20,4,nan,16"), error="groundtruth.txt, line 2"),
    Case("an underscore in a number", truth=replaced(2, "2_0,4,20,16"), error="groundtruth.txt, line 2"),
    Case("wide digits", truth=replaced(2, "２０,4,20,16"), error="groundtruth.txt, line 2"),
    Case("a comma for a point", truth=replaced(2, "20,5;4;20;16"), error="groundtruth.txt, line 2"),
    Case("a line of 5,000 letters", truth=replaced(2, "9" * 5000), error=r"groundtruth.txt, line 2: .{,150}$"),
    Case(
        "more boxes than images", truth=text([*LINES, LINES[-1]]), error="groundtruth.txt has 13 (lines|boxes) for .*12"
    ),
    Case("fewer boxes than images", truth=text(LINES[:9]), error="groundtruth.txt has 9 (lines|boxes) for .*12"),
    Case("no boxes", truth=b"\n", error="groundtruth.txt (has 0 lines|holds no boxes)"),
    Case("UTF-16", truth=text(code="utf-16"), error="groundtruth.txt, line 1: this is no text in UTF-8"),
    Case(
        "Latin-1",
        truth=text([*LINES[:3], "é"], code="latin-1"),
        error="groundtruth.txt, line 4: this is no text in UTF-8",
    ),
    Case("zeros", truth=bytes(64), error="groundtruth.txt, line 1: expected 4 numbers"),
    Case("a pipe", change=becomes("groundtruth.txt", os.mkfifo), error="groundtruth.txt cannot be read: .*pipe"),
    Case(
        "a folder",
        change=becomes("groundtruth.txt", Path.mkdir),
        error="groundtruth.txt cannot be read: it is a folder",
    ),
]

FLAGS = [
    Case("flags one a line", files={"cover.label": text(COVER)}, hidden=HIDDEN),
    Case("flags as 8.0", files={"cover.label": text([f"{flag}.0" for flag in COVER])}, hidden=HIDDEN),
    Case("flags in one line", files={"cover.label": ",".join(COVER).encode()}, hidden=HIDDEN),
    Case("flags in one line with blanks", files={"cover.label": text([" ".join(COVER) + " "], "\r\n")}, hidden=HIDDEN),
    Case("flags with a mark", files={"cover.label": text([*COVER, ""], "\r\n", "\ufeff")}, hidden=HIDDEN),
    Case("too few flags", files={"cover.label": text(COVER[:7])}, error="cover.label has 7 numbers for 12 images"),
    Case(
        "too many flags", files={"cover.label": text([*COVER, "8"])}, error="cover.label has 13 numbers for 12 images"
    ),
    Case(
        "an empty line in flags", files={"cover.label": text([*COVER[:3], "", *COVER[3:]])}, error="cover.label, line 4"
    ),
    Case("a flag too high", files={"cover.label": text(["9", *COVER[1:]])}, error="cover.label, line 1: .* 0 to 8"),
    Case("half a flag", files={"cover.label": text(["0.5", *COVER[1:]])}, error="cover.label, line 1: .*whole number"),
    Case("flags of letters", files={"cover.label": text(["yes", *COVER[1:]])}, error="cover.label, line 1: .*'yes'"),
]

WHOLE = [
    Case("a motion photo's trailer", change=content(THIRD, lambda: picture(30) + TRAILER)),
    Case("a preview behind the picture", change=content(THIRD, lambda: picture(30) + photo())),
    Case("a progressive JPEG", change=content(THIRD, lambda: of_mode("RGB", "JPEG", progressive=True))),
    Case("a grey JPEG", change=content(THIRD, lambda: of_mode("L", "JPEG"))),
    Case("a CMYK JPEG", change=content(THIRD, lambda: of_mode("CMYK", "JPEG"))),
    Case("a turned JPEG", change=content(THIRD, lambda: of_mode("RGB", "JPEG", exif=turned()))),
    Case("PNG of 16 bits", NAMED_PNG, change=content("3.png", lambda: encoded(np.full(SIZE, 30 * 257, np.uint16)))),
    Case("transparent PNG", NAMED_PNG, change=content("3.png", lambda: of_mode("RGBA", "PNG"))),
    Case("PNG with a palette", NAMED_PNG, change=content("3.png", lambda: of_mode("P", "PNG"))),
    Case("an end marker twice", change=content(THIRD, lambda: picture(30) + b"\xff\xd9")),
    Case("a cut picture", change=content(THIRD, lambda: photo()[:900]), error="3.jpg is cut off", at="decoding"),
    Case(
        "a cut picture and FFD9",
        change=content(THIRD, lambda: photo()[:900] + b"\xff\xd9"),
        error="3.jpg is cut off",
        at="decoding",
    ),
    Case(
        "a cut picture and a trailer",
        change=content(THIRD, lambda: photo()[:900] + TRAILER),
        error="3.jpg is cut off",
        at="decoding",
    ),
    Case(
        "a cut picture and a preview",
        change=content(THIRD, lambda: photo()[:900] + photo()),
        error="3.jpg is cut off",
        at="decoding",
    ),
    Case(
        "a cut progressive picture",
        change=content(THIRD, lambda: photo(progressive=True)[:900] + b"\xff\xd9"),
        error="3.jpg is cut off",
        at="decoding",
    ),
    Case("an empty image", change=content(THIRD, bytes), error="3.jpg is empty", at="decoding"),
    Case("a web page", change=content(THIRD, lambda: b"<html>"), error="3.jpg is damaged, or of a kind", at="decoding"),
    Case("a bomb", change=content(THIRD, lambda: bomb()), error="3.jpg declares 60000 x 60000 pixels", at="decoding"),
]


def bomb() -> bytes:
    """A JPEG of 691 bytes that declares 60,000 x 60,000 pixels."""
    data = bytearray(photo()[:691])
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = (60000).to_bytes(2, "big") * 2
    return bytes(data)


CASES = [*ORDER, *NUMBERS, *FLAGS, *WHOLE]
