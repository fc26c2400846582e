"""Web pages that hold all that they show: of a report (tables that sort, plots, strips of frames), and of pictures.

What lives here: the writer of pages, their templates, style and script. What never does: numbers' arithmetic.
"""

from __future__ import annotations

from pytracking.analysis.html.page import write_html
from pytracking.analysis.html.writer import data_url, write_page

__all__ = ["data_url", "write_html", "write_page"]
