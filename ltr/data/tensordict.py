"""The container that travels from sampler to actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ltr.registry import near_names


class TensorDict(dict[str, Any]):
    """A dict whose keys are attributes too, and whose tensors move and change together.

    Lists, tuples and dicts inside it are followed to any depth; what is no tensor stays as it is.

    >>> data = TensorDict(image=torch.zeros(2, 3), name="a", nested=[torch.ones(2)])
    >>> data.to(torch.float64).nested[0].dtype, data.name
    (torch.float64, 'a')
    """

    def __missing__(self, name: str) -> Any:
        known = [str(key) for key in self]
        raise KeyError(
            f"a batch or sample has no {name!r}, which is asked of it; it has: {', '.join(known) or 'nothing'}. Do the "
            "recipe's labels, processing and actor belong together?"
        )

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            known = [str(key) for key in self]
            near = near_names(name, known)
            raise AttributeError(f"there is no key {name!r}.{near} Known: {', '.join(known) or 'none'}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a method of TensorDict; store the value with data[{name!r}] = ...")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"there is no key {name!r}") from None

    def copy(self) -> TensorDict:
        """Returns a shallow copy."""
        return type(self)(self)

    def apply(self, function: Callable[[torch.Tensor], Any]) -> TensorDict:
        """Returns a new TensorDict with ``function`` applied to every tensor in it."""
        return type(self)({key: _map_tensors(value, function) for key, value in self.items()})

    def to(self, target: torch.device | torch.dtype | str, non_blocking: bool = False) -> TensorDict:
        """Returns it with every tensor moved to a device, or every floating-point tensor cast to a dtype.

        On ``mps``, which has no float64, such tensors become float32.
        """
        if isinstance(target, torch.dtype):
            return self.apply(lambda tensor: tensor.to(target) if tensor.is_floating_point() else tensor)
        if torch.device(target).type == "mps":
            return self.apply(lambda t: (t.float() if t.dtype == torch.float64 else t).to(target))
        return self.apply(lambda tensor: tensor.to(target, non_blocking=non_blocking))

    def cpu(self) -> TensorDict:
        """Returns it with every tensor in main memory."""
        return self.to("cpu")

    def detach(self) -> TensorDict:
        """Returns it with every tensor cut off from its gradient graph."""
        return self.apply(torch.Tensor.detach)

    def numpy(self) -> TensorDict:
        """Returns it with every tensor as an array in main memory."""
        return self.apply(_to_array)


def _to_array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _map_tensors(value: Any, function: Callable[[torch.Tensor], Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, TensorDict):
        return value.apply(function)
    if isinstance(value, dict):
        return {key: _map_tensors(item, function) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple takes its fields one by one
        return type(value)(*(_map_tensors(item, function) for item in value))
    if isinstance(value, (list, tuple)):
        return type(value)(_map_tensors(item, function) for item in value)
    return value
