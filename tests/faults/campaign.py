"""Runs the campaign and writes its table into the docs: ``python tests/faults/campaign.py``."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "reliability.md"
MARKS = "<!-- counts -->", "<!-- end of counts -->"


def main() -> int:
    """Runs the campaign, and returns pytest's exit status."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.md"
        os.environ["FAULT_TABLE"] = str(table)
        start = time.perf_counter()
        status = pytest.main(["-m", "campaign", str(Path(__file__).parent), *sys.argv[1:]])
        minutes = (time.perf_counter() - start) / 60
        if table.is_file():
            seed = os.environ.get("FAULT_SEED", "0")
            head = f"Seed {seed}, {minutes:.0f} minutes on {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}."
            text = f"{MARKS[0]}\n{head}\n\n{table.read_text(encoding='utf-8')}{MARKS[1]}"
            page = PAGE.read_text(encoding="utf-8")
            PAGE.write_text(re.sub(f"{MARKS[0]}.*{MARKS[1]}", lambda _: text, page, flags=re.DOTALL), encoding="utf-8")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
