"""SiamFC on a ResNet-18 that was trained to classify ImageNet, not to track."""

from __future__ import annotations

from urllib.error import URLError

from ltr.admin.environment import load_environment
from ltr.models.builder import build_network
from pytracking.parameter.params import ParameterError
from pytracking.tracker.siamfc import SiamFCParams

FILE_NAME = "resnet18_imagenet.pth"


def parameters() -> SiamFCParams:
    """Returns SiamFC's own parameters with ImageNet features.

    The weights are the file ``resnet18_imagenet.pth`` in the environment's ``network_dir`` (a state_dict with
    torchvision's keys), or else torchvision's, which are downloaded once.

    Raises:
        ParameterError: there is no such file, and nothing can be downloaded.
    """
    file = load_environment().network_dir / FILE_NAME
    try:
        network = build_network("siamfc_resnet18", pretrained=str(file) if file.is_file() else "imagenet")
    except URLError as error:
        raise ParameterError(f"cannot download the ImageNet weights ({error.reason}); put them into {file}") from error
    return SiamFCParams(network=network)
