"""What was mended in a file of labeled data: counted, and told in few lines with the first place of each kind."""

from __future__ import annotations

from pathlib import Path

from specialize.errors import InputError

SHOWN_KINDS = 20  # for each file; the rest is only counted


class Corrections:
    """The kinds of what was mended in one file, with their lines.

    Args:
        path: the file.
        refuse: whether the first of them is an error.
    """

    def __init__(self, path: Path, refuse: bool = False) -> None:
        self._path = path
        self._refuse = refuse
        self._lines: dict[str, tuple[int, int]] = {}  # the first line, and how many

    def add(self, line: int, kind: str) -> None:
        """Count one.

        Raises:
            InputError: if they are refused.
        """
        if self._refuse:
            raise InputError(self._path, kind, line, "correct it, or let ner: broken_labels: repair do so")
        first, count = self._lines.get(kind, (line, 0))
        self._lines[kind] = (first, count + 1)

    def report(self) -> None:
        """Print a line for each kind."""
        for kind, (first, count) in list(self._lines.items())[:SHOWN_KINDS]:
            more = f" (and {count - 1:,} more)" if count > 1 else ""
            print(f"{self._path}, line {first}: {kind}{more}")
        if hidden := list(self._lines.values())[SHOWN_KINDS:]:
            print(
                f"{self._path}: {sum(count for _, count in hidden):,} more of {len(hidden):,} other kinds were mended"
            )
