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
    text = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", text)  # lets the test's own script run
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


def with_dollars(report: Report, *dollars: float | None) -> Report:
    """The report with a plugin's column, of which None is unknown."""
    [part] = report.parts
    rows = [replace(row, more={} if cost is None else {"dollars": cost}) for row, cost in zip(part.rows, dollars)]
    return replace(report, parts=[replace(part, rows=rows)])


def test_a_plugins_column_stands_beside_the_auc(report: Report, tmp_path: Path) -> None:
    write_html(with_dollars(report, 7000.0, None), tmp_path / "priced.html", strips=0)
    text = (tmp_path / "priced.html").read_text(encoding="utf-8")
    assert ">7,000.00</td>" in text and text.count('<td class="number">-</td>') == 1
    assert text.count("<circle") == 1 and "at 7,000.00 dollars" in text  # the other tracker's is unknown


@pytest.mark.parametrize("dollars", [(0.6, 1.0), (0.6, 60.0), (0.0, 5.0), (0.02, 0.03)])
def test_a_number_stands_where_its_axis_says(report: Report, tmp_path: Path, dollars: tuple[float, float]) -> None:
    write_html(with_dollars(report, *dollars), tmp_path / "priced.html", strips=0)
    text = (tmp_path / "priced.html").read_text(encoding="utf-8")
    chart = text[text.index('aria-label="AUC by dollars"') :]
    chart = chart[: chart.index("</svg>")]
    ticks = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">([\d.]+)(k?)</text>', chart)
    axis = {float(value) * (1000 if kilo else 1): float(x) for x, value, kilo in ticks}
    for value, x in zip(dollars, re.findall(r'<circle cx="([\d.]+)"', chart)):
        if value == 0:
            assert float(x) == axis[0] < min(x for tick, x in axis.items() if tick)
            continue
        low, high = (max(t for t in axis if 0 < t <= value), min(t for t in axis if t >= value))
        share = 0 if low == high else np.log(value / low) / np.log(high / low)
        assert float(x) == pytest.approx(axis[low] + share * (axis[high] - axis[low]), abs=0.11)


def test_the_page_runs_its_own_script_only(page: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("</body>", "<script>document.title = 'taken'</script></body>")
    page.write_text(text, encoding="utf-8")
    found = open_page(page)
    assert "<title>taken</title>" not in found and 'aria-sort="descending"' in found
