"""One self-contained page that shows a report: tables that sort, plots, strips of frames with boxes.

What lives here: the page, its inline SVG and JPEG, its style and script. What never does: numbers' arithmetic.
"""

from __future__ import annotations

from pytracking.analysis.html.page import write_html

__all__ = ["write_html"]
