"""What a training leaves in its folder, so that its network can be tracked with again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from ltr.admin.records import RecordError, read_record, write_record

WORKSPACE = ".workspace"  # ending of a cell's folder
RECORD = "trained.json"


@dataclass(frozen=True)
class Training:
    """A training that has ended.

    Attributes:
        checkpoint: its file, relative to the folder.
        seconds: that it took.
        commit: of the code.
        learned_from: which videos.
    """

    checkpoint: str
    seconds: float
    commit: str
    learned_from: str

    def write(self, workspace: Path) -> None:
        """Writes it into the training's folder."""
        write_record(workspace / RECORD, asdict(self))


def read_training(workspace: Path) -> Training | None:
    """Returns the training that has ended in a folder; none where none has, or its checkpoint is gone.

    Raises:
        RecordError: the record is damaged, or has other fields.
    """
    try:
        training = Training(**read_record(workspace / RECORD))
    except FileNotFoundError:
        return None
    except TypeError as error:
        raise RecordError(f"{workspace / RECORD} is damaged: {error}") from error
    return training if (workspace / training.checkpoint).is_file() else None


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
