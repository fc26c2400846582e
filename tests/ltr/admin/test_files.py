from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltr.admin.files import (
    WriteError,
    check_file_writable,
    partial_path,
    remove_leftovers,
    write_atomically,
    write_bytes_atomically,
)


def partials(directory: Path) -> list[Path]:
    return list(directory.glob(".*.partial"))


def test_a_file_is_written_into_directories_that_are_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    write_bytes_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file.txt"]


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    def fail_halfway(partial: Path) -> None:
        partial.write_bytes(b"ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail_halfway)
    assert path.read_bytes() == b"old"
    assert partials(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
def test_a_full_disk_is_named_with_the_path_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    partial_path(path).symlink_to("/dev/full")
    with pytest.raises(WriteError, match=r"file\.txt.*free some space") as caught:
        write_bytes_atomically(path, b"new")
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert partials(tmp_path) == []


def test_a_disk_that_proves_full_only_when_forced_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        write_bytes_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_directory_that_cannot_be_made_is_named_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"cannot write .*file/below.*a part of this path is a file"):
        write_bytes_atomically(tmp_path / "file" / "below" / "x", b"")


def test_leftovers_of_killed_writers_go_once_they_are_old(tmp_path: Path) -> None:
    leftover = tmp_path / ".net.pth.tar.123.partial"
    leftover.touch()
    remove_leftovers(tmp_path)
    assert leftover.exists()  # it may be being written
    os.utime(leftover, (0, 0))
    remove_leftovers(tmp_path)
    assert not leftover.exists()


def test_leftovers_of_a_file_go_when_it_is_written_anew_unless_their_writer_lives(tmp_path: Path) -> None:
    path = tmp_path / "net.pth.tar"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = partial_path(path)
    left, living, another = (
        path.with_name(mine.name.replace(f".{os.getpid()}.", f".{pid}.")) for pid in (ended.pid, os.getppid(), "other")
    )
    for partial in (left, living, another):
        partial.touch()
    write_bytes_atomically(path, b"new")
    assert sorted(partials(tmp_path)) == sorted([living, another])


def test_long_names_have_a_temporary_name_that_fits(tmp_path: Path) -> None:
    write_bytes_atomically(tmp_path / ("x" * 250), b"new")
    assert os.listdir(tmp_path) == ["x" * 250]


def test_a_file_that_could_not_be_written_in_the_end_is_told_at_once(tmp_path: Path) -> None:
    check_file_writable(tmp_path / "new" / "page.html")
    for path, why in ((tmp_path / ("x" * 5000), "File name too long"), (tmp_path, "it is a directory")):
        with pytest.raises(WriteError, match=why):
            check_file_writable(path)
