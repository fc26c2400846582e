"""docs/papers.md: each place of the papers has its code, and the code that it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
REFERENCE = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")
VERDICTS = ("same", "ours", "cannot here", "as in the release", "thresholds are the release's")


def tables() -> dict[str, list[list[str]]]:
    """The cells of each row, by the heading of the table."""
    text = (REPOSITORY / "docs/papers.md").read_text("utf-8")
    found = {}
    for section in text.split("\n## ")[1:]:
        lines = [line for line in section.splitlines() if line.startswith("| ")]
        found[section.splitlines()[0]] = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    """What a file defines: functions, classes, assigned names, arguments, and those that it calls others with."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, (ast.arg, ast.keyword)) and node.arg is not None:
            names.add(node.arg)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return frozenset(names)


def test_each_paper_has_its_table_with_every_equation() -> None:
    found = tables()
    assert list(found) == ["SoCL", "DiMP", "PUL"]
    for paper, equations in {"SoCL": range(1, 11), "DiMP": range(1, 10), "PUL": range(1, 6)}.items():
        told: set[int] = set()
        for place, *_ in found[paper]:
            for first, _, last, second in re.findall(r"eq\. S?(\d+)( to (\d+))?(?:, S?(\d+))?", place):
                told |= set(range(int(first), int(last or first) + 1)) | ({int(second)} if second else set())
        assert set(equations) <= told, paper


@pytest.mark.parametrize("paper", ["SoCL", "DiMP", "PUL"])
def test_each_row_says_where_the_code_is_and_whether_it_is_the_same(paper: str) -> None:
    for row in tables()[paper]:
        assert len(row) == 4, row
        assert REFERENCE.search(row[2]), row
        assert any(verdict in row[3] for verdict in VERDICTS), row


def test_each_code_reference_exists() -> None:
    references = set(REFERENCE.findall((REPOSITORY / "docs/papers.md").read_text("utf-8")))
    assert len(references) > 80
    for file, name in sorted(references):
        assert (REPOSITORY / file).is_file(), file
        assert not name or name in names_in(REPOSITORY / file), f"{file} has no {name}"
