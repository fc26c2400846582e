"""Boxes made by machine from what people gave. What people give, and what it costs, is the business of ``labels``."""

from socl_plugins.pseudo_label.top_map_boxes import PseudoBoxAnnotated, box_from_map, pseudo_box

__all__ = ["PseudoBoxAnnotated", "box_from_map", "pseudo_box"]
