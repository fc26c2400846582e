"""What a person gives: single clicks, with or without noise. Whatever is computed from them lives elsewhere."""

from socl_plugins.labels.points import PointAnnotated, write_points

__all__ = ["PointAnnotated", "write_points"]
