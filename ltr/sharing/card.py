"""What a shared network says of itself: ``config.json`` for programs, ``README.md`` for people.

What is not known is said to be unknown; nothing is made up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

import torch

from ltr.admin.provenance import PROJECT, code_version
from ltr.admin.weight_files import CheckpointError
from ltr.sharing.folder import FORMAT, VERSION

TRAINING = ("epoch", "averaged", "settings", "about", "stats")
"""What is taken over from a checkpoint on how the network was trained."""
LABELS = "labels"  # what a run's hooks tell of its labels, and where older runs have their cost among the numbers
_PATH = re.compile(r"(?<![\w./~])~?(?:/[^/\s,;:()'\"]+)+/([^/\s,;:()'\"]+)")  # an absolute one within a sentence
NO_LICENSE = "not stated: ask whoever gave you this network"


def config_of(
    content: Mapping[str, Any], weights: Mapping[str, torch.Tensor], license: str | None, tracker: str | None
) -> dict[str, Any]:
    """Returns ``config.json``, all but the sha256, as plain data.

    Args:
        content: of a checkpoint: ``constructor``, and what there is of ``settings``, ``about``, ``stats``, ``score``.
        weights: by name.
        license: of the weights, as SPDX or the Hub call it; None: not stated.
        tracker: ``tracker/parameters`` that the network is tracked with; None: unknown.

    Raises:
        CheckpointError: an argument of the network is no plain data.
    """
    constructor = content["constructor"]
    training = {key: content[key] for key in TRAINING if content.get(key) is not None}
    if isinstance(training.get("stats"), Mapping):
        training["stats"] = _last(training["stats"])
    config = {
        "format": FORMAT,
        "format_version": VERSION,
        "network": {"name": constructor["network"], "arguments": constructor["kwargs"]},
        "weights": {"tensors": len(weights), "parameters": sum(value.numel() for value in weights.values())},
        "tracker": tracker,
        "license": license,
        "score": content.get("score"),
        "training": _without_folders(training) or None,
        "written_with": {**code_version(), "torch": str(torch.__version__)},
    }
    try:
        plain: dict[str, Any] = json.loads(json.dumps(config, default=_refused))
    except TypeError as error:
        raise CheckpointError(f"the network cannot be shared: {error}") from error
    return plain


def card(config: Mapping[str, Any], name: str) -> str:
    """Returns the text of ``README.md``.

    Args:
        config: see :func:`config_of`.
        name: of the folder.
    """
    network, weights = config["network"], config["weights"]
    tracker = config["tracker"]
    training = config["training"] or {}
    settings = training.get("settings") or {}
    head = ["---", f"license: {config['license'] or 'unknown'}", f"library_name: {PROJECT}"]
    head += ["tags:", "- visual-object-tracking", f"- {network['name']}", "---", ""]
    sections = [
        [
            f"# {name}",
            "",
            f"A network for visual object tracking: `{network['name']}`, {weights['parameters']:,} weights.",
        ],
        ["## Use", "", *_use(name, tracker)],
        ["## Training data", "", *_data(training)],
        ["## Held-out score", "", *_score(config)],
        ["## Recipe", "", *_recipe(training, settings)],
        ["## Versions", "", *_versions(config, settings)],
        ["## License", "", config["license"] or NO_LICENSE],
        ["## Files", "", *FILES_SECTION],
    ]
    return "\n".join([*head, *("\n".join([*section, ""]) for section in sections)])


FILES_SECTION = (
    "`model.safetensors` holds the weights, `config.json` how the network is built, its settings and the sha256 of the",
    "weights, which is compared when they are loaded. Both are data: loading them runs no code of this folder.",
)


def _use(name: str, tracker: str | None) -> list[str]:
    parameters = tracker or "TRACKER/PARAMETERS"
    return [
        f"With {PROJECT} installed, in the folder that `{name}` lies in:",
        "",
        "```python",
        "import ltr, pytracking",
        "",
        f'network = ltr.from_pretrained("{name}")',
        f'track = pytracking.track("VIDEO.mp4", "{parameters}", click=(105, 170), overrides={{"network": "{name}"}})',
        "```",
        "",
        "or, without Python:",
        "",
        "```bash",
        f"python -m pytracking.run_video {parameters.replace('/', ' ')} VIDEO.mp4 --click 105 170 --set network={name}",
        "```",
    ]


def _data(training: Mapping[str, Any]) -> list[str]:
    sets = (training.get("settings") or {}).get("data") or {}
    lines = [f"- {loader}: {what}" for loader, what in sets.items()] or ["- data sets: unknown"]
    about = (training.get("about") or {}).get(LABELS)
    if isinstance(about, Mapping):
        return lines + [f"- {key}: {_text(value)}" for key, value in about.items()]
    numbers = (training.get("stats") or {}).get(LABELS)
    if isinstance(numbers, Mapping):
        return lines + [f"- labels, {key}: {_text(max(_values(value)))}" for key, value in numbers.items()]
    return [*lines, "- labels and their cost: unknown"]


def _score(config: Mapping[str, Any]) -> list[str]:
    score = config["score"]
    if not isinstance(score, Mapping):
        return ["Unknown: its training had no held-out score, or it is not recorded."]
    before = score.get("untrained")
    return [
        "| | before training | these weights |",
        "|---|---|---|",
        f"| {score.get('name')} | {'unknown' if before is None else _text(before)} | {_text(score.get('value'))} |",
        "",
        f"Of held-out videos, by which the weights were chosen: {score.get('of')}.",
    ]


def _recipe(training: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    if not settings:
        return ["Unknown: the weights carry no record of a training run of this project."]
    recipe = f"{settings.get('module_name')}/{settings.get('script_name')}"
    lines = [f"- recipe: `{recipe}`, schedule {settings.get('schedule')}, seed {settings.get('seed')}"]
    if "epoch" in training:
        lines.append(f"- weights after epoch {training['epoch']}{', averaged' if training.get('averaged') else ''}")
    config = settings.get("config")
    if isinstance(config, Mapping) and config:
        lines += ["", "<details><summary>all settings</summary>", "", "```"]
        lines += [f"{key} = {_text(value)}" for key, value in config.items()] + ["```", "", "</details>"]
    return lines


def _versions(config: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    trained, written = settings.get("versions") or {}, config["written_with"]
    of_training = ", ".join(f"{name} {value}" for name, value in trained.items()) or "unknown"
    return [
        f"- trained with: {of_training}{'' if 'commit' in trained else '; commit unknown'}",
        f"- this folder was written with: {', '.join(f'{name} {value}' for name, value in written.items())}",
    ]


def _last(stats: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Returns each number of the training's history at its last epoch."""
    return {
        str(loader): {
            str(name): {str(max(by_epoch)): by_epoch[max(by_epoch)]}
            for name, by_epoch in numbers.items()
            if isinstance(by_epoch, Mapping) and by_epoch
        }
        for loader, numbers in stats.items()
        if isinstance(numbers, Mapping)
    }


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) and value else [value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def _without_folders(value: Any) -> Any:
    """Returns plain data in which paths that are absolute are their last part: where files lay is nobody's business."""
    if isinstance(value, Mapping):
        return {str(key): _without_folders(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_folders(item) for item in value]
    if isinstance(value, str) and (re.match(r"[/~]", value) or PureWindowsPath(value).drive):
        return Path(value.replace("\\", "/")).name
    return _PATH.sub(r"\1", value) if isinstance(value, str) else value


def _refused(value: Any) -> Any:
    raise TypeError(f"{value!r:.100} is a {type(value).__name__}, which is no plain data")
