"""What a module holds and says of itself, read from its source: listings need no import of torch."""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def first_line(text: str | None) -> str:
    """Returns the first line of a docstring as a listing shows it, or an empty text for none.

    >>> first_line(" What ``run`` does.\\n\\n    More of it.")
    'What `run` does.'
    """
    return (text or "").strip().partition("\n")[0].rstrip().replace("``", "`")


def described_in_source(module: str, attribute: str = "") -> str:
    """Returns the first line of the docstring of a module's function or class, or else of the module's own.

    Args:
        module: its dotted name. It is not imported.
        attribute: the name of the function or class; by default the module itself.

    Raises:
        ImportError, SyntaxError: there is no such module, or it is not Python.
    """
    tree = _tree(module)
    for node in tree.body:
        if isinstance(node, _DEFINITIONS) and node.name == attribute and ast.get_docstring(node):
            return first_line(ast.get_docstring(node))
    return first_line(ast.get_docstring(tree))


def public_functions(module: str) -> list[str]:
    """Returns the names of the functions that a module defines, without those that begin with an underscore."""
    functions = (node.name for node in _tree(module).body if isinstance(node, ast.FunctionDef))
    return [name for name in functions if not name.startswith("_")]


def _tree(module: str) -> ast.Module:
    path = _source_file(module)
    return _parsed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _parsed(path: Path, changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _source_file(module: str) -> Path:
    if module in sys.modules and sys.modules[module].__file__:
        return Path(str(sys.modules[module].__file__))
    parts = module.split(".")
    spec = importlib.util.find_spec(parts[0])  # of the whole name it would import every package on the way
    places = [] if spec is None else spec.submodule_search_locations or [spec.origin or ""]
    for place in places:
        base = Path(place).parent.joinpath(*parts)
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                return file
    raise ImportError(f"there is no source of the module {module}")
