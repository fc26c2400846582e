"""Networks by name, and what a checkpoint needs to know to build one again."""

from __future__ import annotations

from typing import Any

from torch import nn

from ltr.registry import NETWORKS, load_plugins

STARTING_POINT = ("pretrained", "weights")
"""Keyword arguments that only say where training starts. A checkpoint's weights replace them, so it leaves them out."""


def build_network(name: str, **kwargs: Any) -> nn.Module:
    """Returns the registered network ``name``, with an attribute ``constructor`` that says how it was built.

    Args:
        name: a name in :data:`ltr.registry.NETWORKS`.
        kwargs: arguments of the registered function: numbers, strings, and lists or dicts of them, so that a
            checkpoint can hold them.

    Raises:
        RegistryError: no such network.
        TypeError: the network has no such argument.
    """
    if name not in NETWORKS:
        load_plugins()
    network: nn.Module = NETWORKS[name](**kwargs)
    kept = {key: value for key, value in kwargs.items() if key not in STARTING_POINT}
    network.constructor = {"network": name, "kwargs": kept}  # type: ignore[assignment]
    return network
