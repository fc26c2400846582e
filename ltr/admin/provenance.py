"""Which version of the project computes: its number, and the commit of a checkout."""

from __future__ import annotations

import importlib.metadata
import subprocess
from functools import cache

from ltr.admin.environment import ROOT

PROJECT = "pytracking-socl"


@cache
def commit() -> str:
    """Returns the short name of the checkout's commit, with ``+`` where files differ from it; empty if it has none."""
    if not (ROOT / ".git").exists():  # installed below some other checkout, whose commit says nothing
        return ""
    try:
        git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


@cache
def code_version() -> dict[str, str]:
    """Returns ``pytracking-socl``, the version, and ``commit``, where there is one."""
    try:
        version = importlib.metadata.version(PROJECT)
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return {PROJECT: version, **({"commit": commit()} if commit() else {})}
