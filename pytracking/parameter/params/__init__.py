"""The base class of every tracker's parameters.

This is a package, not a module, because the registry of parameter sets lists every module of ``pytracking.parameter``.
What never lives here: the parameters of one tracker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

from ltr.registry import near_names

if TYPE_CHECKING:
    import torch

WHEN_LOST: Mapping[str, Any] = {"when_lost": True}
"""Marks fields about lost targets: a calibration does not depend on them, and results not while they have defaults."""


class ParameterError(AttributeError, ValueError):
    """A parameter that does not exist, or whose value cannot be used."""


@dataclasses.dataclass(kw_only=True)
class TrackerParams:
    """What every tracker can be told. A tracker's own parameters are the fields of a dataclass derived from this.

    A name that is not a field is an error with the nearest field's name, be it read, set or overridden, so that a
    misspelt parameter never passes for the default.

    >>> TrackerParams(device="cpu").get("device")
    'cpu'

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``: the first CUDA GPU if there is one, else the CPU.
        seed: of whatever the tracker draws at random.
        lost_below: the confidence under which the target counts as lost; None: what the tracker's calibration says
            (:mod:`pytracking.confidence`), without which there are no confidences.
    """

    OTHER_NAMES: ClassVar[Mapping[str, str]] = {
        "net": "it is called network here",
        "use_gpu": "say device=cuda or device=cpu",
        "debug": "it is an option of the command line",
        "visualization": "it is the option --debug of the command line, or run_video.py",
    }
    """Parameters of pytracking's trackers that have other names here, and what there is in their place."""

    device: str = "auto"
    seed: int = 0
    lost_below: float | None = dataclasses.field(default=None, metadata=WHEN_LOST)

    @property
    def torch_device(self) -> torch.device:
        """The device that ``device`` stands for on this machine; DeviceError where there is none."""
        from ltr.admin.devices import named_device

        return named_device(self.device)

    def has(self, name: str) -> bool:
        """Returns whether there is a parameter of that name with a value other than None."""
        return name in self.names() and getattr(self, name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """Returns the value of the parameter, or ``default`` where that is None.

        Raises ParameterError if there is no parameter of that name: the default never hides a misspelling.
        """
        self._check(name)
        value = getattr(self, name)
        return default if value is None else value

    def set_default_values(self, defaults: Mapping[str, Any]) -> None:
        """Sets the parameters that are None to the given values. Raises ParameterError for an unknown name."""
        for name, value in defaults.items():
            if self.get(name) is None:
                setattr(self, name, value)

    @classmethod
    def names(cls) -> list[str]:
        """Returns the names of all parameters."""
        return [field.name for field in dataclasses.fields(cls)]

    @classmethod
    def names_when_lost(cls) -> list[str]:
        """Returns the names of the parameters about what is done with lost targets."""
        return [field.name for field in dataclasses.fields(cls) if field.metadata.get("when_lost")]

    def check_names(self, names: Iterable[str]) -> None:
        """Raises ParameterError if one of these is no parameter; what follows a dot is not looked at."""
        for name in names:
            self._check(name.partition(".")[0])

    def __getattr__(self, name: str) -> Any:
        # Only reached by names that are not there. Those with underscores are Python's own questions (copy, pickle).
        if not name.startswith("_"):
            self._check(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        self._check(name)
        super().__setattr__(name, value)

    def _check(self, name: str) -> None:
        known = self.names()
        if name in self.OTHER_NAMES and name not in known:
            raise ParameterError(f"{type(self).__name__} has no parameter {name!r}: {self.OTHER_NAMES[name]}.")
        if name not in known:
            raise ParameterError(
                f"{type(self).__name__} has no parameter {name!r}.{near_names(name, known)} It has: {', '.join(known)}."
            )


PRECISIONS = ("float32", "bfloat16", "auto")
"""What a parameter ``precision`` may be: of a network's convolutions. ``bfloat16`` takes about half the time on CPUs
that multiply it in hardware; ``auto`` is that there, and ``float32`` elsewhere. What is done with the features is
computed in float32."""


def autocast(precision: str, device: torch.device, network: object = None) -> AbstractContextManager[Any]:
    """Returns the context in which a network computes in a precision; it can be entered again and again.

    Args:
        precision: see :data:`PRECISIONS`.
        device: where it computes.
        network: one with an attribute ``own_precision`` that is true, such as an ONNX file's, leaves ``auto`` nothing
            to choose.

    Raises:
        ParameterError: there is no such precision, or the device does not have it.
    """
    import torch

    check_precision(precision)
    if precision == "auto" and getattr(network, "own_precision", False):
        return nullcontext()
    kind = number_type(precision, device)
    if kind == torch.float32:
        return nullcontext()
    try:
        # What is recorded as a CUDA graph must not depend on what is cached while it is recorded.
        return torch.autocast(device.type, kind, cache_enabled=device.type != "cuda")
    except RuntimeError as error:
        raise ParameterError(f"precision is {precision!r}, but {device} has none: {error}") from error


def number_type(precision: str, device: torch.device) -> torch.dtype:
    """Returns float32 or bfloat16, whichever a precision stands for on a device.

    Raises:
        ParameterError: there is no such precision.
    """
    import torch

    check_precision(precision)
    coarse = multiplies_bfloat16(device) if precision == "auto" else precision == "bfloat16"
    return torch.bfloat16 if coarse else torch.float32


def multiplies_bfloat16(device: torch.device) -> bool:
    """Returns whether a device is a CPU that multiplies bfloat16 in hardware; others were not measured."""
    if device.type != "cpu":
        return False
    import torch

    # torch has no public question for it; without its own, the answer is no.
    known = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(bool(ask()) for ask in known if ask is not None)


def check_precision(precision: str) -> None:
    """Raises ParameterError if this is none of :data:`PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ParameterError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, not {precision!r}")
