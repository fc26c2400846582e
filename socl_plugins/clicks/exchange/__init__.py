"""Clicks from and for other tools: a small module for each format, and what they have in common.

``marks`` is what formats are read to and written from, ``table`` lists the formats, ``transfer`` brings marks into a
folder of clips and out of it. A format's module knows nothing of clips.
"""
