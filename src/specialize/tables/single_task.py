"""The paper's Table 2: single-task scores of every representation."""

from __future__ import annotations

from specialize.experiment import TASKS, Experiment
from specialize.experiment.regimes import Method
from specialize.tables.baselines import unaugmented
from specialize.tables.blocks import Block, block_cells, column_titles, method_row, score_notes, with_task
from specialize.tables.formats import NOTHING, Entry, Table
from specialize.tables.names import key_of_names
from specialize.tables.scores import TASK_TITLES, Scores, single_task_methods


def single_task_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 2: every representation on every language, a block for each task."""
    regimes = experiment.config["experiment"]["regimes"]
    tasks = [task for task in TASKS if task in regimes]
    languages = [
        language
        for language in experiment.grid_languages
        if language.original is None and set(language.tasks) & set(tasks)
    ]
    reference = unaugmented(experiment)
    table = Table(
        "single-task",
        "Single-task scores on the test data: mean ± standard deviation over seeds, in percent.",
        ["Task", "Representation", *column_titles(languages)],
    )
    if reference:
        table.columns.append(f"Largest error reduction over {reference}")
    blocks = []
    for task in tasks:
        columns = with_task(languages, task)
        if columns:
            rows = [method_row(scores, columns, task, method) for method in single_task_methods(experiment)]
            blocks.append(Block.of(task, columns, rows))
    for block in blocks:
        for row, cells in zip(block.rows, block_cells(experiment, scores, block, languages), strict=True):
            start = [Entry(TASK_TITLES[block.task]), Entry(row.title)]
            reduction = []
            if reference and row.method:
                reduction = [Entry(_largest_reduction(scores, block, row.method, Method(reference)))]
            table.rows.append([*start, *cells, *reduction])
    table.notes = score_notes(experiment, scores, blocks)
    if reference:
        table.notes.append(
            f"Error reduction: the share of {reference}'s errors (100 − its mean) that the row does not make, in the "
            "language where it is largest; table comparisons has them all."
        )
    table.notes.append(key_of_names(experiment))
    return table


def _largest_reduction(scores: Scores, block: Block, method: Method, reference: Method) -> str:
    """By which share a method lowers the reference's errors, in the language where it does most."""
    reductions = []
    for language in block.languages:
        own, other = (scores.mean((language.tag, one, block.task)) for one in (method, reference))
        if own is not None and other is not None and other < 100:
            reductions.append(((own - other) / (100 - other), language.name))
    if method == reference or not reductions:
        return NOTHING
    reduction, language_name = max(reductions)
    return f"{reduction:.1%} ({language_name})" if reduction > 0 else "none"
