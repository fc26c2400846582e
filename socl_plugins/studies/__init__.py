"""Studies: the comparisons of the papers, each a few recipes over seeds, trained and tested alike."""

from socl_plugins.studies.study import Cell, Row, Study

__all__ = ["Cell", "Row", "Study"]
