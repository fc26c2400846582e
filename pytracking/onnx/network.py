"""Networks that ONNX Runtime computes, with the methods that trackers ask of torch's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import torch
from torch import Tensor, nn

from pytracking.evaluation.run_key import weights_digest
from pytracking.onnx.about import KINDS, About, OnnxError, find_onnx, needed, read_onnx

if TYPE_CHECKING:
    import onnx

Part = tuple[Sequence[str], Sequence[str]]
"""A part of a graph: the names of the tensors that it begins with, and of those that it ends with."""


class OnnxNetwork(nn.Module):
    """Parts of an ONNX graph. A copy, be it in another process, starts ONNX Runtime anew when it is first called.

    Args:
        model: of a file.
        about: what the file says of itself.
        parts: by name.
    """

    own_precision = True  # what it computes in was said when it was written

    def __init__(self, model: onnx.ModelProto, about: About, parts: Mapping[str, Part]) -> None:
        super().__init__()
        extractor = needed("onnx.utils").Extractor(model)
        self.about = about
        self.parts = parts
        self.models = {
            name: extractor.extract_model(*map(list, part)).SerializeToString() for name, part in parts.items()
        }
        self.sessions: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "sessions": {}}

    def run(self, part: str, *tensors: Tensor) -> list[Tensor]:
        """Returns what a part ends with, on the device of the first tensor.

        Raises:
            OnnxError: a precision other than the file's is asked for, or ``onnxruntime`` is not installed.
        """
        device = tensors[0].device
        if torch.is_autocast_enabled(device.type):
            raise OnnxError(
                f"an ONNX file computes in its own precision, this one in {self.about.precision}: set precision=float32"
            )
        if part not in self.sessions:
            self.sessions[part] = start_session(self.models[part], device)
        names, outputs = self.parts[part]
        fed = {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in zip(names, tensors)}
        return [torch.from_numpy(value).to(device) for value in self.sessions[part].run(list(outputs), fed)]


class OnnxSiamFC(OnnxNetwork):
    """A SiamFC network: :class:`pytracking.tracker.siamfc.SiameseNetwork`."""

    def __init__(self, model: onnx.ModelProto, about: About) -> None:
        parts = {"features": (["images"], ["features"]), "response": (["features", "template"], ["response"])}
        super().__init__(model, about, parts)

    @property
    def stride(self) -> int:
        """Image pixels for one feature cell."""
        return self.about.stride

    def forward(self, images: Tensor) -> Tensor:
        """Returns the features (N, C, h, w) of RGB images (N, 3, H, W) in 0..255."""
        return self.run("features", images)[0]

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        """Returns the responses (N, 1, h, w) of a template (1, C, h, w), or of one for each (N, C, h, w)."""
        if len(template) == 1:
            return self.run("response", search, template)[0]
        pairs = zip(search.split(1), template.split(1))
        return torch.cat([self.run("response", region, one)[0] for region, one in pairs])


class OnnxTransT(OnnxNetwork):
    """A TransT network, whose crops have the sizes that its file was written for."""

    def __init__(self, model: onnx.ModelProto, about: About) -> None:
        parts = {
            "template": (["template"], ["template_features"]),
            "search": (["search"], ["search_features"]),
            "predict": (["template_features", "search_features"], ["logits", "boxes"]),
        }
        super().__init__(model, about, parts)

    def features(self, images: Tensor) -> Tensor:
        """Returns the features (N, C, h, w) of RGB images (N, 3, H, W) in 0..255.

        Raises:
            OnnxError: the images are neither template nor search crops.
        """
        sizes = {self.about.template_size: "template", self.about.search_size: "search"}
        side = int(images.shape[-1])
        if side not in sizes or images.shape[-2] != side:
            told = " and ".join(f"{name}_size={size}" for size, name in sizes.items())
            raise OnnxError(
                f"the ONNX file of {self.about.parameters} was written for {told}, and is given a crop of {side} "
                "pixels: track with these, or export it again with the sizes that are wanted (--set search_size=...)"
            )
        return self.run(sizes[side], images)[0]

    def predict(self, template: Tensor, search: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits (N, cells, 2) and boxes (N, cells, 4): :meth:`ltr.models.tracking.transt.TransT.predict`."""
        logits, boxes = self.run("predict", template, search)
        return logits, boxes


class OnnxDiMPFeatures(OnnxNetwork):
    """The features of a DiMP network. What is learned from them online, and the boxes, are not in the file."""

    def __init__(self, model: onnx.ModelProto, about: About) -> None:
        parts = {"backbone": (["images"], ["layer2", "layer3"]), "classification": (["layer3"], ["classification"])}
        super().__init__(model, about, parts)

    def backbone(self, images: Tensor) -> dict[str, Tensor]:
        """Returns the features ``layer2`` and ``layer3`` of RGB images (N, 3, H, W) in 0..255."""
        near, far = self.run("backbone", images)
        return {"layer2": near, "layer3": far}

    def extract(self, layer3: Tensor) -> Tensor:
        """Returns the classification features of ``layer3``."""
        return self.run("classification", layer3)[0]


NETWORKS = {"siamfc": OnnxSiamFC, "transt": OnnxTransT}
"""Of the kinds that can be tracked with from the file alone."""


def load_onnx(path_or_name: str | Path, tracker: str | None) -> OnnxNetwork:
    """Returns the network of an ONNX file.

    Args:
        path_or_name: a path, or the name of a file in the environment's ``network_dir``.
        tracker: the tracker that asks for it, which is the kind that it must be of; None: one that takes no such file.

    Raises:
        OnnxError: there is no such file, it is damaged, another program's, or holds a network of another kind; or a
            package is not installed.
    """
    model, about = read_onnx(path_or_name)
    if about.kind != tracker or about.kind not in NETWORKS:
        _refuse(find_onnx(path_or_name), about, tracker)
    return _made(NETWORKS[about.kind], model, about, path_or_name)


def load_dimp_features(path_or_name: str | Path, network: nn.Module, crop: int) -> OnnxDiMPFeatures:
    """Returns the features of the ONNX file of a DiMP network.

    Args:
        path_or_name: as of :func:`load_onnx`.
        network: that the file was written from.
        crop: side of the crops in pixels.

    Raises:
        OnnxError: as :func:`load_onnx`, or the file is of another network, or for crops of another size.
    """
    model, about = read_onnx(path_or_name)
    path = find_onnx(path_or_name)
    again = f"export it again: socl export {about.parameters} --format onnx"
    if about.kind != "dimp":
        raise OnnxError(
            f"{path} holds the {KINDS.get(about.kind, about.kind)} network of {about.parameters}, not DiMP's"
        )
    if about.weights != weights_digest(network):
        raise OnnxError(
            f"{path} was written from the network {about.network} of {about.parameters}, which has other weights than "
            f"the one that is tracked with: name that one with network=..., or {again}"
        )
    if about.search_size != crop:
        raise OnnxError(f"{path} was written for image_sample_size={about.search_size}, not {crop}; {again}")
    return _made(OnnxDiMPFeatures, model, about, path)


N = TypeVar("N", bound=OnnxNetwork)


def _made(cls: Callable[[onnx.ModelProto, About], N], model: onnx.ModelProto, about: About, path: str | Path) -> N:
    needed("onnxruntime")
    try:
        return cls(model, about)
    except OnnxError:
        raise
    except Exception as error:  # of onnx, which raises nearly anything
        raise OnnxError(f"{path} has not the tensors of a {KINDS[about.kind]} network: {error}") from error


def _refuse(path: Path, about: About, tracker: str | None) -> NoReturn:
    held = f"{path} holds the {KINDS.get(about.kind, about.kind)} network of {about.parameters}"
    if about.kind in NETWORKS:
        own = (
            f", or export one of {tracker}: socl export {tracker}/PARAMETERS --format onnx"
            if tracker in NETWORKS
            else ""
        )
        raise OnnxError(f"{held}. Track with it as {about.kind}/onnx --set network={path}{own}")
    raise OnnxError(
        f"{held}, of which only the features are in the file: the rest is learned online in torch. "
        f"Track with {about.parameters} --set features={path}"
    )


def start_session(model: bytes, device: torch.device) -> Any:
    """Returns ONNX Runtime's session of a model, on as many threads as torch takes.

    It computes on a GPU where ``device`` is one and the installed package can.
    """
    runtime = needed("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
    providers = [name for name in (*wanted, "CPUExecutionProvider") if name in runtime.get_available_providers()]
    return runtime.InferenceSession(model, options, providers=providers)
