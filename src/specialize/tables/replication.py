"""Our scores beside those that the paper prints."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy

from specialize.experiment import TASKS, Experiment
from specialize.experiment.regimes import Method
from specialize.tables.baselines import PAPERS_BASE, is_beside_paper, stand_in
from specialize.tables.blocks import average
from specialize.tables.formats import NOTHING, Table, number
from specialize.tables.names import key_of_names
from specialize.tables.paper import AVERAGES_2, AVERAGES_3, ERRATA, TABLE_2, TABLE_3, TABLE_4, Printed
from specialize.tables.scores import NOT_CONVERGED, TASK_TITLES, Scores, Trial, mean_and_deviation

DEVIATIONS = 2  # standard deviations of the paper's scores that a replication may differ by
SEEDS_OF_A_VERDICT = 3
PRINTED = ((2, TABLE_2), (3, TABLE_3), (4, TABLE_4))


@dataclass(frozen=True)
class Replication:
    """A cell of the paper's Tables 2 to 4 that this run has too.

    Attributes:
        table: the number of the paper's table.
        language: the tag.
        scores: ours by seed; None if a seed did not converge.
        printed: the paper's.
    """

    table: int
    language: str
    task: str
    method: Method
    scores: dict[Trial, float] | None
    printed: Printed

    @property
    def difference(self) -> float:
        """Of the means, in points; NaN if ours did not converge."""
        return float(numpy.mean(list(self.scores.values()))) - self.printed.mean if self.scores else math.nan

    @property
    def verdict(self) -> str:
        """Whether the difference is within `DEVIATIONS` of the paper's standard deviations."""
        if self.printed.deviation is None:
            return NOTHING
        if not self.scores or len(self.scores) < SEEDS_OF_A_VERDICT:
            return f"fewer than {SEEDS_OF_A_VERDICT} seeds" if self.scores else NOT_CONVERGED
        if abs(self.difference) <= DEVIATIONS * self.printed.deviation:
            return "yes"
        return "no, above" if self.difference > 0 else "no, below"


def replications(experiment: Experiment, scores: Scores) -> list[Replication]:
    """Every cell that both the grid and the paper have, in the paper's order of tables and tasks.

    Without those of base models that stand in for the paper's, unless they are asked for (`tables.beside_paper`).
    """
    return [
        Replication(table, language.tag, task, method, scores.converged(key), printed[key])
        for table, printed in PRINTED
        for task in TASKS
        for language in experiment.grid_languages
        for method in scores.methods(language.tag, task)
        if (key := (language.tag, method, task)) in printed and is_beside_paper(experiment, method.representation)
    ]


def replication_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Tables 2, 3 and 4 beside ours, cell by cell, then their averages."""
    within = f"Within {DEVIATIONS} sd of the paper's"
    table = Table(
        "replication",
        "Scores beside those of the paper's Tables 2 to 4: mean ± standard deviation over seeds, in percent.",
        ["Table", "Task", "Language", "Configuration", "Ours", "Seeds", "Paper", "Difference", within],
    )
    found = replications(experiment, scores)
    for cell in found:
        key = (cell.language, cell.method, cell.task)
        name = f"{experiment.languages[cell.language].name} ({cell.language})"
        ours = mean_and_deviation(scores, key) if cell.scores else NOT_CONVERGED
        deviation = "" if cell.printed.deviation is None else f" ± {cell.printed.deviation:.2f}"
        row = [str(cell.table), TASK_TITLES[cell.task], name, cell.method.title, ours, str(scores.seeds(key))]
        row += [f"{cell.printed.mean:.2f}{deviation}", number(cell.difference, "+.2f"), cell.verdict]
        table.add(*row)
    for table_number, averages, printed in ((2, AVERAGES_2, TABLE_2), (3, AVERAGES_3, TABLE_3)):
        for (method, task), mean in averages.items():
            name = method.representation
            if name not in experiment.grid_representations or not is_beside_paper(experiment, name):
                continue
            keys = [key for key in printed if key[1:] == (method, task)]
            ours_mean = average(experiment, scores, keys)
            if ours_mean is None or not all(map(scores.converged, keys)):
                continue
            mark = " (erratum)" if (method, task) in ERRATA else ""
            row = [str(table_number), TASK_TITLES[task], "Average", method.title, f"{ours_mean:.2f}", NOTHING]
            row += [f"{mean:.2f}{mark}", f"{ours_mean - mean:+.2f}", NOTHING]
            table.add(*row)
    table.notes = [
        "The paper has five seeds, and Wikipedias of December 2020. Difference: of the means, in points. No verdict "
        f"with fewer than {SEEDS_OF_A_VERDICT} seeds, nor where the paper prints no standard deviation (its Table 4 "
        "after transliteration, and averages). Cells that its Tables 3 and 4 repeat from Table 2 stand once."
    ]
    if note := _stand_ins(experiment, scores):
        table.notes.insert(0, note)
    if any(cell.scores is None for cell in found):
        table.notes.append(f"{NOT_CONVERGED}: a seed did not converge.")
    if any("erratum" in row[6].text for row in table.rows):
        table.notes.append("Erratum: the printed average does not follow from the printed cells; see docs/errata.md.")
    table.notes.append(key_of_names(experiment, multi_task=True))
    return table


def _stand_ins(experiment: Experiment, scores: Scores) -> str:
    """Which scores are of a base model that is not the paper's, and what becomes of them; nothing if none are."""
    printed = {key for _, cells in PRINTED for key in cells} & scores.by_seed.keys()
    names = [name for name in experiment.grid_representations if any(key[1].representation == name for key in printed)]
    stand_ins = {name: base for name in names if (base := stand_in(experiment, name))}
    if not stand_ins:
        return ""
    whose = f"{', '.join(stand_ins)} (base model {', '.join(dict.fromkeys(stand_ins.values()))})"
    if experiment.config["tables"]["beside_paper"] == "any-base":
        return f"{whose}: a stand-in for the paper's base model, {PAPERS_BASE}; the difference is no replication."
    return (
        f"Not set beside the paper's, which are of {PAPERS_BASE}: scores of {whose}. Such a stand-in has other "
        "weights, so that a difference would say nothing of the method; `tables: {beside_paper: any-base}` shows them "
        "nevertheless."
    )
