"""The metrics under the name that scripts and plugins import them by; they live in :mod:`pytracking.metrics`."""

from pytracking.metrics import *  # noqa: F403
