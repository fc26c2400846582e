"""What every command line does alike."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import argparse
from ltr.admin.command_line import run_command

def command(options):
    for number in range(100_000):
        print(number)
    return 0

raise SystemExit(run_command(argparse.Namespace(workspace=None, plugin=[], debug=False), command))
"""


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"0\n"
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 141
