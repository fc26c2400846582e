"""Which version of the project computes: its number, and the commit of a checkout."""

from __future__ import annotations

import importlib.metadata
import subprocess
from functools import cache
from pathlib import Path

PROJECT = "pytracking-socl"
ROOT = Path(__file__).resolve().parents[2]
LONGEST = 10.0  # seconds that git may take


@cache
def code_version() -> dict[str, str]:
    """Returns ``pytracking-socl``, the version, and ``commit``, the checkout's, where there is one.

    Of changed files under git's care, ``+ changes`` tells.
    """
    try:
        version = importlib.metadata.version(PROJECT)
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    commit = _git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None
    if commit is None:
        return {PROJECT: version}
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {PROJECT: version, "commit": commit + (" + changes" if changed else "")}


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=LONGEST, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
