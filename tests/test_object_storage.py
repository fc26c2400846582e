"""A workspace on object storage: commands with ``--workspace s3://...`` against a server that speaks S3."""

from __future__ import annotations

import importlib.util
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from ltr.admin import mirror as mirrors
from ltr.admin import object_storage
from ltr.admin.checkpoint import load_checkpoint
from ltr.admin.mirror import Mirror, ObjectStorageError
from ltr.admin.object_storage import local_copy, workspace_at
from ltr.dataset import SyntheticVideo
from ltr.dataset.export import export_got10k
from ltr.run_training import main as train
from pytracking.run_tracker import main as track
from socl_plugins.top_map.__main__ import main as top_map

ROOT = Path(__file__).resolve().parent
TOY = ["toy", "sums", "--plugin", str(ROOT / "ltr" / "toy_plugin.py"), "--device", "cpu", "--seed", "3"]
TRAINED = "checkpoints/ltr/toy/sums/ToyNet_ep0003.pth.tar"
Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    if any(importlib.util.find_spec(name) is None for name in ("moto", "flask", "s3fs")):
        pytest.skip("an S3 server and a client: pip install 'moto[server]' s3fs")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket."""
    import s3fs

    settings = {"ACCESS_KEY_ID": "someone", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}
    for name, value in {**settings, "ENDPOINT_URL": s3_server}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = uuid.uuid4().hex
    s3fs.S3FileSystem().mkdir(bucket)
    return f"s3://{bucket}/runs"


class Machine:
    """A machine: what it keeps lies in a folder of its own."""

    def __init__(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cache, self.monkeypatch = cache, monkeypatch

    def __call__(self, url: str) -> Path:
        """Goes to this machine; returns where the copy of a URL lies on it."""
        self.monkeypatch.setenv("XDG_CACHE_HOME", str(self.cache))
        return local_copy(url)


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Machine, Machine]:
    return Machine(tmp_path / "one", monkeypatch), Machine(tmp_path / "two", monkeypatch)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


# ---- what commands make -----------------------------------------------------------------------------------------


def test_training_goes_on_on_another_machine_and_ends_as_one_that_was_not_interrupted(
    s3: str, machines: tuple[Machine, Machine], tmp_path: Path, capsys: Output
) -> None:
    first, second = machines
    assert train([*TOY, "--set", "epochs=3", "--workspace", str(tmp_path / "unbroken")]) == 0
    first(s3)
    assert train([*TOY, "--set", "epochs=1", "--workspace", s3]) == 0
    assert f"--workspace {s3}" in capsys.readouterr().out
    there = second(s3)
    assert train([*TOY, "--set", "epochs=3", "--workspace", s3, "--resume"]) == 0
    assert "going on from" in capsys.readouterr().out
    unbroken, moved = load_checkpoint(tmp_path / "unbroken" / TRAINED), load_checkpoint(there / TRAINED)
    assert all((unbroken["net"][name] == value).all() for name, value in moved["net"].items())
    again = first(s3)
    with workspace_at(s3):
        assert files(again) == files(there)


def test_results_are_not_made_again_on_another_machine_and_score_the_same(
    s3: str, machines: tuple[Machine, Machine], capsys: Output
) -> None:
    command = ["opencv", "kcf", "--dataset", "synthetic", "--sequence", "0", "--workspace", s3]
    machines[0](s3)
    assert track(command) == 0
    table = capsys.readouterr().out.partition("results:")[0]
    machines[1](s3)
    assert track(command) == 0
    again = capsys.readouterr()
    assert "1 results are there already; 0 are left to make" in again.out + again.err
    assert table.splitlines()[-2] in again.out


def test_a_store_of_top_maps_that_a_second_machine_opens_needs_no_map_again(
    s3: str, machines: tuple[Machine, Machine], tmp_path: Path, capsys: Output
) -> None:
    export_got10k(SyntheticVideo(1, num_frames=3, size=(96, 128)), tmp_path / "videos", "val")
    command = ["build", "--dataset", "got10k_val", "--root", str(tmp_path / "videos"), "--jobs", "1"]
    machines[0](s3)
    assert top_map([*command, "--workspace", s3]) == 0
    assert "3 frames computed" in capsys.readouterr().out
    machines[1](s3)
    assert top_map([*command, "--workspace", s3]) == 0
    assert "0 frames computed" in capsys.readouterr().out


# ---- while a command runs, and at its end -----------------------------------------------------------------------


@pytest.fixture
def url() -> str:
    return f"memory://{uuid.uuid4().hex}"


def test_a_command_is_stored_while_it_runs_and_a_failure_is_tried_again(
    url: str, machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    machines[0](url)
    monkeypatch.setattr(object_storage, "EVERY", 0.01)
    monkeypatch.setattr(object_storage, "REST", 0)
    monkeypatch.setattr(mirrors, "SETTLED", 0)
    failing = network_that_is_gone(monkeypatch, times=1)
    with workspace_at(url) as folder:
        (folder / "boxes.txt").write_text("1,2,3,4")
        assert failing.done.wait(30)
        assert objects(url) == ["boxes.txt"]
    assert f"cannot store {folder / 'boxes.txt'} ({url}/boxes.txt): the network is gone" in capsys.readouterr().err


class Storage:
    """Stands before a storage: its network is gone for so many files."""

    def __init__(self, storage: Any, times: int) -> None:
        self.storage, self.times, self.done = storage, times, threading.Event()

    def put_file(self, *paths: str) -> None:
        self.times -= 1
        if self.times >= 0:
            raise OSError("the network is gone")
        self.storage.put_file(*paths)
        self.done.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.storage, name)


def test_what_cannot_be_stored_at_the_end_is_told_with_where_it_lies(
    url: str, machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = machines[0](url)
    with (
        pytest.raises(ObjectStorageError, match=f"the network is gone.*What was made lies in {folder}"),
        monkeypatch.context() as patch,
    ):
        network_that_is_gone(patch, times=99)
        with workspace_at(url):
            (folder / "boxes.txt").write_text("1,2,3,4")
    with workspace_at(url):
        pass
    assert objects(url) == ["boxes.txt"]


def test_a_command_s_own_error_is_the_one_that_ends_it(
    url: str, machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    folder = machines[0](url)
    network_that_is_gone(monkeypatch, times=99)
    with pytest.raises(ValueError, match="its own"), workspace_at(url):
        (folder / "boxes.txt").write_text("1,2,3,4")
        raise ValueError("its own")
    assert f"What was made lies in {folder}" in capsys.readouterr().err


def test_a_command_within_a_command_has_the_same_copy(url: str, machines: tuple[Machine, Machine]) -> None:
    machines[0](url)
    with workspace_at(url) as outer, workspace_at(url) as inner:
        assert inner == outer


def test_another_server_has_another_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    here = local_copy("s3://bucket/runs")
    assert local_copy("s3://bucket/runs/") == here != local_copy("s3://bucket/runs2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    assert local_copy("s3://bucket/runs") != here


def network_that_is_gone(patch: pytest.MonkeyPatch, times: int) -> Storage:
    storage = Storage(None, times)

    def connect(self: Mirror, url: str, folder: Path) -> None:
        make(self, url, folder)
        storage.storage, self.storage = self.storage, storage

    make = Mirror.__init__
    patch.setattr(Mirror, "__init__", connect)
    return storage


def objects(url: str) -> list[str]:
    root = url.removeprefix("memory:/")
    return sorted(path.removeprefix(f"{root}/") for path in fsspec.filesystem("memory").find(root))


# ---- what cannot be reached -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("s3://no-such-bucket/runs", "cannot reach s3://no-such-bucket/runs: The specified bucket does not exist"),
        ("s3://", "s3:// names no bucket"),
        ("smb3://host/runs", "smb3://host/runs: smb3:// is no object storage: known are s3, "),
    ],
)
def test_storage_that_cannot_be_reached_is_named(s3: str, capsys: Output, place: str, message: str) -> None:
    assert train(["--list", "--workspace", place]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert "Traceback" not in error


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Output, workspace: Path) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    assert train(["--list", "--workspace", "gs://bucket/runs"]) == 1
    assert "gs://bucket/runs needs a package that is missing: pip install gcsfs" in capsys.readouterr().err


def test_a_url_in_place_of_a_folder_is_refused(capsys: Output, workspace: Path) -> None:
    with pytest.raises(SystemExit):
        top_map(["build", "--dataset", "got10k_val", "--store", "s3://bucket/maps"])
    assert "'s3://bucket/maps' is a URL and no path; object storage can be a command's" in capsys.readouterr().err
    assert not list(Path().glob("s3:*"))


def test_processes_of_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ObjectStorageError, match="torchrun need one folder that they all see"), workspace_at(url):
        pass
