"""TransT's recipes. The network, the loss and the tracker live in ``ltr.models`` and ``pytracking.tracker``."""
