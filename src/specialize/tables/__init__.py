"""Tables of a run: what goes in, test scores with significance, the paper's beside ours, answers; in four formats."""

from collections.abc import Sequence
from pathlib import Path

from specialize.contents import TABLES, WITHOUT_SCORES, table_cells
from specialize.errors import SpecializeError
from specialize.experiment import Experiment
from specialize.tables.answers import answers_table
from specialize.tables.formats import Entry, Table, to_html, to_latex, to_markdown, write_table
from specialize.tables.inputs import corpora_table, corpus_statistics, hyperparameters_table, vocabulary_statistics
from specialize.tables.replication import DEVIATIONS, replication_table, replications
from specialize.tables.results import (
    comparisons_table,
    multi_task_all_table,
    multi_task_table,
    single_task_table,
    transliteration_table,
)
from specialize.tables.scores import (
    NOT_CONVERGED,
    PRIMARY_METRIC,
    TASK_TITLES,
    Scores,
    load_scores,
    mean_and_deviation,
)
from specialize.tables.statistics import Comparison, compare, comparisons

__all__ = [
    "DEVIATIONS",
    "NOT_CONVERGED",
    "PRIMARY_METRIC",
    "TABLES",
    "TASK_TITLES",
    "Comparison",
    "Entry",
    "Scores",
    "Table",
    "answers_table",
    "compare",
    "comparisons",
    "comparisons_table",
    "corpora_table",
    "corpus_statistics",
    "hyperparameters_table",
    "load_scores",
    "mean_and_deviation",
    "multi_task_all_table",
    "multi_task_table",
    "replication_table",
    "replications",
    "single_task_table",
    "to_html",
    "to_latex",
    "to_markdown",
    "transliteration_table",
    "vocabulary_statistics",
    "write_all",
    "write_table",
]

FROM_SCORES = {
    "single-task": single_task_table,
    "multi-task": multi_task_table,
    "transliteration": transliteration_table,
    "multi-task-all": multi_task_all_table,
    "comparisons": comparisons_table,
    "replication": replication_table,
    "answers": answers_table,
}


def write_all(experiment: Experiment, run: Path, names: Sequence[str]) -> None:
    """Write the named tables of a run in all formats, each from the scores of its own cells.

    Raises:
        SpecializeError: if a result is missing, or there is no table of that name.
    """
    for name in names:
        if name not in TABLES:
            raise SpecializeError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    needed = dict.fromkeys(cell for name in names for cell in table_cells(experiment, name))
    scores = load_scores(experiment, run, needed)
    for name in names:
        if name in WITHOUT_SCORES:
            table = corpora_table(experiment, run) if name == "corpora" else hyperparameters_table(experiment)
        else:
            table = FROM_SCORES[name](experiment, scores)
        write_table(table, run / "results" / "tables")
