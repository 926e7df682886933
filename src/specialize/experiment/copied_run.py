"""The times of a run's files, by which Snakemake knows what is up to date, and which many ways to copy a run lose."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from pathlib import Path

# A JSON file for each output, named by its path in Base64; a long name goes on in folders that begin with @.
METADATA = Path(".snakemake/metadata")
OF_A_FOLDER = ".snakemake_timestamp"  # the file within a folder whose time is the folder's
SAME = 0.001  # seconds that a time may have lost


def put_back_times(run: Path) -> int:
    """Give a run's results the times at which they were made, if a copy has lost all of them; how many were put back.

    After `cp -r`, a restore or a `touch` of everything, files have times in the order of the copying, and Snakemake
    would make again what seems older than what it was made from. It has noted each time when the job ended. Where any
    result still has its own, nothing is changed: the others were changed by somebody, for a reason.

    Args:
        run: the run's folder.
    """
    lost: list[tuple[Path, float]] = []
    for path, noted in _noted_times(run):
        file = path / OF_A_FOLDER if path.is_dir() else path
        if not file.is_file():
            continue
        if abs(file.stat().st_mtime - noted) <= SAME:
            return 0
        lost.append((file, noted))
    for file, noted in lost:
        try:
            os.utime(file, (file.stat().st_atime, noted))
        except PermissionError:  # only its owner may
            return 0
    return len(lost)


def _noted_times(run: Path) -> Iterator[tuple[Path, float]]:
    """Each result and when it was made; a record that cannot be read tells nothing."""
    for record in sorted((run / METADATA).rglob("*")):
        if not record.is_file():
            continue
        try:
            parts = record.relative_to(run / METADATA).parts
            name = base64.urlsafe_b64decode("".join(part.removeprefix("@") for part in parts)).decode()
            content = json.loads(record.read_text(encoding="utf-8"))
            noted = content["endtime"]
        except (binascii.Error, ValueError, KeyError, TypeError, OSError):
            continue
        if isinstance(noted, int | float) and not content.get("incomplete"):
            yield run / name, float(noted)
