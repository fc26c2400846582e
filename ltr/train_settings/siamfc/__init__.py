"""Recipes of SiamFC that learn from boxes: the baselines that learning from clicks is held against."""
