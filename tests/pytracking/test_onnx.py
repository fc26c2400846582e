"""ONNX files hold the networks that they were written from, and each other file is refused with the fix."""

from __future__ import annotations

import copy
import pickle
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ltr.models.builder import build_network
from ltr.models.fold import folded
from pytracking.evaluation import SequenceResult, Tracker, get_dataset
from pytracking.evaluation.run_key import weights_digest
from pytracking.onnx import __main__ as command
from pytracking.onnx.about import About, OnnxError, read_onnx, stamp
from pytracking.onnx.export import Exported, export_onnx
from pytracking.onnx.network import OnnxSiamFC, load_onnx
from pytracking.onnx.quantise import crops_of, quantised
from pytracking.registry import TRACKERS
from pytracking.tracker.dimp import DiMPParams
from pytracking.tracker.siamfc import SiamFCParams
from pytracking.tracker.transt import TransTParams
from socl_plugins import command as socl

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

SMALL_TRANST = {"channels": 32, "heads": 2, "hidden": 32, "fusion_layers": 1}
SIAMESE = {
    "features as they are": ("siamfc_resnet18", {"normalise": False}),
    "unit vectors": ("siamfc_resnet18", {"projection": True, "calibrated": True}),
    "AlexNet": ("siamfc_alexnet", {}),
    "ResNet-22, which crops": ("siamfc_resnet22", {}),
}


def network(name: str, **arguments: Any) -> nn.Module:
    """A network whose batch norms do something."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        made = build_network(name, **arguments)
        for module in made.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 2.0)  # type: ignore[arg-type]
                nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
    return made.eval()


def exported(net: nn.Module, kind: str, path: Path, template: int = 127, search: int = 255) -> Exported:
    return export_onnx(net, About(kind, f"{kind}/mine", "mine", "0", int(net.stride), template, search), path)  # type: ignore[arg-type]


def images(count: int, size: int, seed: int = 0) -> Tensor:
    return 255 * torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def close(given: Tensor, expected: Tensor) -> None:
    assert given.shape == expected.shape
    assert float((given - expected).abs().max()) <= 1e-4 * max(1.0, float(expected.abs().max()))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SiamFC network's file."""
    return exported(network("siamfc_resnet18"), "siamfc", tmp_path_factory.mktemp("onnx") / "siamfc.onnx").path


@pytest.fixture(scope="module")
def transt(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A small TransT network, and its file."""
    net = network("transt18", **SMALL_TRANST)
    return net, exported(net, "transt", tmp_path_factory.mktemp("onnx") / "transt.onnx", 64, 128).path


@pytest.mark.parametrize("title", SIAMESE)
@torch.no_grad()
def test_features_and_responses_are_torchs(title: str, tmp_path: Path) -> None:
    name, arguments = SIAMESE[title]
    net: Any = network(name, **arguments)
    assert exported(net, "siamfc", tmp_path / "net.onnx").difference < 1e-4
    theirs: Any = load_onnx(tmp_path / "net.onnx", "siamfc")
    assert theirs.stride == net.stride
    template = net(images(1, 127))
    close(theirs(images(1, 127)), template)
    for count, size in ((1, 255), (3, 207)):  # any number of crops, of any size
        search = net(images(count, size, seed=count))
        close(theirs(images(count, size, seed=count)), search)
        close(theirs.correlate(template, search), net.correlate(template, search))
    templates = net(images(3, 127, seed=7))  # one for each
    close(theirs.correlate(templates, search), net.correlate(templates, search))


@torch.no_grad()
def test_one_call_of_the_file_gives_the_responses_of_several_targets(file: Path) -> None:
    net: Any = network("siamfc_resnet18")
    search, templates = images(2, 255), net(images(3, 127, seed=1))
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (given,) = session.run(["response"], {"images": search.numpy(), "template": templates.numpy()})
    for target in range(3):
        close(
            torch.from_numpy(given[:, target : target + 1]), net.correlate(templates[target : target + 1], net(search))
        )
    none = np.zeros((1, templates.shape[1], 1, 1), np.float32)  # what is given where there is no template yet
    close(torch.from_numpy(session.run(["features"], {"images": search.numpy(), "template": none})[0]), net(search))


@torch.no_grad()
def test_transt_is_one_graph_from_two_images(transt: tuple[nn.Module, Path]) -> None:
    net, path = transt
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [entry.name for entry in session.get_inputs()] == ["template", "search"]
    assert [entry.name for entry in session.get_outputs()] == ["logits", "boxes"]
    for targets, count in ((1, 1), (1, 3), (3, 3)):  # one template for all, or one for each
        template, search = images(targets, 64), images(count, 128, seed=1)
        given = session.run(None, {"template": template.numpy(), "search": search.numpy()})
        for ours, theirs in zip(given, net(template, search)):
            close(torch.from_numpy(ours), theirs)


@pytest.fixture(scope="module")
def dimp(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A DiMP network, and its file."""
    net, path = network("dimpnet18"), tmp_path_factory.mktemp("onnx") / "dimp.onnx"
    export_onnx(net, About("dimp", "dimp/mine", "mine", weights_digest(net), 16, 0, 96), path)
    return net, path


@torch.no_grad()
def test_of_dimp_the_features_are_written(dimp: tuple[Any, Path]) -> None:
    net, path = dimp
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    crops = images(3, 96)
    layers = net.extract_backbone(crops)
    near, far = layers["layer2"], layers["layer3"]
    wanted = [near, far, net.classifier.extract(far), *net.bb_regressor.iou_features((near, far))]
    for given, expected in zip(session.run(None, {"images": crops.numpy()}), wanted, strict=True):
        close(torch.from_numpy(given), expected)


def both(kind: str, params: Any, path: Path, frames: int) -> list[SequenceResult]:
    """What torch and ONNX Runtime make of an embedded video."""
    sequence = get_dataset("synthetic")[0].shortened(frames)
    tracker = Tracker(kind, "onnx")
    return [tracker.run_sequence(sequence, own) for own in (params, replace(params, network=path))]


def test_dimp_learns_from_features_of_its_file(dimp: tuple[Any, Path]) -> None:
    net, path = dimp
    sequence = get_dataset("synthetic")[0].shortened(6)
    params = DiMPParams(network=net, device="cpu", image_sample_size=96, target_not_found_threshold=-1.0)
    tracker = Tracker("dimp", "dimp18")
    ours, theirs = (tracker.run_sequence(sequence, replace(params, features=given)) for given in (None, path))
    assert np.abs(ours.boxes - theirs.boxes).max() < 0.5
    assert len(np.unique(theirs.boxes, axis=0)) > 3, "the tracker never moved"
    with pytest.raises(OnnxError, match="learned online in torch"):
        TRACKERS["dimp"](DiMPParams(network=path))
    with pytest.raises(OnnxError, match="image_sample_size=96, not 288"):
        TRACKERS["dimp"](replace(params, features=path, image_sample_size=288))
    other = copy.deepcopy(net)
    other.feature_extractor.conv1.weight.data += 1e-3
    with pytest.raises(OnnxError, match="other weights than the one that is tracked with"):
        TRACKERS["dimp"](replace(params, features=path, network=other))


@pytest.mark.long
def test_boxes_of_a_video_are_torchs(file: Path, transt: tuple[nn.Module, Path]) -> None:
    cases = [
        ("siamfc", SiamFCParams(network=network("siamfc_resnet18"), device="cpu"), file),
        ("transt", TransTParams(network=transt[0], device="cpu", template_size=64, search_size=128), transt[1]),
    ]
    for kind, params, path in cases:
        ours, theirs = both(kind, params, path, frames=12)
        assert np.abs(ours.boxes - theirs.boxes).max() < 0.5
        assert len(np.unique(theirs.boxes, axis=0)) > 3, "the tracker never moved"


@pytest.mark.long
def test_the_command_writes_what_a_tracker_reads(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert socl.main(["export", "siamfc/untrained_res18", "--format", "onnx"]) == 0
    path = workspace / "networks/siamfc_untrained_res18.onnx"
    assert str(path) in capsys.readouterr().out
    about = read_onnx(path)[1]
    assert (about.kind, about.parameters, about.stride) == ("siamfc", "siamfc/untrained_res18", 8)
    assert (about.template_size, about.search_size, about.precision) == (127, 255, "float32")
    from pytracking import run_tracker

    asked = ["siamfc", "--network", path.name, "--sequence", "0"]  # by its name, in the workspace's networks
    assert run_tracker.main([*asked, "--set", "device=cpu", "--set", "scale_num=1"]) == 0
    assert "Its parameter set: siamfc untrained_res18" in capsys.readouterr().out
    assert run_tracker.main(["siamfc", "onnx"]) == 1  # its own file, which nobody wrote
    assert "Write one with: socl export TRACKER/PARAMETERS --format onnx" in capsys.readouterr().err
    assert run_tracker.main(["transt", "onnx", "--network", path.name]) == 1
    assert "holds the network of siamfc/untrained_res18: transt cannot track with it" in capsys.readouterr().err
    assert socl.main(["export", "siamfc/untrained_res18", "--format", "onnx", "--set", f"network={path}"]) == 1
    assert "with an ONNX file already" in capsys.readouterr().err


@pytest.mark.long
def test_eight_bits_are_a_third_of_the_size_and_see_nearly_the_same(tmp_path: Path) -> None:
    params: Any = Tracker("siamfc", "untrained_res18", overrides={"device": "cpu"}).parameters()
    crops = crops_of(params, get_dataset("synthetic")[:2], frames=4)
    assert {crop.shape for crop in crops} == {(1, 3, 127, 127), (3, 3, 255, 255)} and len(crops) == 8
    about = About("siamfc", "siamfc/untrained_res18", "mine", "0", 8, 127, 255)
    made = export_onnx(params.network, about, tmp_path / "small.onnx", partial(quantised, crops=crops))
    assert read_onnx(made.path)[1].precision == "int8"
    assert made.size < sum(value.numel() for value in params.network.state_dict().values()) * 4 / 3
    ours, theirs = both("siamfc", params, made.path, frames=12)
    assert np.median(np.abs(ours.boxes - theirs.boxes)) < 4
    assert np.abs(ours.boxes - theirs.boxes).max() > 0, "nothing was quantised"


def test_the_network_can_be_copied_and_sent_to_another_process(file: Path) -> None:
    net: Any = load_onnx(file, "siamfc")
    expected = net(images(1, 127))
    assert net.sessions
    for other in (copy.deepcopy(net), folded(net), pickle.loads(pickle.dumps(net))):
        assert isinstance(other, OnnxSiamFC) and not other.sessions
        assert torch.equal(other(images(1, 127)), expected)


# ---- what is refused ------------------------------------------------------------------------------------------------


def refused(path: Path, kind: str | None = "siamfc") -> str:
    with pytest.raises(OnnxError) as error:
        load_onnx(path, kind)
    assert str(path) in str(error.value)
    return str(error.value)


def test_a_file_that_is_not_there_says_how_it_is_made(tmp_path: Path) -> None:
    assert "socl export TRACKER/PARAMETERS --format onnx" in refused(tmp_path / "none.onnx")


def test_each_flipped_byte_and_each_cut_is_found(file: Path, tmp_path: Path) -> None:
    content = file.read_bytes()
    rng = np.random.default_rng(0)
    damaged = tmp_path / "damaged.onnx"
    places = [*range(40), *rng.integers(0, len(content), 30), *range(len(content) - 700, len(content), 23)]
    whole = read_onnx(file)
    for place in places:
        damaged.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        try:
            model, about = read_onnx(damaged)
        except OnnxError:
            continue
        # What is outside of the digest, such as the name of the program.
        assert about == whole[1] and model.graph == whole[0].graph, place
    for size in (0, 1, 1000, len(content) // 2, len(content) - 1):
        damaged.write_bytes(content[:size])
        assert any(word in refused(damaged) for word in ("damaged", "not written by this project"))
    damaged.write_text("no model", encoding="utf-8")
    refused(damaged)


def test_a_file_of_another_network_is_told_with_what_reads_it(file: Path, transt: tuple[nn.Module, Path]) -> None:
    assert "Track with it as transt/onnx" in refused(transt[1], "siamfc")
    assert "Track with it as siamfc/onnx" in refused(file, "transt")
    assert "Track with it as siamfc/onnx" in refused(file, None)
    for kind, params in (("transt", TransTParams(network=file)), ("dimp", DiMPParams(network=file))):
        with pytest.raises(OnnxError, match=r"SiamFC network of siamfc/mine"):
            TRACKERS[kind](params)


def test_a_file_of_another_program_is_refused(file: Path, tmp_path: Path) -> None:
    model = onnx.load(file)
    del model.metadata_props[:]
    model.producer_name = "pytorch"
    onnx.save(model, tmp_path / "other.onnx")
    message = refused(tmp_path / "other.onnx")
    assert "not written by this project" in message and "pytorch" in message
    stamp(model, replace(read_onnx(file)[1], kind="transt"))  # says what it is not
    onnx.save(model, tmp_path / "lying.onnx")
    assert "has not the tensors of a TransT network" in refused(tmp_path / "lying.onnx", "transt")


def test_a_crop_of_another_size_names_the_sizes_that_transt_takes(transt: tuple[nn.Module, Path]) -> None:
    net: Any = load_onnx(transt[1], "transt")
    with pytest.raises(OnnxError, match="template_size=64 and search_size=128"):
        net.features(images(1, 256))


def test_a_file_has_its_own_precision(file: Path) -> None:
    sequence = get_dataset("synthetic")[0].shortened(2)
    tracker = TRACKERS["siamfc"](SiamFCParams(network=file, device="cpu", precision="bfloat16"))
    with pytest.raises(OnnxError, match="precision=float32"):
        tracker.initialize(sequence.frame(0), sequence.init_info())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("opencv/csrt", "cannot be written as ONNX"),
        ("eco/untrained_res18", "learns in every frame"),
        ("siamfc/untrained_res81", "Did you mean 'siamfc/untrained_res18'"),
        ("siamfc/box_siam_res18", "Train it with"),
        ("nothing", "is no parameter set"),
    ],
)
def test_what_cannot_be_written_is_told(
    name: str, told: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([name]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and told in error
    assert not list(workspace.rglob("*.onnx*"))


def test_a_network_of_no_known_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnnxError, match="a Identity cannot be written as ONNX; networks of SiamFC, TransT, DiMP can"):
        export_onnx(nn.Identity(), About("siamfc", "siamfc/mine", "mine", "0", 8, 127, 255), tmp_path / "no.onnx")
    assert not list(tmp_path.iterdir())


def test_options_that_do_not_fit_are_told(
    tmp_path: Path, workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command.main(["siamfc/untrained_res18", "--out", str(tmp_path / "net.pth")]) == 1
    assert "end in .onnx" in capsys.readouterr().err
    assert socl.main(["export", "clips", "--format", "onnx", "--format", "cvat"]) == 2
    assert "one at a time" in capsys.readouterr().err
    for package in ("onnx", "onnxruntime"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, package, None)
            assert command.main(["siamfc/untrained_res18"]) == 1
        error = capsys.readouterr().err
        assert f"need the package {package}," in error and "pip install" in error


def test_numbers_that_differ_from_torchs_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "net.onnx"
    out.write_bytes(b"what was there")
    monkeypatch.setattr("pytracking.onnx.export.LARGEST_DIFFERENCE", 0.0)
    with pytest.raises(OnnxError, match="nothing was written: the graph's numbers differ"):
        exported(network("siamfc_alexnet"), "siamfc", out)
    assert out.read_bytes() == b"what was there" and list(tmp_path.iterdir()) == [out]
