"""Pages of pictures: what they hold is escaped, and they can load and run nothing."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytracking.analysis.html import write_page
from pytracking.analysis.pictures import Shown, check_pictures_path, write_pictures

HOSTILE = """<script>alert('1')</script> "quoted" & {{ 7 * 7 }}"""


def test_a_page_holds_its_pictures_and_escapes_every_text(tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    shown = [Shown(HOSTILE, np.full((8, 8, 3), 200, np.uint8))]
    write_pictures(page, shown, HOSTILE, HOSTILE, [b"<svg onload='alert(1)'/>"])
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "onload" not in text and "{{ 7 * 7 }}" in text
    assert text.count("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &#34;quoted&#34; &amp;") == 5
    policy = re.search('<meta http-equiv="Content-Security-Policy" content="([^"]+)">', text)
    assert policy and "default-src 'none'" in policy[1] and "script-src 'none'" in policy[1]
    assert text.index("Content-Security-Policy") < text.index("<style"), "it holds from the first thing on"
    assert not re.findall(r"""(?:src|href)=["'](?!data:image/)""", text)


def test_the_ending_says_picture_or_page(tmp_path: Path) -> None:
    shown = [Shown("a", np.zeros((8, 8, 3), np.uint8)), Shown("b", np.full((8, 12, 3), 90, np.uint8))]
    write_pictures(tmp_path / "all.png", shown, "t", "")
    assert cv2.imread(str(tmp_path / "all.png")).shape == (28, 12, 3)
    with pytest.raises(ValueError, match="all.gif: what is to be written is told by the ending"):
        check_pictures_path(tmp_path / "all.gif")


def test_what_a_template_names_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="'pictures' is undefined"):
        write_page(tmp_path / "a.html", "pictures.html", "t", {"text": "", "plots": []})
    assert not list(tmp_path.iterdir())


def test_no_other_code_writes_pages() -> None:
    root = Path(__file__).parents[3]
    places = [path for wing in ("ltr", "pytracking", "socl_plugins") for path in (root / wing).rglob("*.py")]
    assert not [path for path in places if re.search("<!doctype|<html", path.read_text("utf-8"), re.IGNORECASE)]
