"""For the site: docstrings become Markdown (fences around examples after >>>, code in place of roles)."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|meth|data|mod|attr|exc):`~?([^`]+)`")


def as_markdown(text: str) -> str:
    """Returns a docstring with fences around its examples, and code in place of roles."""
    lines: list[str] = []
    inside = False
    for line in ROLE.sub(r"`\1`", text).splitlines():
        if line.lstrip().startswith(">>>") and not inside:
            lines.append("```pycon")
            inside = True
        elif inside and not line.strip():
            lines.append("```")
            inside = False
        lines.append(line.split("  # doctest:")[0].split(" # doctest:")[0])
    return "\n".join([*lines, "```"] if inside else lines)


class Docstrings(griffe.Extension):
    """Rewrites each docstring of a package once it is read."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Rewrites the docstrings of a package and of what is in it."""
        rewrite(pkg)


def rewrite(found: griffe.Object) -> None:
    """Rewrites the docstrings of a module, class, function or attribute, and of its members."""
    if found.docstring:
        found.docstring.value = as_markdown(found.docstring.value)
    for member in found.members.values():
        if not member.is_alias:
            rewrite(member)
