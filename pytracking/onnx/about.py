"""What an ONNX file says of itself, and reading a file: whole, of this project, and of the right kind."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

SUFFIX = ".onnx"
PREFIX = "pytracking."  # of the names in the file's metadata
DIGEST = f"{PREFIX}sha256"
KINDS = {"siamfc": "SiamFC", "transt": "TransT", "dimp": "DiMP"}
"""Kinds of networks that can be written, and what people call them."""


class OnnxError(ValueError):
    """A network that cannot be written as ONNX, or an ONNX file that cannot be tracked with."""


@dataclass(frozen=True)
class About:
    """What a file says of its network, in its metadata.

    Attributes:
        kind: of the network, one of :data:`KINDS`, which is also the name of its tracker.
        parameters: the parameter set that it is tracked with, such as ``siamfc/socl_res18``.
        network: how that names its network: a recipe or file, or the registered network.
        weights: digest of the network's weights before they were folded.
        stride: image pixels for one feature cell.
        template_size: side of the template crop in pixels, 0 if it has none.
        search_size: side of the search crop in pixels.
        precision: ``float32`` or ``int8``.
    """

    kind: str
    parameters: str
    network: str
    weights: str
    stride: int
    template_size: int
    search_size: int
    precision: str = "float32"


def needed(package: str) -> Any:
    """Returns the module of an optional package.

    Raises:
        OnnxError: it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise OnnxError(
            f"ONNX files need the package {name}, which is not installed: pip install onnx onnxruntime"
        ) from error


def stamp(model: onnx.ModelProto, about: About) -> None:
    """Writes into a model's metadata what it is, and a digest of that and of the graph with its weights."""
    values = {f"{PREFIX}{name}": str(value) for name, value in dataclasses.asdict(about).items()}
    del model.metadata_props[:]
    for key, value in {**values, DIGEST: _digest(model, values)}.items():
        model.metadata_props.add(key=key, value=value)


def read_onnx(path_or_name: str | Path) -> tuple[onnx.ModelProto, About]:
    """Returns a file's model, and what it says of itself.

    Args:
        path_or_name: a path, or the name of a file in the environment's ``network_dir``.

    Raises:
        OnnxError: there is no such file, it is damaged, or another program wrote it; or ``onnx`` is not installed.
    """
    onnx = needed("onnx")
    path = find_onnx(path_or_name)
    try:
        model = onnx.load_model(str(path), load_external_data=False)  # a file of ours names no others
    except OSError:
        raise
    except Exception as error:  # protobuf's own error
        raise OnnxError(f"{path} is no ONNX file, or is damaged. Export it again, or copy it again.") from error
    values = {entry.key: entry.value for entry in model.metadata_props}
    fields = {field.name: field.type for field in dataclasses.fields(About)}
    missing = [name for name in fields if f"{PREFIX}{name}" not in values]
    if missing or DIGEST not in values:
        told = f"It was written by {model.producer_name}. " if model.producer_name else ""
        raise OnnxError(
            f"{path} was not written by this project: it does not say what it holds. {told}"
            "Write one with: socl export TRACKER/PARAMETERS --format onnx"
        )
    ours = {f"{PREFIX}{name}": values[f"{PREFIX}{name}"] for name in fields}
    if _digest(model, ours) != values[DIGEST]:
        raise OnnxError(f"{path} is damaged or was changed: its sha256 is not the one in it. Export or copy it again.")
    texts = {name: values[f"{PREFIX}{name}"] for name in fields}
    typed: dict[str, Any] = {name: int(text) if fields[name] == "int" else text for name, text in texts.items()}
    return model, About(**typed)


def find_onnx(path_or_name: str | Path) -> Path:
    """Returns the file that a path or a name stands for.

    Raises:
        OnnxError: there is none; the message says where it was looked for and how to write it.
    """
    from ltr.admin.environment import load_environment

    path = Path(path_or_name).expanduser()
    candidates = [path, load_environment().network_dir / path]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked_for = " and ".join(str(place) for place in dict.fromkeys(candidates))
    raise OnnxError(
        f"there is no ONNX file {path_or_name}: looked for {looked_for}. "
        "Write one with: socl export TRACKER/PARAMETERS --format onnx, and name it with network=FILE.onnx"
    )


def is_onnx(network: object) -> bool:
    """Returns whether a tracker's ``network`` names an ONNX file."""
    return isinstance(network, (str, Path)) and Path(network).suffix == SUFFIX


def _digest(model: onnx.ModelProto, values: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    digest.update(repr((model.ir_version, [(entry.domain, entry.version) for entry in model.opset_import])).encode())
    digest.update(model.graph.SerializeToString(deterministic=True))
    return digest.hexdigest()
