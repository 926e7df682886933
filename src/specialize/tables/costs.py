"""What stands beside the answers: scores on both parts, hours, memory and coverage of each method of a language."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any

from specialize.experiment import Cell, Experiment, Language
from specialize.experiment.regimes import Method
from specialize.files import read_json
from specialize.tables.folds import fold_notes
from specialize.tables.formats import NOTHING, Table
from specialize.tables.inputs import MAIN_DATA, vocabulary_statistics
from specialize.tables.names import has_base
from specialize.tables.scores import NOT_CONVERGED, TASK_TITLES, Scores, load_scores

SECONDS, MEMORY = "s", "max_rss"  # columns of Snakemake's benchmarks; memory is in MB
COLUMNS = ("Pretraining, hours", "Finetuning, hours", "Memory, GB", "Pieces per word", "Unknown words")
LEARNING_COLUMNS = ("Learned parameters", "GPU memory of pretraining, GB")


def costs_table(experiment: Experiment, run: Path) -> Table:
    """A row for each language and method of the grid.

    Hours are those that the jobs took, as far as the run still knows; they differ from run to run.
    """
    scores = load_scores(experiment, run)
    vocabularies = vocabulary_statistics(experiment, run)
    tasks = list(dict.fromkeys(task for _, _, task in scores.by_seed))
    titles = [f"{TASK_TITLES[task]}, dev / test" for task in tasks]
    table = Table(
        "costs",
        "What stands beside the answers: scores on development and test data, hours, memory, and coverage.",
        ["Language", "Method", "Base", *titles, *COLUMNS],
    )
    some_learn_less = any("adapt" in experiment.config["representations"][name] for name in _used(experiment))
    if some_learn_less:
        table.columns += LEARNING_COLUMNS
    for language in experiment.grid_languages:
        cells: dict[Method, list[Cell]] = {}
        for cell in experiment.cells:
            if cell.language == language.tag:
                cells.setdefault(cell.method, []).append(cell)
        for method, of_method in cells.items():
            representation = experiment.representations[method.representation]
            base = representation.base_model if has_base(representation) else NOTHING
            row = [language.name, method.title, base]
            row += [_both_parts(scores, language, method, task) for task in tasks]
            row += taken(run, language, representation.of or representation.name, of_method)
            row += covered(vocabularies.get((language.tag, method.representation)), representation.method == "scratch")
            if some_learn_less:
                row += learned(experiment, run, language, method)
            table.add(*row)
    table.notes = [
        "The best of a language and task (table answers) is chosen by the scores on development data. Means over "
        f"seeds, in percent; {NOT_CONVERGED}: a seed did not converge, or the grid does not have it.",
        "Hours: of the pretraining on the language, and of all finetuning jobs of the method together (those that it "
        "goes on from, too), as timed here, on the machines of this run; what a base model took before is not counted. "
        "Memory: the most that one of these jobs took, without that of a GPU. A job that was interrupted counts from "
        "its last start.",
        "Pieces per word and unknown words: of the training part of the language's text, or of its labeled data if it "
        "has none.",
    ]
    if some_learn_less:
        table.notes.append(
            "Learned parameters: numbers that learn in pretraining: all of the model's, unless the representation's "
            "adapt says what learns; of low-rank updates those of the updates, which are merged into the model at the "
            "end. For each, a gradient and two moments are kept besides, twelve bytes."
        )
    table.notes += fold_notes(experiment, scores, scores.by_seed, tested=False)
    return table


def _both_parts(scores: Scores, language: Language, method: Method, task: str) -> str:
    key = (language.tag, method, task)
    development, test = scores.development_mean(key), scores.mean(key)
    return NOT_CONVERGED if development is None or test is None else f"{development:.2f} / {test:.2f}"


def taken(run: Path, language: Language, pretrained: str, cells: Iterable[Cell]) -> list[str]:
    """Hours of pretraining a representation and of finetuning, and the most memory, as texts for a table."""
    pretraining = _benchmark(run / f"timings/pretraining/{language.tag}/{pretrained}.tsv")
    jobs = dict.fromkeys(job for cell in cells for job in (cell.prefinetuned, cell) if job)
    finetuning = [_finetuning(run, job) for job in jobs]
    known = [one for one in finetuning if one]
    hours = sum(one[SECONDS] for one in known) / 3600
    memory = max((one[MEMORY] for one in (*known, *([pretraining] if pretraining else []))), default=0.0)
    return [
        f"{pretraining[SECONDS] / 3600:.2f}" if pretraining else NOTHING,
        f"{hours:.2f}" if known and len(known) == len(finetuning) else NOTHING,
        f"{memory / 1000:.2f}" if memory else NOTHING,
    ]


def _used(experiment: Experiment) -> list[str]:
    return list(dict.fromkeys(cell.representation for cell in experiment.cells))


def learned(experiment: Experiment, run: Path, language: Language, method: Method) -> list[str]:
    """How many parameters learn in pretraining on the language, and the most memory of a GPU that it took."""
    name = method.representation
    if experiment.representations[name].method not in ("adapt", "scratch"):
        return [NOTHING, NOTHING]
    history = _read(run / experiment.encoder_folder(language.tag, name) / "history.json")
    changed = "all" if "adapt" not in experiment.pretraining(name).job_parameters() else NOTHING
    if "learning_parameters" in history:
        changed = f"{history['learning_parameters']:,}"
    memory = _read(run / f"timings/pretraining/{language.tag}/{name}.json").get("peak_gpu_memory_megabytes")
    return [changed, NOTHING if memory is None else f"{memory / 1000:.2f}"]


def _read(path: Path) -> dict[str, Any]:
    """A JSON file; nothing if the run does not have it any more."""
    read: dict[str, Any] = read_json(path) if path.is_file() else {}
    return read


def _finetuning(run: Path, cell: Cell) -> dict[str, float]:
    """Seconds and memory of a finetuning job; nothing if the run does not know them any more."""
    read = _read(run / cell.folder / "timing.json")
    if not {"seconds", "peak_memory_megabytes"} <= read.keys():
        return {}
    return {SECONDS: float(read["seconds"]), MEMORY: float(read["peak_memory_megabytes"])}


def _benchmark(path: Path) -> dict[str, float]:
    """Seconds and memory as Snakemake has measured them; nothing if it has not."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    try:
        return {name: fmean(float(row[name]) for row in rows) for name in (SECONDS, MEMORY)}
    except (KeyError, TypeError, ValueError):  # of a job too short to be measured, it writes NA
        return {}


def covered(statistics: Any, own: bool) -> list[str]:
    """How a representation's own vocabulary covers the language: pieces per word, and the share of unknown ones.

    Args:
        statistics: of the vocabulary; None if there is none.
        own: whether it shares nothing with a base's.
    """
    coverage = (statistics or {}).get("coverage", {})
    data = next((data for data in MAIN_DATA if data in coverage), None)
    if data is None:
        return [NOTHING, NOTHING]
    measured = coverage[data]["augmented" if own or statistics["pieces"] else "base"]
    return [f"{measured['wordpieces_per_token']:.2f}", f"{measured['unknown_token_rate']:.1%}"]
