"""How a run was started, kept in its folder, for messages that name the command that makes one more of its files."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specialize.files import read_json, write_json

COMMAND = Path("logs/command.json")  # in a run's folder
KEPT_OPTIONS = ("--profile", "--workflow-profile", "--executor", "-e")  # with their values: where jobs run


def record_command(
    run: Path,
    snakefile: Path | str,
    configfiles: Sequence[Path | str],
    config: Mapping[str, Any],
    cores: int | None,
) -> None:
    """Keep how a run was started last.

    Args:
        run: its folder.
        snakefile, configfiles, config, cores: as Snakemake has read them.
    """
    options: list[str] = []
    for argument, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        name, equals, value = argument.partition("=")
        if name in KEPT_OPTIONS:
            options += [name, value if equals else following]
    known = {
        "python": sys.executable,
        "started_in": os.environ.get("PWD", str(Path.cwd())),  # the shell's, which a profile's path starts from
        "snakefile": str(snakefile),
        "configfiles": [str(path) for path in configfiles],
        "config": dict(config),
        "cores": cores,
        "options": options,
    }
    write_json(run / COMMAND, known)


def run_of(path: Path) -> Path | None:
    """The folder of the run that a path lies in, if it lies in one."""
    above = path.absolute()
    return next((folder for folder in (above, *above.parents) if (folder / ".snakemake").is_dir()), None)


def command_that_makes(run: Path, target: Path, **config: Any) -> str | None:
    """A command for a shell that makes a file of a run as the run was started last; None if that is not known.

    Args:
        run: its folder, wherever it is now.
        target: the file, relative to the run.
        config: keys of the configuration that are given besides, or in place of what was given.
    """
    if not (run / COMMAND).is_file():
        return None
    known = read_json(run / COMMAND)
    words = [known["python"], "-m", "snakemake", str(target), "--snakefile", known["snakefile"]]
    words += ["--directory", str(run.absolute()), *(["--cores", str(known["cores"])] if known["cores"] else [])]
    words += known["options"]
    words += ["--configfile", *known["configfiles"]] if known["configfiles"] else []
    given = [f"{key}={_typed(value)}" for key, value in {**known["config"], **config}.items()]
    words += ["--config", *given] if given else []
    return (f"cd {shlex.quote(known['started_in'])} && " if known["options"] else "") + shlex.join(words)


def _typed(value: Any) -> str:
    """A value as Snakemake's command line reads it again: text from there stands for itself, whatever was quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
