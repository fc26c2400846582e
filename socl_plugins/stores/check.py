"""Verifies every record of stores, and says how to mend what is damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from socl_plugins.stores.records import SUFFIX, RecordStore, StoreError


def check_stores(files: Iterable[Path], folder: Path, command: Callable[[RecordStore], str]) -> int:
    """Prints a line for each store, and for damaged ones which command mends them; returns the exit status.

    Args:
        files: the stores to check; none: all in ``folder``.
        folder: where stores lie.
        command: of a store, the command line that builds it.

    Raises:
        StoreError: there is no store to check.
    """
    paths = list(files) or sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise StoreError(f"there is no store in {folder}; name another folder with --store, or a store's file")
    found = [_check(path, command) for path in paths]
    return 0 if all(found) else 1


def _check(path: Path, command: Callable[[RecordStore], str]) -> bool:
    try:
        with RecordStore(path) as store:
            damaged = store.damaged()
            if not damaged:
                print(f"{path}: {len(store)} records, all whole")
                return True
            names = ", ".join(damaged[:5]) + (", ..." if len(damaged) > 5 else "")
            print(f"{path}: {len(damaged)} of {len(store)} records are damaged: {names}")
            print(f"  made anew by: {command(store)}")
    except StoreError as error:
        print(f"{error}")
    return False
