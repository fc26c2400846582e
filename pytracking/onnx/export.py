"""Writing a network as one ONNX file, after comparing what it gives with what torch gives."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ltr.admin.files import write_bytes_atomically
from ltr.models.tracking.siamfcnet import SiamFCNet
from pytracking.onnx.about import About, OnnxError, needed, stamp
from pytracking.onnx.graphs import Graph, example_inputs, graph_of

if TYPE_CHECKING:
    import onnx

OPSET = 17  # the first with layer normalisation
LARGEST_DIFFERENCE = 1e-4
"""Of a number that the graph gives from torch's, over the largest number of that tensor, or over 1 if that is less."""

Quantise = Callable[["onnx.ModelProto"], "onnx.ModelProto"]


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: of the file.
        size: in bytes.
        difference: largest difference from torch's numbers, as :data:`LARGEST_DIFFERENCE` has it.
    """

    path: Path
    size: int
    difference: float


def export_onnx(network: nn.Module, about: About, out: Path, quantise: Quantise | None = None) -> Exported:
    """Writes a network as an ONNX file, whole or not at all.

    Args:
        network: of SiamFC, TransT or DiMP.
        about: what the file is to say of itself.
        out: the file.
        quantise: makes the traced network one of 8-bit numbers; SiamFC's correlation stays as it is.

    Raises:
        OnnxError: ``onnx`` or ``onnxruntime`` is not installed, or a graph of 32-bit numbers gives others than torch.
        WriteError: the file cannot be written.
    """
    needed("onnx"), needed("onnxruntime")
    graph = graph_of(network, about.template_size, about.search_size)
    images, expected = torch_numbers(graph)
    model = traced(graph)
    if quantise is not None:
        model = quantise(model)
        about = replace(about, precision="int8")
    if about.kind == "siamfc":
        add_correlation(model, expected["features"].shape[1], graph.response_scale)
    model.producer_name = "pytracking-socl"
    stamp(model, about)
    needed("onnx").checker.check_model(model, full_check=True)
    difference = largest_difference(model, images, expected)
    if quantise is None and difference > LARGEST_DIFFERENCE:
        raise OnnxError(f"nothing was written: the graph's numbers differ from torch's by {difference:.1e}")
    content = model.SerializeToString(deterministic=True)
    write_bytes_atomically(out, content)
    return Exported(out, len(content), difference)


def traced(graph: Graph) -> onnx.ModelProto:
    """Returns a graph's module as ONNX.

    torch's newer exporter needs a further package (``onnxscript``), so it is the one that traces.
    """
    content: Any = io.BytesIO()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # a fused attention that ONNX has no operator for
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the older exporter, and of checks of sizes that tracing fixes
            torch.onnx.export(
                graph.module.eval(),
                tuple(example_inputs(graph)),
                content,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_axes={name: dict(axes) for name, axes in graph.axes.items()},
                opset_version=OPSET,
                dynamo=False,
            )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
    model: onnx.ModelProto = needed("onnx").load_model_from_string(content.getvalue())
    for output in [output for output in model.graph.output if output.name in graph.inner]:
        model.graph.value_info.append(output)
        model.graph.output.remove(output)
    _unshare(model)
    return model


def _unshare(model: onnx.ModelProto) -> None:
    """Gives equal weights a tensor each: the tracer keeps one and nodes that hand it on, where quantisation stops."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in [node for node in model.graph.node if node.op_type == "Identity" and node.input[0] in weights]:
        model.graph.initializer.add().CopyFrom(weights[node.input[0]])
        model.graph.initializer[-1].name = node.output[0]
        model.graph.node.remove(node)


def add_correlation(model: onnx.ModelProto, channels: int, scale: float | None) -> None:
    """Adds to a graph from ``images`` to ``features`` what gives the ``response`` of templates in them.

    A template is the ``features`` of a template crop, so the input ``template`` has the shape (targets, C, h, w), and
    the output ``response`` the shape (batch, targets, rows, columns): every template in every image. For the template
    itself the graph is run with any template, such as zeros (1, C, 1, 1).

    Args:
        model: is changed.
        channels: of the features.
        scale: factor on the sum over the template; None: one over the number of its cells.
    """
    onnx = needed("onnx")
    make, single = onnx.helper, onnx.TensorProto.FLOAT
    (features,) = model.graph.output
    features.type.tensor_type.shape.dim[1].dim_value = channels  # which tracing may have lost
    nodes = [make.make_node("Conv", ["features", "template"], ["correlation"], "correlate")]
    if scale is None:
        nodes += [
            make.make_node("Shape", ["template"], ["template_shape"], "template_shape", start=2, end=4),
            make.make_node("ReduceProd", ["template_shape"], ["template_cells"], "template_cells", keepdims=0),
            make.make_node("Cast", ["template_cells"], ["cells"], "cells", to=single),
            make.make_node("Div", ["correlation", "cells"], ["response"], "mean"),
        ]
    else:
        model.graph.initializer.append(make.make_tensor("response_scale", single, [], [scale]))
        nodes.append(make.make_node("Mul", ["correlation", "response_scale"], ["response"], "scale"))
    model.graph.node.extend(nodes)
    shape = ["targets", channels, "template_rows", "template_columns"]
    model.graph.input.append(make.make_tensor_value_info("template", single, shape))
    shape = ["batch", "targets", "response_rows", "response_columns"]
    model.graph.output.append(make.make_tensor_value_info("response", single, shape))


def torch_numbers(graph: Graph) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns inputs of a graph by name, images of noise, and what torch gives for them.

    Of SiamFC the middle of the first image's features is the template, and the ``response`` is among what torch gives,
    in 64 bits: some processors' sums of that many terms in 32 bits are off by more than what is looked for.
    """
    inputs = dict(zip(graph.inputs, example_inputs(graph)))
    with torch.no_grad():
        given = graph.module(*inputs.values())
        outputs = dict(zip(graph.outputs, [given] if isinstance(given, Tensor) else given))
        if isinstance(graph.module, SiamFCNet):
            inputs["template"] = outputs["features"][:1, :, 1:-1, 1:-1].contiguous()
            exact = graph.module.correlate(inputs["template"].double(), outputs["features"].double())
            outputs["response"] = exact.float()
    return inputs, outputs


def largest_difference(model: onnx.ModelProto, inputs: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> float:
    """Returns the largest difference of what a model gives from what torch gives, see :class:`Exported`."""
    session = needed("onnxruntime").InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    given: list[Any] = session.run(names, {name: value.numpy() for name, value in inputs.items()})
    return max(
        float((torch.from_numpy(value) - expected[name]).abs().max() / expected[name].abs().max().clamp(min=1.0))
        for name, value in zip(names, given)
    )
