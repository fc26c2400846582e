from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.data.image_loader import ImageError, decode_image, decode_with_opencv, jpeg4py_decoder, load_image

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A smooth RGB picture, wider than high, whose channels differ: what JPEG keeps well."""
    noise = np.random.default_rng(0).integers(0, 256, (3, 4, 3), np.uint8)
    return cv2.resize(noise, (45, 30), interpolation=cv2.INTER_CUBIC)


def encoded(picture: np.ndarray, suffix: str = ".jpg") -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, 98] if suffix == ".jpg" else []
    return cv2.imencode(suffix, picture[..., ::-1], options)[1].tobytes()


def test_a_png_is_read_to_the_pixel_as_rgb(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encoded(picture, ".png"))
    image = load_image(tmp_path / "a.png")
    assert image.dtype == np.uint8 and np.array_equal(image, picture)
    assert np.array_equal(load_image(str(tmp_path / "a.png")), picture), "a path may be a string"


def test_a_jpeg_is_read_as_rgb(tmp_path, picture):
    (tmp_path / "a.jpg").write_bytes(encoded(picture))
    image = load_image(tmp_path / "a.jpg")
    assert image.shape == picture.shape
    assert np.abs(image.astype(int) - picture).mean() < 3


def test_both_decoders_give_the_same_shape_order_and_nearly_the_same_pixels(picture):
    decode = jpeg4py_decoder()
    if decode is None:
        pytest.skip("jpeg4py or libturbojpeg is not installed")
    one, other = decode(encoded(picture)), decode_with_opencv(encoded(picture))
    assert one.shape == other.shape and one.dtype == other.dtype == np.uint8
    assert np.abs(one.astype(int) - other).max() <= 8
    assert np.abs(one.astype(int) - other).mean() < 1
    assert np.abs(one[..., ::-1].astype(int) - other).mean() > 10, "the picture tells RGB from BGR"


def test_real_frames_are_alike_in_both_decoders(shared_data):
    decode = jpeg4py_decoder()
    if decode is None:
        pytest.skip("jpeg4py or libturbojpeg is not installed")
    for path in sorted((shared_data / "real_got10k" / "val").glob("*/00000001.jpg")):
        one, other = decode(path.read_bytes()), decode_with_opencv(path.read_bytes())
        assert np.abs(one.astype(int) - other).mean() < 1, path


def test_a_grey_jpeg_and_a_png_with_alpha_become_rgb(tmp_path, picture):
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    cv2.imwrite(str(tmp_path / "gray.jpg"), gray)
    image = load_image(tmp_path / "gray.jpg")
    assert image.shape == picture.shape and np.array_equal(image[..., 0], image[..., 2])
    cv2.imwrite(str(tmp_path / "alpha.png"), np.dstack([picture[..., ::-1], gray]))
    assert np.array_equal(load_image(tmp_path / "alpha.png"), picture)


def test_a_cmyk_jpeg_is_read_with_either_decoder(tmp_path, picture):
    image_module = pytest.importorskip("PIL.Image")
    image_module.fromarray(picture).convert("CMYK").save(tmp_path / "a.jpg")
    assert load_image(tmp_path / "a.jpg").shape == picture.shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_image_is_turned_as_its_orientation_tag_says(tmp_path, picture, kind):
    image_module = pytest.importorskip("PIL.Image")
    if kind == "WEBP" and tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 13):
        pytest.skip("OpenCV reads the orientation of WebP files from 4.13 on")
    tag = image_module.Exif()
    tag[0x0112] = 6  # turn by 90 degrees to show
    image_module.fromarray(picture).save(tmp_path / "a", kind, exif=tag)
    image = load_image(tmp_path / "a")
    assert image.shape == (picture.shape[1], picture.shape[0], 3)
    assert np.abs(image.astype(int) - np.rot90(picture, -1)).mean() < 12


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_truncated_jpeg_is_an_error_not_a_grey_area(tmp_path, picture, share):
    data = encoded(cv2.resize(picture, (320, 240)))
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ImageError, match="cut.jpg is (cut off|damaged)"):
        load_image(path)


def test_a_thumbnail_does_not_pass_for_the_end_of_a_truncated_jpeg(tmp_path, picture):
    data, thumbnail = encoded(picture), encoded(picture[::3, ::3])
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    whole = data[:2] + segment + data[2:]
    (tmp_path / "whole.jpg").write_bytes(whole)
    assert load_image(tmp_path / "whole.jpg").shape == picture.shape
    for length in (len(whole) - 20, 2 + len(segment) + 30):
        (tmp_path / "cut.jpg").write_bytes(whole[:length])
        with pytest.raises(ImageError, match="cut.jpg"):
            load_image(tmp_path / "cut.jpg")


def test_padding_after_the_end_of_a_jpeg_does_no_harm(tmp_path, picture):
    (tmp_path / "a.jpg").write_bytes(encoded(picture) + b"\0" * 64)
    assert load_image(tmp_path / "a.jpg").shape == picture.shape


KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "grey": {"mode": "L"},
    "grey progressive": {"mode": "L", "progressive": True},
    "CMYK": {"mode": "CMYK"},
    "restarts": {"restart_marker_blocks": 4},
    "without subsampling": {"subsampling": 0},
    "flat grey": {"flat": True},
    "turned by its tag": {"turn": 6},
}


@pytest.fixture(params=KINDS)
def jpeg(picture, request) -> bytes:
    image_module = pytest.importorskip("PIL.Image")
    options = dict(KINDS[request.param])
    pixels = cv2.resize(picture, (160, 120), interpolation=cv2.INTER_CUBIC)
    if "turn" in options:
        options["exif"] = image_module.Exif()
        options["exif"][0x0112] = options.pop("turn")
    if options.pop("flat", False):
        pixels[:] = 128  # as decoders fill in what is missing
    file = io.BytesIO()
    image_module.fromarray(pixels).convert(options.pop("mode", "RGB")).save(file, "JPEG", **options)
    return file.getvalue()


def trailers(jpeg: bytes) -> list[bytes]:
    """What phones and cameras append: a video, a preview, text; with markers in it."""
    noise = np.random.default_rng(1).bytes(3000)
    return [b"", b"\xff\xd9", b"\0\0\0\x18ftypmp42 \xff\xda\0\x0c \xff\xd9", jpeg, b"text\xff\xd9", noise]


def test_what_follows_a_whole_jpeg_does_no_harm(jpeg):
    image = decode_image(jpeg)
    for trailer in trailers(jpeg):
        assert np.array_equal(decode_image(jpeg + trailer), image)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_a_cut_jpeg_is_refused_whatever_follows_it(jpeg, share):
    for trailer in trailers(jpeg):
        if len(jpeg) * (1 - share) < 20:
            continue  # the flat picture is nearly nothing but its header
        with pytest.raises(ImageError, match="cut off|damaged"):
            decode_image(jpeg[: int(len(jpeg) * share)] + trailer)


def huge(kind: str) -> bytes:
    """A small file that declares 60,000 x 60,000 pixels (WebP: 16,383 x 16,383, the most it can)."""
    data = bytearray(encoded(np.zeros((8, 8, 3), np.uint8), kind))
    big, little = (60000).to_bytes(4, "big"), (60000).to_bytes(4, "little")
    if kind == ".jpg":
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = big[2:] * 2
    elif kind == ".png":
        data[16:24] = big * 2
    elif kind == ".bmp":
        data[18:26] = little * 2
    elif kind == ".webp":
        data[21:25] = (0x3FFF | 0x3FFF << 14).to_bytes(4, "little")
    else:
        for tag in (256, 257):
            place = data.index(tag.to_bytes(2, "little") + b"\3\0\1\0\0\0")
            data[place + 8 : place + 10] = little[:2]
    return bytes(data)


@pytest.mark.parametrize("kind", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
def test_a_small_file_that_declares_a_huge_image_is_refused_at_once(kind):
    data = huge(kind)
    assert len(data) < 1000
    start = time.perf_counter()
    with pytest.raises(ImageError, match=r"declares (60000 x 60000|16384 x 16384) pixels.*set PYTRACKING_MAX_PIXELS"):
        decode_image(data, "bomb")
    assert time.perf_counter() - start < 0.05


def test_the_limit_on_pixels_can_be_set(picture, monkeypatch):
    monkeypatch.setenv("PYTRACKING_MAX_PIXELS", "1e3")
    with pytest.raises(ImageError, match="declares 45 x 30 pixels, more than the 1,000 that are read"):
        decode_image(encoded(picture))
    monkeypatch.setenv("PYTRACKING_MAX_PIXELS", "1350")
    assert decode_image(encoded(picture)).shape == picture.shape
    for text in ("many", "0", "-1", "nan", "inf"):
        monkeypatch.setenv("PYTRACKING_MAX_PIXELS", text)
        with pytest.raises(ImageError, match=f"PYTRACKING_MAX_PIXELS is '{text}'"):
            decode_image(encoded(picture))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bits_become_eight(suffix):
    deep = np.random.default_rng(0).integers(0, 2**16, (9, 11, 3), np.uint16)
    image = decode_image(cv2.imencode(suffix, deep[..., ::-1])[1].tobytes())
    assert np.array_equal(image, deep >> 8 if suffix == ".png" else np.rint(deep / 257))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tiff"])
def test_a_cut_image_of_another_kind_is_refused(picture, suffix):
    data = encoded(cv2.resize(picture, (320, 240)), suffix)
    for share in (0.001, 0.01, 0.3, 0.9):
        with pytest.raises(ImageError, match="again"):
            decode_image(data[: int(len(data) * share) or 3])


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "BMP", "JPEG"])
def test_an_image_is_what_opencv_reads_in_colour(tmp_path, picture, kind, mode):
    image_module = pytest.importorskip("PIL.Image")
    pixels = image_module.fromarray(picture).convert(mode)
    if "A" in mode:
        pixels.putalpha(image_module.fromarray(picture[..., 0]))
    try:
        pixels.save(tmp_path / "a", kind)
    except OSError:
        pytest.skip(f"{kind} has no {mode}")
    expected = cv2.imread(str(tmp_path / "a"), cv2.IMREAD_COLOR)[..., ::-1]
    difference = np.abs(load_image(tmp_path / "a").astype(int) - expected)
    assert difference.max() <= (8 if kind == "JPEG" else 0), "jpeg4py may differ a little"


@pytest.mark.parametrize(("kind", "mode"), [("TIFF", "F"), ("GIF", "P"), ("PPM", "RGB"), ("JPEG2000", "RGB")])
def test_other_kinds_are_refused_by_name(picture, kind, mode):
    image_module = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    image_module.fromarray(picture).convert("L" if mode == "F" else mode).convert(mode).save(file, kind)
    with pytest.raises(ImageError, match="odd is damaged, or of a kind"):
        decode_image(file.getvalue(), "odd")


def test_a_pipe_and_a_device_are_no_images(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", "/dev/zero"):
        with pytest.raises(ImageError, match="a pipe or a device"):
            load_image(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no image .*bad.jpg"),
        (b"", "bad.jpg is empty"),
        (b"<html>not found</html>", "bad.jpg is damaged, or of a kind"),
        (b"\xff\xd8\xff\xe0" + bytes(200) + b"\xff\xda\xff\xd9", "bad.jpg is damaged"),
    ],
)
def test_what_is_no_image_is_an_error_that_names_the_file_and_a_fix(tmp_path, content, message):
    path = tmp_path / "bad.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as error:
        load_image(path)
    assert "again" in str(error.value) and isinstance(error.value, ValueError)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(ImageError, match="cannot be read"):
        load_image(tmp_path)


def test_images_load_where_jpeg4py_is_not_installed(tmp_path, picture):
    (tmp_path / "a.jpg").write_bytes(encoded(picture))
    program = (
        "import sys; sys.modules.update(jpeg4py=None)\n"
        "from ltr.data.image_loader import jpeg4py_decoder, load_image\n"
        f"assert jpeg4py_decoder() is None and load_image({str(tmp_path / 'a.jpg')!r}).shape == {picture.shape}"
    )
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)
