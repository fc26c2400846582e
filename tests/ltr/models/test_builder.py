from __future__ import annotations

from types import ModuleType

import pytest

from ltr.models.builder import build_network
from ltr.registry import NETWORKS, RegistryError


def test_a_network_says_how_it_was_built(toy: ModuleType) -> None:
    net = build_network("toy", width=7)
    assert net.hidden.out_features == 7
    assert net.constructor == {"network": "toy", "kwargs": {"width": 7}}


def test_the_place_where_training_starts_is_no_part_of_how_a_network_is_built(
    toy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NETWORKS, "_entries", dict(NETWORKS._entries))  # it is there for this test only

    @NETWORKS.register("toy_from_weights")
    def toy_from_weights(width: int, pretrained: bool = False) -> object:
        return toy.ToyNet(width)

    net = build_network("toy_from_weights", width=7, pretrained=True)
    assert net.constructor == {"network": "toy_from_weights", "kwargs": {"width": 7}}


def test_an_unknown_network_is_an_error_with_near_names(toy: ModuleType) -> None:
    with pytest.raises(RegistryError, match="unknown network 'toi'.*'toy'"):
        build_network("toi")


def test_an_unknown_argument_is_an_error(toy: ModuleType) -> None:
    with pytest.raises(TypeError, match="widht"):
        build_network("toy", widht=3)
