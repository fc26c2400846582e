from __future__ import annotations

import copy
import pickle
from collections import namedtuple

import numpy as np
import pytest
import torch

from ltr.data.tensordict import TensorDict

Pair = namedtuple("Pair", "left right")


def test_a_key_is_an_attribute_and_an_attribute_a_key():
    data = TensorDict(image=torch.ones(2))
    data.anno = torch.zeros(4)
    assert data["anno"] is data.anno and data.image is data["image"]
    del data.anno
    assert list(data) == ["image"]


def test_a_missing_key_names_near_ones():
    with pytest.raises(AttributeError, match="'train_image'.*'train_images'"):
        _ = TensorDict(train_images=1, test_images=2).train_image
    with pytest.raises(AttributeError, match="no key 'x'"):
        del TensorDict().x
    assert not hasattr(TensorDict(), "image")


def test_a_method_name_cannot_be_set_as_attribute():
    with pytest.raises(AttributeError, match=r"data\['items'\]"):
        TensorDict().items = 3


def test_to_moves_tensors_at_any_depth_and_nothing_else():
    data = TensorDict(
        a=torch.ones(2),
        b=[torch.ones(1), {"c": (torch.ones(1), "text")}],
        pair=Pair(torch.ones(1), None),
        inner=TensorDict(x=torch.ones(1)),
        array=np.ones(2),
        name="clip",
    )
    moved = data.to("meta")
    tensors = [moved.a, moved.b[0], moved.b[1]["c"][0], moved.pair.left, moved.inner.x]
    assert all(tensor.device.type == "meta" for tensor in tensors)
    assert isinstance(moved.pair, Pair) and isinstance(moved.inner, TensorDict) and moved.b[1]["c"][1] == "text"
    assert moved.array is data.array and moved.name == "clip"
    assert data.a.device.type == "cpu", "the original stays where it was"


def test_a_dtype_is_for_floating_point_tensors_alone():
    data = TensorDict(image=torch.ones(2), label=torch.ones(2, dtype=torch.long)).to(torch.float64)
    assert data.image.dtype == torch.float64 and data.label.dtype == torch.long


def test_numpy_and_cpu_and_detach_take_tensors_off_the_graph_or_device():
    data = TensorDict(x=torch.ones(2, requires_grad=True) * 2)
    assert isinstance(data.numpy().x, np.ndarray)
    assert data.x.requires_grad and not data.detach().x.requires_grad
    assert data.cpu().x.device.type == "cpu"


def test_apply_leaves_the_type_and_the_other_values():
    data = TensorDict(x=[torch.ones(2, 3)], label="a").apply(lambda tensor: tensor.sum())
    assert isinstance(data, TensorDict) and data.x[0] == 6 and data.label == "a"


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda data: pickle.loads(pickle.dumps(data))])
def test_it_survives_copies_and_the_way_between_processes(clone):
    data = clone(TensorDict(x=torch.arange(3), y=["a"]))
    assert isinstance(data, TensorDict) and data.x.tolist() == [0, 1, 2] and data.y == ["a"]
    assert isinstance(data.copy(), TensorDict)
