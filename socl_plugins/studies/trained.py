"""What a training leaves in its folder, so that its network can be tracked with again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ltr.admin.files import sha256_of
from ltr.admin.records import RecordError, read_record, write_record

WORKSPACE = ".workspace"  # ending of a cell's folder
RECORD = "trained.json"


@dataclass(frozen=True)
class Training:
    """A training that has ended.

    Attributes:
        checkpoint: its file, relative to the folder.
        checkpoint_sha256: of that file.
        seconds: that it took.
        machine: what it ran on.
        commit: of the code.
        learned_from: which videos.
    """

    checkpoint: str
    checkpoint_sha256: str
    seconds: float
    machine: str
    commit: str
    learned_from: str

    def write(self, workspace: Path) -> None:
        """Writes it into the training's folder."""
        write_record(workspace / RECORD, asdict(self))


def read_training(workspace: Path) -> Training | None:
    """Returns the training that has ended in a folder; none where none has, or its checkpoint is gone.

    Raises:
        RecordError: the record is damaged, or has other fields, or the checkpoint is another one.
    """
    try:
        training = Training(**read_record(workspace / RECORD))
    except FileNotFoundError:
        return None
    except TypeError as error:
        raise RecordError(f"{workspace / RECORD} is damaged: {error}") from error
    checkpoint = workspace / training.checkpoint
    if not checkpoint.is_file():
        return None
    if sha256_of(checkpoint) != training.checkpoint_sha256:
        raise RecordError(f"{checkpoint} is damaged: it is not the file that {RECORD} names")
    return training


def kept_training(out: Path, name: str, learned_from: str) -> Path | None:
    """Returns the folder below ``out`` of a training of this name that was kept, or none.

    Args:
        out: folder of the results.
        name: see :attr:`socl_plugins.studies.study.Cell.training`.
        learned_from: which videos; one that learned from others is not taken.
    """
    for workspace in sorted(out.glob(f"{name}-*{WORKSPACE}")):
        try:
            training = read_training(workspace)
        except RecordError as error:
            print(f"{error}; the network is trained again", flush=True)
            continue
        if training is not None and training.learned_from == learned_from:
            return workspace
    return None
