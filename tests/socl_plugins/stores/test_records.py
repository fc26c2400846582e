"""A store of records: damage anywhere in the file is noticed, what is damaged is made anew, nobody dies of it."""

from __future__ import annotations

import multiprocessing
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from socl_plugins.pseudo_label.__main__ import main as pseudo_label
from socl_plugins.stores import RecordStore, StoreError, fill_store
from socl_plugins.top_map.__main__ import main as top_map

FORK = multiprocessing.get_context("fork")
RECORDS = {f"video/{number:08d}": bytes([number]) * (600 + number) for number in range(100)}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "stores" / "toy.sqlite"
    with RecordStore(path, {"dataset": "toy"}) as store:
        store.add(RECORDS)
    return path


def damage(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET content = x'00' WHERE name = ?", (name.encode(),))


def make(number: int) -> bytes:
    return RECORDS[f"video/{number:08d}"]


def refill(path: Path) -> tuple[int, int]:
    with RecordStore(path, {"dataset": "toy"}) as store:
        items = list(zip(RECORDS, range(len(RECORDS))))
        report = fill_store(store, items, make, total=len(items), what="toys", unit="toy", jobs=1, progress=False)
        assert not store.damaged() and all(store.get(name) == content for name, content in RECORDS.items())
    return report.made, report.present


def test_records_are_read_as_they_were_written(store: Path) -> None:
    reader = RecordStore(store)
    assert len(reader) == 100 and reader.about == {"dataset": "toy"} and reader.damaged() == []
    assert all(reader.get(name) == content for name, content in RECORDS.items())
    assert reader.get("nothing") is None and "nothing" not in reader and "video/00000003" in reader
    assert pickle.loads(pickle.dumps(reader)).get("video/00000003") == RECORDS["video/00000003"]
    with pytest.raises(StoreError, match="readonly"):
        reader.add({"more": b""})


def test_a_forked_process_reads_beside_its_parent(store: Path) -> None:
    reader = RecordStore(store)
    process = FORK.Process(target=lambda: exit(0 if reader.get("video/00000003") == RECORDS["video/00000003"] else 1))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == 0 and reader.get("video/00000004") == RECORDS["video/00000004"]


def test_a_damaged_record_is_an_error_and_made_anew_by_the_next_build(store: Path) -> None:
    damage(store, "video/00000007")
    reader = RecordStore(store)
    assert reader.damaged() == ["video/00000007"]
    with pytest.raises(StoreError, match=r"toy\.sqlite, video/00000007: the record is damaged; run the build again"):
        reader.get("video/00000007")
    assert refill(store) == (1, 99)


@pytest.mark.parametrize("part", [0.0, 0.05, 0.4, 0.999])
def test_a_store_that_is_cut_off_kills_neither_reader_nor_writer(store: Path, part: float) -> None:
    content = store.read_bytes()
    store.write_bytes(content[: int(part * len(content))])
    with pytest.raises(StoreError, match=r"toy\.sqlite"):
        reader = RecordStore(store)
        for name in RECORDS:
            reader.get(name)
    if part == 0.999:  # of the last page something is left: a record or two are lost
        assert refill(store)[0] in (1, 2)
    elif part:
        with pytest.raises(StoreError, match=r"toy\.sqlite is damaged .*: delete it and run the build again"):
            RecordStore(store, {"dataset": "toy"})
    else:
        assert refill(store) == (100, 0)


def test_a_flipped_bit_is_an_error_or_changes_nothing(store: Path) -> None:
    """Of 200 bits of the file, none makes another record of one that is read."""
    whole, rng = store.read_bytes(), np.random.default_rng(0)
    noticed = 0
    for place in rng.integers(0, 8 * len(whole), 200):
        content = bytearray(whole)
        content[place // 8] ^= 1 << (place % 8)
        store.write_bytes(content)
        try:
            with RecordStore(store) as reader:
                found = {name: reader.get(name) for name in RECORDS}
        except StoreError:
            noticed += 1
        else:
            assert all(read in (None, RECORDS[name]) for name, read in found.items()), f"bit {place}"
    assert noticed > 100


def test_what_another_program_put_into_the_file_is_refused(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END")
    with pytest.raises(StoreError, match="is no store of this project"):
        RecordStore(store)


# ------------------------------------------------------------------------------------------------- the commands
@pytest.mark.long
def test_check_says_what_is_whole_what_is_damaged_and_how_to_mend_it(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltr.dataset.named.EMBEDDED_VIDEOS", 1)
    build = ["build", "--dataset", "synthetic", "--jobs", "1"]
    small = ["--set", "random_count=50", "--set", "edge_count=0", "--set", "side_range=0.1,0.5"]
    for main, words, folder in (
        (top_map, small, "top_maps"),
        (pseudo_label, ["--method", "interpolation", "--period", "4"], "pseudo_boxes"),
    ):
        assert main(["check"]) == 1
        assert f"there is no store in {workspace / folder}" in capsys.readouterr().err
        assert main([*build, *words]) == 0
        assert main(["check"]) == 0
        assert "records, all whole" in capsys.readouterr().out
        (path,) = (workspace / folder).iterdir()
        with RecordStore(path) as reader:
            name = sorted(
                name.decode() for (name,) in reader._open().execute("SELECT name FROM records WHERE name <> x''")
            )[0]
            whole = reader.get(name)
        damage(path, name)
        assert main(["check", str(path)]) == 1
        said = capsys.readouterr().out
        assert f"records are damaged: {name}" in said
        command = said.partition("made anew by: python -m ")[2].split()
        assert command[0] == main.__module__.removesuffix(".__main__")
        assert main([*command[1:], "--jobs", "1"]) == 0, "the printed command runs"
        assert RecordStore(path).get(name) == whole
        path.write_bytes(path.read_bytes()[:5000])
        assert main(["check"]) == 1
        assert "delete it and run the build again" in capsys.readouterr().out
