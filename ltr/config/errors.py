"""What is wrong with a setting."""

from __future__ import annotations


class SettingsError(ValueError):
    """A setting that does not exist, or a value that does not fit it."""
