"""What a run needs around it, checked before the first job: paths that Snakemake can quote, and SLURM."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from specialize.errors import ConfigError, SpecializeError
from specialize.experiment.settings import Configuration
from specialize.settings import schema_of

SHELL_MARKS = " \t\n'\"$`\\&;|<>()*?{}"  # that a shell does not take as they are in a word without quotes
CLUSTER_MARKS = "'\"$`\\"  # nor between the quotes that Snakemake puts around what it submits
SLURM_COMMANDS = ("sbatch", "squeue", "scancel")
STAGES = ("datasets", "corpora", "vocabularies", "pretraining", "finetuning", "tables", "figures", "export")


def check_paths(python: str, checkout: Path, run: Path, on_cluster: bool, own_python: bool = True) -> None:
    """Refuse paths that Snakemake hands to a shell without quoting them well.

    Every script is started as `python script`, where Python's path stands as it is (Snakemake's issue 2645), and
    names of scripts are patterns, in which braces mean something. On a cluster, whole commands are submitted.

    Args:
        python: of the environment that Snakemake runs in.
        checkout: of this workflow.
        run: the run's directory.
        on_cluster: whether jobs are submitted.
        own_python: whether scripts run in that environment, and not in one that Snakemake makes.

    Raises:
        SpecializeError: with the path, and where to put it instead.
    """
    wrong: list[tuple[str, str, str]] = []
    if own_python:
        wrong.append(("the environment", python, SHELL_MARKS))
    wrong.append(("the checkout", str(checkout), "{}" + (CLUSTER_MARKS if on_cluster else "")))
    wrong.append(("the run's directory", str(run), CLUSTER_MARKS if on_cluster else ""))
    for what, path, marks in wrong:
        found = sorted(set(path) & set(marks))
        if found:
            remedy = "give another --directory" if path == str(run) else f"put {what} where the path has none"
            raise SpecializeError(f"{path}: Snakemake cannot start jobs by a path with {_named(found)}; {remedy}")


def _named(marks: Iterable[str]) -> str:
    names = {" ": "a space", "\t": "a tab", "\n": "a line end", "'": "an apostrophe"}
    return ", ".join(names.get(mark, mark) for mark in marks)


def check_slurm() -> None:
    """Refuse to submit jobs where SLURM's commands are not.

    Raises:
        SpecializeError: naming those that are missing.
    """
    missing = [command for command in SLURM_COMMANDS if not shutil.which(command)]
    if missing:
        raise SpecializeError(
            f"SLURM's {', '.join(missing)} cannot be found on the PATH of this machine: start the run on a login node "
            "of the cluster (perhaps after `module load slurm`), or without --profile slurm"
        )


def check_modified_paths(modify: Callable[[str], str]) -> None:
    """Refuse a module's `prefix` or `replace_prefix`, for scripts and tables look for a run's files by their names.

    Args:
        modify: what Snakemake makes of a path that a rule names.

    Raises:
        ConfigError: with what to do instead.
    """
    for stage in STAGES:
        path = f"results/{stage}/of"
        if modify(path) != path:
            raise ConfigError(
                f"this workflow is used as a module with a prefix, by which {path.removesuffix('/of')} would be "
                f"{modify(path).removesuffix('/of')}: leave prefix and replace_prefix out, and start Snakemake with "
                "--directory to have its files in a folder of their own"
            )


def check_sections(config: Mapping[str, object], paper: Path, in_module: bool, replaced: bool) -> None:
    """Refuse a configuration of which whole sections are missing, since the paper's was not read.

    Args:
        config: as merged, before any other check.
        paper: the paper's configuration file.
        in_module: whether the workflow is used as a module, which reads no file itself.
        replaced: whether Snakemake was told to let the user's files replace it.

    Raises:
        ConfigError: with what to do.
    """
    missing = [section for section in schema_of(Configuration)["required"] if section not in config]
    if not missing:
        return
    remedy = f"put {paper} back"
    if replaced:
        remedy = "leave out --replace-workflow-config"
    elif in_module:
        remedy = (
            f'in the Snakefile that uses the module, begin with `configfile: "{paper}"`, and let the module have '
            "`config: config`"
        )
    raise ConfigError(
        f"the configuration has no {', '.join(missing)}: it lacks the paper's, beneath one's own; {remedy}"
    )
