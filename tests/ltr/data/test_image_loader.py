from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.data.image_loader import ImageError, decode_with_opencv, jpeg4py_decoder, load_image

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


def test_the_orientation_tag_is_ignored_so_that_boxes_fit_the_stored_pixels(tmp_path, picture):
    image_module = pytest.importorskip("PIL.Image")
    tag = image_module.Exif()
    tag[0x0112] = 6  # turn by 90 degrees to show
    image_module.fromarray(picture).save(tmp_path / "a.jpg", exif=tag)
    assert load_image(tmp_path / "a.jpg").shape == picture.shape
    assert decode_with_opencv((tmp_path / "a.jpg").read_bytes()).shape == picture.shape


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
