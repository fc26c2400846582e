"""Stores of what is made of labels once and read by every training: named records in one file, each with a check sum.

What lives here: the file, the builder that fills it on many cores, and the check of all records. What a record holds
is the business of ``top_map`` and ``pseudo_label``.
"""

from socl_plugins.stores.build import BuildReport, fill_store
from socl_plugins.stores.check import check_stores
from socl_plugins.stores.records import SUFFIX, RecordStore, StoreError

__all__ = ["SUFFIX", "BuildReport", "RecordStore", "StoreError", "check_stores", "fill_store"]
