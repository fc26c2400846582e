"""A misspelt tracker parameter never passes for the default."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch

from ltr.admin.settings import SettingsError, apply_overrides
from pytracking import run_tracker
from pytracking.parameter.params import ParameterError, TrackerParams
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.siamfc import SiamFCParams
from pytracking.tracker.transt import TransTParams


def test_get_has_and_defaults_work_as_in_pytracking() -> None:
    params = SiamFCParams(network="x.pth", scale_num=1)
    assert params.get("scale_num") == 1 and params.has("scale_num")
    params.set_default_values({"scale_num": 5, "device": "cuda:7"})
    assert params.scale_num == 1 and params.device == "auto"
    assert copy.deepcopy(params) == params == pickle.loads(pickle.dumps(params))


def test_a_misspelt_parameter_is_an_error_with_the_near_name() -> None:
    params = SiamFCParams(network="x.pth")
    for use in (
        lambda: params.get("scale_nmu", 3),
        lambda: params.scale_nmu,
        lambda: setattr(params, "scale_nmu", 3),
        lambda: params.set_default_values({"scale_nmu": 3}),
    ):
        with pytest.raises(ParameterError, match=r"no parameter 'scale_nmu'. Did you mean 'scale_num'"):
            use()
    assert not params.has("scale_nmu")


@pytest.mark.parametrize(
    "wrong",
    [{"scale_num": 2}, {"scale_step": 1.0}, {"fill": "mena"}, {"window_influence": 2.0}, {"exemplar_size": 300}],
)
def test_a_value_that_makes_no_sense_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"SiamFC's {next(iter(wrong))} must be"):
        SiamFCParams(network="x.pth", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("params", [SiamFCParams, ECOParams, TransTParams])
def test_only_known_precisions_can_be_asked_for(params: type[TrackerParams]) -> None:
    with pytest.raises(ParameterError, match="precision must be one of 'float32', 'bfloat16', 'auto', not 'half'"):
        params(network="x.pth", precision="half")  # type: ignore[call-arg]


def test_overrides_are_converted_and_checked() -> None:
    params = apply_overrides(SiamFCParams(network="a"), {"scale_num": "5", "network": "b.pth", "template_lr": "1e-2"})
    assert (params.scale_num, params.network, params.template_lr) == (5, "b.pth", 0.01)
    with pytest.raises(SettingsError, match="Did you mean 'scale_num'"):
        apply_overrides(SiamFCParams(network="a"), {"scale_nun": "5"})


@pytest.mark.parametrize(
    ("setting", "ours"),
    [
        ("patch_max_scale_change=1.5", "border_limit"),
        ("dispalcement_scale=0.7", "displacement_scale"),
        ("net=dimp50.pth", "network"),
        ("update_classifier=no", "train_skipping=none"),
        ("use_gpu=yes", "device=cuda"),
        ("box_refinement_iters=3", "Did you mean 'box_refinement_iter'"),
    ],
)
def test_pytrackings_names_are_answered_with_ours(
    workspace: Path, capsys: pytest.CaptureFixture[str], setting: str, ours: str
) -> None:
    assert run_tracker.main(["dimp", "dimp50", "--set", setting]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and ours in error and setting.split("=")[0] in error


def test_the_automatic_device_exists_here() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert TrackerParams().torch_device.type == expected
    assert TrackerParams(device="cpu").torch_device == torch.device("cpu")
