"""The page, opened in a real browser."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytracking.analysis import Report
from pytracking.analysis.html import write_html
from pytracking.analysis.label_cost import LabelCost

# Stands for a person: clicks the heads of the first table's columns, and notes the order of its rows.
CLICKS = """<script>
const order = () => [...document.querySelectorAll("table")].at(%d).tBodies[0].rows;
const names = () => [...order()].map((row) => row.cells[0].textContent).join(",");
const click = (column) => document.querySelectorAll("table")[%d].tHead.rows[0].cells[column].click();
const seen = [names()];
for (const column of %s) { click(column); seen.push(names()); }
const note = document.createElement("pre");
note.id = "seen";
note.textContent = seen.join("|");
document.body.append(note);
</script>"""


def browser() -> str:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not found:
        pytest.skip("no browser: install chromium to open the page in it")
    return found


def open_page(page: Path, *options: str) -> str:
    """What the browser makes of the page, as HTML."""
    command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent / 'profile'}"]
    done = subprocess.run(
        [*command, *options, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def page(report: Report, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    write_html(report, path)
    return path


def clicked(page: Path, table: int, columns: list[int]) -> list[list[str]]:
    """The order of a table's rows at first, and after a click on each of the columns."""
    text = page.read_text(encoding="utf-8").replace("</body>", CLICKS % (table, table, columns) + "</body>")
    copy = page.with_name("clicked.html")
    copy.write_text(text, encoding="utf-8")
    found = re.search(r'<pre id="seen">(.*?)</pre>', open_page(copy))
    assert found, "the page's script failed"
    return [names.split(",") for names in found[1].split("|")]


def test_a_click_on_a_columns_head_sorts_the_table(page: Path) -> None:
    trackers = clicked(page, 0, [0, 1, 1])
    assert trackers[0] == ["the &lt;good&gt; one", "b/bad_50%"]
    assert trackers[1] == trackers[0][::-1]  # by name
    assert trackers[2] == trackers[0] and trackers[3] == trackers[1]  # by AUC, and once more: the other way round


def test_numbers_sort_as_numbers(page: Path) -> None:
    sequences = clicked(page, 2, [1, 1])  # 12 frames are more than 8
    assert sequences == [["Dog", "Owl", "Car"], ["Owl", "Car", "Dog"], ["Dog", "Car", "Owl"]]


def test_the_page_needs_nothing_from_outside_and_hides_no_text(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!data:image/jpeg|#)""", text)
    assert "url(" not in text and "@import" not in text
    assert "Mine &amp; yours" in text and "the <good>" not in text
    assert text.count('<td class="number">-</td>') == 4  # hours and dollars of two trackers are not known


def test_strips_show_the_true_box_in_green(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r"<article [^>]*><header><h3>(\w+)</h3>", text)
    assert titles == ["Dog", "Owl", "Car"]  # the worst first
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    assert len(pictures) == 6 * 3
    image = cv2.imdecode(np.frombuffer(base64.b64decode(pictures[1]), np.uint8), cv2.IMREAD_COLOR)
    scale = image.shape[0] / 120
    blue, green, red = (int(channel) for channel in image[round(45 * scale), round(15 * scale)])  # its left side
    assert green > 150 and green > red + 60 and green > blue + 60


def test_fewer_strips_can_be_asked_for(report: Report, tmp_path: Path) -> None:
    write_html(report, tmp_path / "small.html", strips=1)
    text = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert text.count("<article") == 1 and "(1 of 3)" in text
    write_html(report, tmp_path / "none.html", strips=0)
    assert "<article" not in (tmp_path / "none.html").read_text(encoding="utf-8")


def test_what_labels_cost_stands_beside_the_auc(report: Report, tmp_path: Path) -> None:
    good = replace(report.rows[0], cost=LabelCost(hours=883.0, dollars=7000.0))
    write_html(replace(report, rows=[good, report.rows[1]]), tmp_path / "priced.html", strips=0)
    text = (tmp_path / "priced.html").read_text(encoding="utf-8")
    assert ">883.00</td>" in text and ">7,000.00</td>" in text
    assert text.count("<circle") == 1 and "for $7,000.00" in text  # the other tracker's cost is unknown
