"""Which version of each stage has made a run's folder, and what a newer one would make again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize import __version__
from specialize.corpora.settings import VERSION as CORPORA
from specialize.datasets.settings import VERSION as DATASETS
from specialize.errors import ConfigError
from specialize.files import read_json, write_json
from specialize.finetuning.settings import VERSION as FINETUNING
from specialize.pretraining.settings import VERSION as PRETRAINING
from specialize.tables.settings import VERSION as TABLES
from specialize.vocabularies.settings import VERSION as VOCABULARIES

# Each stands beside its stage's settings, and is a parameter of the stage's rules.
STAGE_VERSIONS = {
    "datasets": DATASETS,
    "corpora": CORPORA,
    "vocabularies": VOCABULARIES,
    "pretraining": PRETRAINING,
    "finetuning": FINETUNING,
    "tables": TABLES,
}
RECORD = "versions.json"  # in the run's folder
FINISHED = ("results/pretraining/*/*/model.safetensors", "results/finetuning/*/*/*/**/metrics.json")
SHOWN = 5


@dataclass(frozen=True)
class Rerun:
    """A finished job that would run again.

    Attributes:
        stage: of its rule.
        output: a file that it has made, relative to the run.
        reason: why, in Snakemake's words.
    """

    stage: str
    output: str
    reason: str


def check_versions(run: Path, reruns: Sequence[Rerun], planned: Collection[str], accepted: bool) -> None:
    """Refuse to make finished training again unless this version has made the run, or the user consents.

    This version is recorded as the run's once a start has seen all of its finished training, and keeps it; a start with
    a target that needs only a part of it leaves the record as it is.

    Args:
        run: the run's folder.
        reruns: finished jobs of pretraining and finetuning that would run again.
        planned: outputs of all jobs that this start knows of, whether they run or not, relative to the run.
        accepted: the configuration's `accept_rerun`.

    Raises:
        ConfigError: saying which jobs would run again and why.
    """
    current = {"specialize": __version__, "stages": STAGE_VERSIONS}
    recorded = read_json(run / RECORD) if (run / RECORD).is_file() else {}
    if recorded == current:
        return
    if reruns and not accepted:
        raise ConfigError(_refusal(recorded, reruns))
    if _finished_training(run) <= set(planned):
        write_json(run / RECORD, current)


def _finished_training(run: Path) -> set[str]:
    """The models and scores that a run has, relative to it."""
    found = (path for pattern in FINISHED for path in run.glob(pattern))
    return {path.relative_to(run).as_posix() for path in found}


def _refusal(recorded: Mapping[str, Any], reruns: Sequence[Rerun]) -> str:
    before = recorded.get("stages", {})
    changed = [
        f"{stage} {before[stage]} is now {version}"
        for stage, version in STAGE_VERSIONS.items()
        if stage in before and before[stage] != version
    ]
    maker = (
        f"specialize {recorded['specialize']} ({', '.join(changed) or 'the same stages'})"
        if recorded
        else ("an earlier version of specialize, which left no record")
    )
    outputs = [f"{rerun.output} ({rerun.reason})" for rerun in reruns[:SHOWN]]
    more = f" and {len(reruns) - SHOWN:,} more" if len(reruns) > SHOWN else ""
    counts = {stage: sum(rerun.stage == stage for rerun in reruns) for stage in STAGE_VERSIONS}
    numbers = ", ".join(f"{number:,} of {stage}" for stage, number in counts.items() if number)
    return (
        f"this folder was made by {maker}: {numbers} would be made again: {', '.join(outputs)}{more}. "
        "Go on with the checkout that made it; or make them again by --config accept_rerun=true; or, if you know that "
        "they would come out the same, keep them by --touch --config accept_rerun=true"
    )
