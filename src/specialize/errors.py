"""Errors that a user can mend, and how a job reports them."""

from __future__ import annotations

import contextlib
import errno
import re
import shlex
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

FULL_DISK = re.compile(
    r"No space left on device|Disk quota exceeded|inline_container\.cc|\d+ requested and \d+ written"
)


class SpecializeError(Exception):
    """Anything wrong that the user can mend; its text is one line that says what and how."""


class InputError(SpecializeError):
    """Bad content of an input file.

    Args:
        path: the file.
        problem: what is wrong.
        line: the line it stands in (from 1), if it has one.
        remedy: what to do about it.
    """

    def __init__(self, path: Path | str, problem: str, line: int | None = None, remedy: str = "") -> None:
        self.path, self.problem, self.line, self.remedy = path, problem, line, remedy
        place = f"{path}, line {line}" if line else str(path)
        super().__init__(f"{place}: {problem}" + (f"; {remedy}" if remedy else ""))

    def of_the_original(self, copy: Path, original: Path | str) -> InputError:
        """The same error, found in a copy of a folder, of the folder that a person has."""
        remedy = self.remedy.replace(shlex.quote(str(copy)), shlex.quote(str(original)))  # may be a command
        return InputError(str(self.path).replace(str(copy), str(original)), self.problem, self.line, remedy)


class ConfigError(SpecializeError):
    """A configuration that cannot be run; the text names the key."""


class DownloadError(SpecializeError):
    """A file that could not be fetched, or is not the file that was promised."""


def warn(message: str) -> None:
    """Print what a user should know although the work goes on, to a job's log and to the terminal."""
    print(f"Warning: {message}")
    if sys.stdout is not sys.__stdout__ and sys.__stderr__ is not None:
        print(f"Warning: {message}", file=sys.__stderr__)


def full_disk(error: BaseException | None) -> str:
    """What to do where an error comes of a full disk; empty if it does not.

    Libraries that write files themselves (safetensors, tokenizers, torch, numpy) say so only in their text.
    """
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or FULL_DISK.search(str(error)):
            problem = " ".join(str(error).split())
            return (
                f"the disk is full, or a quota is used up ({problem}): make room, then run the same command again; "
                "what was finished is kept"
            )
        error = error.__cause__ or error.__context__
    return ""


@contextlib.contextmanager
def reported(log: Path | str) -> Iterator[None]:
    """Send everything a job prints to its log; print an error of ours as one line, any other with its trace.

    Raises:
        SystemExit: with status 1, after an error was reported.
    """
    message = ""
    try:
        with Path(log).open("w", encoding="utf-8", buffering=1) as stream:
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                try:
                    yield
                    return
                except SpecializeError as error:
                    message = f"Error: {error}"
                except KeyboardInterrupt:
                    message = "Stopped from the keyboard."
                except Exception as error:
                    full = full_disk(error)
                    message = f"Error: {full}" if full else traceback.format_exc()
            stream.write(message + "\n")
    except OSError as error:  # the log itself could not be written
        message = message or f"Error: {log}: {full_disk(error) or error}"
    print(message, file=sys.stderr)
    raise SystemExit(1)
