from .annotated import PseudoBoxAnnotated
from .fuse import Kind
from .settings import METHODS, PseudoBoxSettings, describe, method_settings
from .store import PseudoBoxStore

__all__ = [
    "Kind",
    "METHODS",
    "PseudoBoxAnnotated",
    "PseudoBoxSettings",
    "PseudoBoxStore",
    "describe",
    "method_settings",
]
