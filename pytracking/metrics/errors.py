"""What the metrics raise."""

from __future__ import annotations

from collections.abc import Iterable

from ltr.registry import near_names


class MetricError(ValueError):
    """Boxes that no number can be computed from, or an unknown protocol."""


def check_known(kind: str, name: str, known: Iterable[str]) -> None:
    """Raises MetricError, with near names, if ``name`` is none of the ``known`` ones."""
    names = list(known)
    if name not in names:
        raise MetricError(f"unknown {kind} {name!r}.{near_names(name, names)} Known: {', '.join(names)}.")
