"""A folder and its copy on object storage: what travels, what stays, and that nothing is lost or written over."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import fsspec
import pytest

from ltr.admin.mirror import INDEX, Mirror, ObjectStorageError


@pytest.fixture
def url() -> str:
    return f"memory://{uuid.uuid4().hex}"


@pytest.fixture
def a(url: str, tmp_path: Path) -> Mirror:
    return Mirror(url, tmp_path / "a")


@pytest.fixture
def b(url: str, tmp_path: Path) -> Mirror:
    return Mirror(url, tmp_path / "b")


def write(mirror: Mirror, name: str, text: str) -> Path:
    path = mirror.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def finish(mirror: Mirror) -> int:
    return mirror.store(last=True)


def there(mirror: Mirror) -> dict[str, str]:
    storage = fsspec.filesystem("memory")
    return {path.removeprefix(f"{mirror.root}/"): storage.cat_file(path).decode() for path in storage.find(mirror.root)}


def here(mirror: Mirror) -> dict[str, str]:
    paths = (path for path in mirror.folder.rglob("*") if path.is_file() and path.name != INDEX)
    return {path.relative_to(mirror.folder).as_posix(): path.read_text() for path in paths}


# ---- what travels -----------------------------------------------------------------------------------------------


def test_new_changed_and_removed_files_travel_both_ways(a: Mirror, b: Mirror) -> None:
    write(a, "deep/down/boxes.txt", "1,2,3,4")
    write(a, "gone.txt", "soon")
    assert (finish(a), finish(a), b.fetch(), b.fetch()) == (2, 0, 2, 0)
    assert here(b) == {"deep/down/boxes.txt": "1,2,3,4", "gone.txt": "soon"}
    write(b, "deep/down/boxes.txt", "5,6,7,8,9")
    (b.folder / "gone.txt").unlink()
    assert (finish(b), a.fetch()) == (2, 2)
    assert here(a) == there(a) == {"deep/down/boxes.txt": "5,6,7,8,9"}


def test_half_written_files_and_folders_stay_where_they_are(a: Mirror) -> None:
    for name in (".boxes.txt.host.7.partial", ".net.host.7.partial/weights", ".owner.json", "maps.sqlite-journal"):
        write(a, name, "half")
    write(a, "my.partial.txt", "whole")
    assert finish(a) == 1
    assert there(a) == {"my.partial.txt": "whole"}


def test_while_a_command_runs_what_was_just_written_waits_and_so_does_a_removal(a: Mirror) -> None:
    path = write(a, "boxes.txt", "1,2,3,4")
    assert a.store() == 0
    os.utime(path, (1, 1))
    assert a.store() == 1
    path.unlink()  # as for a moment between two names
    assert (a.store(), there(a)) == (0, {"boxes.txt": "1,2,3,4"})
    assert (a.store(), there(a)) == (1, {})


def test_a_copy_that_lost_a_file_gets_it_again_and_does_not_remove_it_there(a: Mirror) -> None:
    path = write(a, "boxes.txt", "1,2,3,4")
    finish(a)
    path.unlink()
    assert (a.fetch(), here(a)) == (1, {"boxes.txt": "1,2,3,4"})


def test_a_folder_s_marker_and_files_with_odd_names_do_no_harm(a: Mirror, b: Mirror) -> None:
    odd = ["sha256", "files", "a b#c%d[1]*.txt", f"{'n' * 150}1", f"{'n' * 150}2"]
    for name in odd:
        write(a, name, name)
    finish(a)
    fsspec.filesystem("memory").mkdir(f"{a.root}/empty")
    b.fetch()
    assert here(b) == {name: name for name in odd}
    assert finish(b) == 0


# ---- two machines -----------------------------------------------------------------------------------------------


def test_what_two_machines_changed_is_named_and_neither_is_written_over(a: Mirror, b: Mirror, url: str) -> None:
    write(a, "boxes.txt", "1,2,3,4")
    finish(a)
    b.fetch()
    write(a, "boxes.txt", "a longer text")
    write(b, "boxes.txt", "another text")
    write(b, "zzz.txt", "what is not in conflict is stored")
    finish(a)
    for act in (b.store, b.fetch):
        with pytest.raises(ObjectStorageError, match=rf"{url}/boxes\.txt was changed there .* neither is touched"):
            act(last=True) if act == b.store else act()
    assert here(b)["boxes.txt"] == "another text" and "zzz.txt" in there(a)
    (b.folder / "boxes.txt").unlink()
    b.fetch()
    assert here(b)["boxes.txt"] == "a longer text"


def test_two_machines_that_made_the_same_file_agree(a: Mirror, b: Mirror) -> None:
    for mirror in (a, b):
        write(mirror, "boxes.txt", "1,2,3,4")
    finish(a)
    assert (finish(b), b.fetch(), finish(b)) == (1, 0, 0)


class Killed(BaseException):
    """As when the process ends there and then."""


@pytest.mark.parametrize("before", [True, False], ids=["before the object is there", "after it"])
def test_what_a_killed_run_was_storing_is_stored_by_the_next(
    a: Mirror, b: Mirror, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    write(a, "boxes.txt", "1,2,3,4")
    finish(a)
    write(a, "boxes.txt", "5,6,7,8 and more")
    kill(a, monkeypatch, before)
    again = Mirror(a.url, a.folder)
    assert (again.fetch(), finish(again), b.fetch()) == (0, 1, 1)
    assert here(b) == {"boxes.txt": "5,6,7,8 and more"}


@pytest.mark.parametrize("how", [Killed, OSError], ids=["killed", "the network fails"])
def test_what_another_machine_stored_after_a_kill_is_not_written_over(
    a: Mirror, b: Mirror, monkeypatch: pytest.MonkeyPatch, how: type[BaseException]
) -> None:
    write(a, "boxes.txt", "1,2,3,4")
    finish(a)
    write(a, "boxes.txt", "5,6,7,8 of a")
    kill(a, monkeypatch, before=True, how=how)
    b.fetch()
    write(b, "boxes.txt", "9,9,9,9 of b")
    finish(b)
    again = Mirror(a.url, a.folder)
    for act in (again.fetch, lambda: finish(again)):
        with pytest.raises(ObjectStorageError, match="was changed there since it was fetched"):
            act()
    assert there(a) == {"boxes.txt": "9,9,9,9 of b"} and here(again) == {"boxes.txt": "5,6,7,8 of a"}


@pytest.mark.parametrize("how", [Killed, OSError], ids=["killed", "the answer is lost"])
def test_what_arrived_before_the_end_and_was_changed_here_since_is_no_conflict(
    a: Mirror, monkeypatch: pytest.MonkeyPatch, how: type[BaseException]
) -> None:
    write(a, "boxes.txt", "1,2,3,4")
    kill(a, monkeypatch, before=False, how=how)
    again = Mirror(a.url, a.folder)
    write(again, "boxes.txt", "5,6,7,8 and more")
    assert (again.fetch(), finish(again), there(a)) == (0, 1, {"boxes.txt": "5,6,7,8 and more"})


def kill(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, before: bool, how: type[BaseException] = Killed) -> None:
    put = mirror.storage.put_file

    def put_file(*paths: str) -> None:
        if not before:
            put(*paths)
        raise how

    with monkeypatch.context() as patch, pytest.raises((how, ObjectStorageError)):
        patch.setattr(mirror.storage, "put_file", put_file)
        finish(mirror)


# ---- databases --------------------------------------------------------------------------------------------------


def numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as database:
        return [number for (number,) in database.execute("SELECT frame FROM maps")]


def make(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS maps (frame INTEGER)")
        database.execute("INSERT INTO maps VALUES (?)", (number,))
        database.commit()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_database_that_is_being_written_to_is_stored_with_what_was_finished(a: Mirror, b: Mirror, mode: str) -> None:
    make(a.folder / "maps.sqlite", 1)
    with closing(sqlite3.connect(a.folder / "maps.sqlite")) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        database.execute("INSERT INTO maps VALUES (2)")
        database.commit()
        database.execute("INSERT INTO maps VALUES (3)")  # not finished
        a.store()
        b.fetch()
        assert numbers(b.folder / "maps.sqlite") == [1, 2]
        database.commit()
        a.store()
    b.fetch()
    assert numbers(b.folder / "maps.sqlite") == [1, 2, 3]


def test_a_killed_writer_s_journal_is_not_applied_to_another_machine_s_database(a: Mirror, b: Mirror) -> None:
    make(a.folder / "maps.sqlite", 1)
    finish(a)
    b.fetch()
    make(b.folder / "maps.sqlite", 2)
    finish(b)
    journal = write(a, "maps.sqlite-journal", "of the database that lay here")
    assert a.fetch() == 1
    assert numbers(a.folder / "maps.sqlite") == [1, 2] and not journal.exists()


def test_a_database_that_has_gone_is_not_stored_as_an_empty_one(a: Mirror) -> None:
    path = a.folder / "maps.sqlite"
    assert a._copy_database(path, a.folder / "copy") is False
    assert not path.exists()


def test_a_file_that_cannot_be_stored_is_named_and_keeps_back_no_other(a: Mirror) -> None:
    write(a, "a.sqlite", "no database")
    write(a, "boxes?versionId=3", "1,2,3,4")
    write(a, "boxes.txt", "1,2,3,4")
    with pytest.raises(
        ObjectStorageError, match=r"cannot store .*a\.sqlite .*file is not a database \(1 more failed\)"
    ):
        finish(a)
    assert there(a) == {"boxes.txt": "1,2,3,4"}


# ---- storage that is not what it was ----------------------------------------------------------------------------


def test_a_storage_that_is_empty_all_at_once_does_not_empty_the_copy(a: Mirror) -> None:
    write(a, "boxes.txt", "1,2,3,4")
    finish(a)
    fsspec.filesystem("memory").rm(a.root, recursive=True)
    with pytest.raises(ObjectStorageError, match="is empty, and 1 files of it were here: see that bucket"):
        a.fetch()
    assert here(a) == {"boxes.txt": "1,2,3,4"}


def test_an_object_cannot_be_written_outside_the_folder(a: Mirror, tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe(f"{a.root}/x/../../evil.txt", b"!")
    with pytest.raises(ObjectStorageError, match=r"evil\.txt has a name that no file here can have"):
        a.fetch()
    assert not list(tmp_path.rglob("evil.txt"))
