"""Means of the numbers that steps report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class AverageMeter:
    """The running mean of one number.

    >>> meter = AverageMeter()
    >>> meter.update(1.0); meter.update(2.0)
    >>> meter.average
    1.5
    """

    total: float = 0.0
    count: int = 0

    def update(self, value: float) -> None:
        """Takes in one more value."""
        self.total += value
        self.count += 1

    @property
    def average(self) -> float:
        """The mean so far; NaN before the first value."""
        return self.total / self.count if self.count else float("nan")
