"""The ``EnvSettings`` that a pytracking user's own ``pytracking/evaluation/local.py`` imports.

It is read by :mod:`ltr.admin.environment`, which knows every path of this machine. A new set-up needs no such file.
"""

from __future__ import annotations

from ltr.admin.environment import PATHS
from ltr.admin.path_files import UNUSED_IN_LOCAL


class EnvSettings:
    """Paths by pytracking's names, empty until ``local_env_settings()`` of a ``local.py`` sets them.

    >>> settings = EnvSettings()
    >>> settings.otb_path = "/data/OTB100"
    >>> settings.otb_path, settings.uav_path
    ('/data/OTB100', '')
    """

    def __init__(self) -> None:
        for name in (*(f"{name.removesuffix('_dir')}_path" for name in PATHS), *UNUSED_IN_LOCAL):
            setattr(self, name, "")
