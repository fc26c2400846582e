from .annotated import PseudoBoxAnnotated
from .fuse import Kind
from .settings import METHODS, PseudoBoxSettings, describe, method_settings
from .store import LabelStoreError, PseudoBoxStore

__all__ = [
    "Kind",
    "LabelStoreError",
    "METHODS",
    "PseudoBoxAnnotated",
    "PseudoBoxSettings",
    "PseudoBoxStore",
    "describe",
    "method_settings",
]
