"""Each epoch's loss and scores for TensorBoard."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any


class EpochScalars:
    """Writes each epoch's figures in TensorBoard's format; a context manager.

    Args:
        folder: replaced if it exists; None: nothing is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self.writer: Any = None
        if folder is not None:
            from tensorboardX import SummaryWriter  # its import takes time

            shutil.rmtree(folder, ignore_errors=True)
            self.writer = SummaryWriter(str(folder))

    def __enter__(self) -> EpochScalars:
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer:
            self.writer.close()

    def add(self, record: dict[str, float]) -> None:
        """Write one epoch's record; its key `epoch` is the step, all others are scalars."""
        if not self.writer:
            return
        for name, value in record.items():
            if name != "epoch":
                self.writer.add_scalar(name, value, record["epoch"])
        self.writer.flush()
