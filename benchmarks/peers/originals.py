"""The process of an original, run out of a checkout of its project; its one argument is JSON: see :class:`About`.

Nothing of this project may be imported by the names that originals use themselves (``ltr``, ``pytracking``), so the
folders of this project leave the search path before a checkout enters it.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from benchmarks.peers import stand_ins, weights  # noqa: E402
from benchmarks.peers.serve import claim_answers, serve  # noqa: E402


@dataclass(frozen=True)
class About:
    """An original.

    Attributes:
        adapter: name of a function of this file.
        checkout: its project's folder; none for what is installed.
        settings: of the tracker.
        weights: file of published weights; none: they are drawn.
        seed: for that, and for what the tracker draws.
        threads: of torch and OpenCV.
    """

    adapter: str
    checkout: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Original:
    """A tracker by its two functions, and its network if it has one."""

    start: Callable[[np.ndarray, list[float]], Any]
    track: Callable[[np.ndarray], list[float]]
    network: torch.nn.Module | None = None


def pytracking_dimp(about: About) -> Original:
    """DiMP of pytracking. ``settings``: ``name`` of the network, the rest are parameters of the tracker."""
    stand_ins.old_torchvision_names()
    stand_ins.region_pooling()
    stand_ins.stand_in("visdom", "visdom.server", "jpeg4py", "timm", "timm.models", "timm.models.layers")
    settings = dict(about.settings)
    name = settings.pop("name")
    networks = importlib.import_module("ltr.models.tracking.dimpnet")
    build = getattr(networks, name.replace("dimp", "dimpnet"))
    network = build(  # as its training settings have it
        filter_size=4,
        backbone_pretrained=False,
        optim_iter=5,
        clf_feat_norm=True,
        final_conv=True,
        out_feature_dim=512 if name == "dimp50" else 256,
        optim_init_step=0.9,
        optim_init_reg=0.1,
        init_gauss_sigma=0.9,
        num_dist_bins=100,
        bin_displacement=0.1,
        mask_init_factor=3.0,
        target_mask_act="sigmoid",
        score_act="relu",
    )
    give_weights(network, about)
    params = importlib.import_module(f"pytracking.parameter.dimp.{name}").parameters()
    params.use_gpu, params.device = False, "cpu"
    params.net.use_gpu, params.net.net = False, network
    params.net.load_network = lambda: None
    for key, value in settings.items():
        setattr(params, key, value)
    tracker = importlib.import_module("pytracking.tracker.dimp.dimp").DiMP(params)
    tracker.visdom = None

    def start(frame: np.ndarray, box: list[float]) -> None:
        torch.manual_seed(about.seed)
        tracker.initialize(frame, {"init_bbox": box})

    return Original(start, lambda frame: tracker.track(frame)["target_bbox"], network)


def siamfc_pytorch(about: About) -> Original:
    """SiamFC of siamfc-pytorch, whose boxes begin at 1."""
    stand_ins.old_numpy_names()
    stand_ins.stand_in("got10k", "got10k.trackers")
    tracker = importlib.import_module("siamfc").TrackerSiamFC()
    give_weights(tracker.net, about)

    def start(frame: np.ndarray, box: list[float]) -> None:
        tracker.init(frame, np.array([box[0] + 1, box[1] + 1, box[2], box[3]]))

    def track(frame: np.ndarray) -> list[float]:
        x, y, width, height = tracker.update(frame)
        return [x - 1, y - 1, width, height]

    return Original(start, track, tracker.net)


def transt(about: About) -> Original:
    """TransT of its authors."""
    import torchvision

    stand_ins.old_torchvision_names()
    stand_ins.tensors_stay()
    stand_ins.stand_in("visdom", "visdom.server", "jpeg4py")
    sys.path.insert(1, str(Path(str(about.checkout)) / "pysot_toolkit"))
    version, torchvision.__version__ = torchvision.__version__, "0.9"  # it reads three characters as a number
    backbones = importlib.import_module("ltr.models.backbone.transt_backbone")
    models: Any = importlib.import_module("ltr.models.tracking.transt")
    torchvision.__version__ = version
    models.build_backbone = lambda settings, **named: backbones.build_backbone(settings, backbone_pretrained=False)
    network = models.transt_resnet50(
        SimpleNamespace(
            hidden_dim=256,
            position_embedding="sine",
            backbone_pretrained=False,
            dropout=0.1,
            nheads=8,
            dim_feedforward=2048,
            featurefusion_layers=4,
            num_classes=1,
            device="cpu",
            use_gpu=False,
        )
    )
    give_weights(network, about)
    wrapped = SimpleNamespace(initialize=lambda: None, template=network.template, track=network.track)
    tracker = importlib.import_module("pysot_toolkit.trackers.tracker").Tracker("transt", wrapped)

    @torch.no_grad()
    def start(frame: np.ndarray, box: list[float]) -> None:
        tracker.initialize(frame, {"init_bbox": box})

    @torch.no_grad()
    def track(frame: np.ndarray) -> list[float]:
        found: list[float] = tracker.track(frame)["target_bbox"]
        return found

    return Original(start, track, network)


def pycftrackers_eco(about: About) -> Original:
    """ECO of pyCFTrackers on hand-crafted features. ``settings`` are those of its configuration."""
    stand_ins.old_numpy_names()
    stand_ins.old_scipy_names()
    stand_ins.stand_in(
        "mxnet", "mxnet.gluon", "mxnet.gluon.model_zoo", "mxnet.gluon.model_zoo.vision", "mxnet.gluon.nn"
    )
    folder = Path(str(about.checkout)) / "lib" / "eco" / "features"
    stand_ins.compiled([folder / "_gradient.cpp", folder / "gradient.cpp"], "_gradient", "lib.eco.features._gradient")
    # The package ``lib.eco`` imports everything when a part of it is asked for: this must be set before.
    switch = importlib.util.spec_from_file_location(
        "lib.eco.config.gpu_config", folder.parent / "config" / "gpu_config.py"
    )
    assert switch is not None and switch.loader is not None
    module = importlib.util.module_from_spec(switch)
    switch.loader.exec_module(module)
    module.gpu_config.use_gpu = False
    sys.modules["lib.eco.config.gpu_config"] = module

    eco = importlib.import_module("cftracker.eco").ECO
    published = importlib.import_module("lib.eco.config.otb_hc_config").OTBHCConfig
    config = type("Config", (published,), {"vis": False, **about.settings})
    running: list[Any] = []

    def start(frame: np.ndarray, box: list[float]) -> None:
        running[:] = [eco(config=config())]
        running[0].init(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), box)

    def track(frame: np.ndarray) -> list[float]:
        x, y, width, height = running[0].update(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        # It takes x + (w - 1) / 2 for the centre of the first box, and goes back from centres by w / 2.
        return [x + 0.5, y + 0.5, width, height]

    return Original(start, track)


def opencv(about: About) -> Original:
    """A tracker of OpenCV, called directly. ``settings``: its ``name``. A target that is lost stays where it was."""
    places = [cv2, getattr(cv2, "tracking", None), getattr(cv2, "legacy", None)]
    name = f"Tracker{about.settings['name']}_create"
    create = next(getattr(place, name) for place in places if hasattr(place, name))
    running: list[Any] = []
    last: list[list[float]] = []

    def start(frame: np.ndarray, box: list[float]) -> None:
        running[:], last[:] = [create()], [box]
        whole = [max(round(value), least) for value, least in zip(box, (0, 0, 1, 1))]
        running[0].init(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), tuple(whole))

    def track(frame: np.ndarray) -> list[float]:
        found, box = running[0].update(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        if found:
            last[:] = [list(box)]
        return last[0]

    return Original(start, track)


ADAPTERS: dict[str, Callable[[About], Original]] = {
    adapter.__name__: adapter for adapter in (pytracking_dimp, siamfc_pytorch, transt, pycftrackers_eco, opencv)
}


def give_weights(network: torch.nn.Module, about: About) -> None:
    """Gives a network the weights of the file that was given, or those that the seed determines."""
    if about.weights is None:
        weights.fill(network, about.seed)
    else:
        weights.load_published(network, Path(about.weights))
    network.eval()


def search_in(checkout: str) -> None:
    """Makes Python look for modules in a checkout first, and no more in this project."""
    mine = {REPOSITORY, REPOSITORY / "benchmarks" / "peers"}
    sys.path[:] = [checkout, *(entry for entry in sys.path if entry and Path(entry).resolve() not in mine)]


def main() -> None:
    """Builds the tracker and serves it."""
    answers = claim_answers()
    about = About(**json.loads(sys.argv[1]))
    torch.set_num_threads(about.threads)
    cv2.setNumThreads(about.threads)
    if about.checkout is not None:
        search_in(about.checkout)
    original = ADAPTERS[about.adapter](about)
    serve(original, weights.checksums(original.network) if original.network else {}, answers)


if __name__ == "__main__":
    main()
