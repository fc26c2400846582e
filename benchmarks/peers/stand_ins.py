"""What originals need that a machine of today without a GPU lacks: dropped names, absent packages, one compiled file.

Written for the interfaces that the originals call; nothing of them is here.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
ANY_OBJECT = """
#include <Python.h>
#include <numpy/arrayobject.h>
#define PyArray_NDIM(array) PyArray_NDIM((PyArrayObject*)(array))
#define PyArray_DIM(array, axis) PyArray_DIM((PyArrayObject*)(array), axis)
#define PyArray_DATA(array) PyArray_DATA((PyArrayObject*)(array))
"""


class Anything(types.ModuleType):
    """A module that has every name: each is an empty class. It is enough for imports, and for base classes."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *arguments, **named: None})


def stand_in(*names: str) -> None:
    """Puts empty modules in place of packages that are not installed; ``a.b`` needs ``a`` before it."""
    for name in names:
        if name.partition(".")[0] in sys.modules or importlib.util.find_spec(name.partition(".")[0]) is None:
            module = sys.modules.setdefault(name, Anything(name))
            module.__path__ = []
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, module)


def old_numpy_names() -> None:
    """Gives numpy the names of Python's own types back, which it has dropped."""
    for kind in (int, float, bool, complex, object):
        if kind.__name__ not in vars(np):
            setattr(np, kind.__name__, kind)


def old_scipy_names() -> None:
    """Gives ``scipy.signal`` its windows back, and imports the parts that older versions had at once."""
    import scipy.fftpack
    import scipy.signal

    if not hasattr(scipy.signal, "hann"):
        scipy.signal.hann = scipy.signal.windows.hann


def old_torchvision_names() -> None:
    """Gives torchvision's residual networks their table of addresses back, empty: nothing is downloaded."""
    import torchvision.models.resnet

    if not hasattr(torchvision.models.resnet, "model_urls"):
        torchvision.models.resnet.model_urls = {}


def region_pooling() -> None:
    """Puts this project's precise pooling of regions in place of pytracking's, which runs on GPUs alone."""
    file = REPOSITORY / "ltr" / "models" / "layers" / "prroi_pool.py"
    spec = importlib.util.spec_from_file_location("pooling_of_regions", file)
    assert spec is not None and spec.loader is not None
    own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own)

    import torch

    class PrRoIPool2D(torch.nn.Module):
        """The layer, as pytracking calls it."""

        def __init__(self, height: int, width: int, scale: float) -> None:
            super().__init__()
            self.size, self.scale = (height, width), scale

        def forward(self, features: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
            """Returns the means (regions, C, height, width) of regions (K, 5): number in the batch, and corners."""
            pooled: torch.Tensor = own.prroi_pool2d(features, regions, self.size, self.scale)
            return pooled

    name = "ltr.external"
    for part in ("", ".PreciseRoIPooling", ".pytorch", ".prroi_pool"):
        name += part
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules[name].PrRoIPool2D = PrRoIPool2D  # type: ignore[attr-defined]


def tensors_stay() -> None:
    """Makes ``tensor.cuda()`` the tensor itself, for code that always calls it."""
    import torch

    torch.Tensor.cuda = lambda self, *arguments, **named: self  # type: ignore[method-assign]


def compiled(sources: list[Path], name: str, module: str) -> None:
    """Compiles C++ files into the extension ``name``, in a temporary folder, and imports it as ``module``.

    It may be written for a numpy whose questions about arrays took any object.
    """
    with tempfile.TemporaryDirectory(prefix="peers-") as name_of_folder:
        file = Path(name_of_folder) / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
        first = file.with_name("any_object.h")
        first.write_text(ANY_OBJECT, encoding="utf-8")
        folders = [f"-I{sysconfig.get_paths()['include']}", f"-I{np.get_include()}", f"-I{sources[0].parent}"]
        flags = ["-O3", "-w", "-shared", "-fPIC", "-include", str(first)]
        subprocess.run(["c++", *flags, *folders, *map(str, sources), "-o", str(file)], check=True, stdout=sys.stderr)
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        extension = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(extension)
    sys.modules[module] = extension
