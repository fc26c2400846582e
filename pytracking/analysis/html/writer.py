"""The one writer of web pages: Jinja2 with automatic escaping, into files that need nothing but a browser."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from ltr.admin.files import write_bytes_atomically


def write_page(path: Path, template: str, title: str, content: Mapping[str, object], script: str = "") -> None:
    """Writes a page that holds its style, script and pictures itself.

    Text is escaped unless it is ``markupsafe.Markup``. Whatever it holds, the page's Content-Security-Policy lets it
    load nothing, send nothing, and run nothing but its own script.

    Args:
        path: the file to write.
        template: a file beside this one, which extends ``base.html``.
        title: of the page.
        content: what the template names. A name that it does not have is an error.
        script: a file beside this one; empty for a page without script.

    Raises:
        WriteError: the file cannot be written.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_text), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    code = _text(script) if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    allowed = f"'sha256-{digest}'" if code else "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    base = {"title": title, "policy": policy, "style": _text("pages.css"), "script": code}
    page = environment.get_template(template).render({**base, **content})
    write_bytes_atomically(path, page.encode())


def data_url(content: bytes, kind: str) -> str:
    """Returns a file as an address that holds it.

    >>> data_url(b"<svg/>", "image/svg+xml")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _text(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
