"""Measurements of time, memory and agreement, each a command of its own: ``python benchmarks/NAME.py --help``."""
