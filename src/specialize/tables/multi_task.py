"""The paper's Tables 3 and 6: multi-task models, and models finetuned from them, beside the best single-task ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from specialize.experiment import MULTI_TASK_REGIMES, REGIMES, TASKS, Experiment, Language
from specialize.experiment.regimes import Method
from specialize.tables.blocks import Block, Row, block_cells, column_titles, method_row, score_notes, with_task
from specialize.tables.contents import MULTI_TASK
from specialize.tables.formats import Entry, Table
from specialize.tables.names import key_of_names
from specialize.tables.scores import TASK_TITLES, Scores, single_task_methods

BASELINE = "best single-task"
BASELINE_NOTE = (
    "Best single-task: of each language and task, with its representation; it competes with the rows below it."
)
AS_UPS = "as UPS"


def multi_task_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 3: UPS + ALT with and without pre-finetuning, against the best single-task result."""
    languages = _languages(experiment, {tag for tag, method, _ in scores.by_seed if method.regime == MULTI_TASK})
    methods = [
        Method(name, MULTI_TASK, prefinetuned)
        for prefinetuned in (False, True)
        for name in experiment.grid_representations
    ]
    table = Table(
        "multi-task",
        "Multi-task scores (UPS + ALT, with and without pre-finetuning, PFT) on the test data beside the best "
        "single-task result: mean ± standard deviation over seeds, in percent.",
        ["Task", "Model", *column_titles(languages)],
    )
    blocks = _blocks(experiment, scores, languages, methods)
    for block in blocks:
        for row, cells in zip(block.rows, block_cells(experiment, scores, block, languages), strict=True):
            table.rows.append([Entry(TASK_TITLES[block.task]), Entry(row.title), *cells])
    table.notes = score_notes(experiment, scores, blocks)
    table.notes += [BASELINE_NOTE, key_of_names(experiment, multi_task=True)]
    return table


def multi_task_all_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 6: all multi-task regimes, and pre-finetuning from those that the grid has it for."""
    there = {method for _, method, _ in scores.by_seed if not method.single_task}
    languages = _languages(experiment, {tag for tag, method, _ in scores.by_seed if method in there})
    starts = {MULTI_TASK, *(method.regime for method in there if method.prefinetuned)}
    kinds = [(regime, False) for regime in MULTI_TASK_REGIMES]
    kinds += [(regime, True) for regime in MULTI_TASK_REGIMES if regime in starts]
    methods = [Method(name, *kind) for kind in kinds for name in experiment.grid_representations]
    table = Table(
        "multi-task-all",
        "Multi-task scores of all regimes on the test data: mean ± standard deviation over seeds, in percent.",
        ["Task", "Regime", "Representation", *column_titles(languages)],
    )
    blocks = _blocks(experiment, scores, languages, methods)
    for block in blocks:
        for row, cells in zip(block.rows, block_cells(experiment, scores, block, languages), strict=True):
            start = [Entry(TASK_TITLES[block.task]), Entry(BASELINE), Entry("")]
            if row.method:
                start[1:] = [Entry(row.method.regime_title), Entry(row.method.representation)]
            table.rows.append([*start, *cells])
    table.notes = score_notes(experiment, scores, blocks)
    table.notes += [BASELINE_NOTE, key_of_names(experiment, multi_task=True)]
    coinciding = sorted(
        language.tag for language in languages if language.has_regime("mtl-ups") and not language.has_regime("mtl-int")
    )
    if coinciding:
        names = ", ".join(experiment.languages[tag].name for tag in coinciding)
        table.notes.append(
            f"{AS_UPS}: without named entities all data sets are the one treebank, so that INT and UPS coincide; run "
            f"once, as UPS, whose score stands in the averages: {names}."
        )
    return table


def _languages(experiment: Experiment, tags: set[str]) -> list[Language]:
    """The languages of these tags, in the order of the grid."""
    return [language for language in experiment.grid_languages if language.tag in tags]


def _blocks(
    experiment: Experiment, scores: Scores, languages: Sequence[Language], methods: Iterable[Method]
) -> list[Block]:
    """A block for each task: the best single-task results, then a row for each method."""
    blocks = []
    for task in TASKS:
        columns = with_task(languages, task)
        if columns:
            rows = [_baseline(experiment, scores, columns, task)]
            rows += [_multi_task_row(scores, columns, task, method) for method in methods]
            blocks.append(Block.of(task, columns, rows))
    return blocks


def _baseline(experiment: Experiment, scores: Scores, languages: Sequence[Language], task: str) -> Row:
    """The best single-task result of each language (paper §3.2)."""
    keys = {}
    for language in languages:
        methods = [one for one in single_task_methods(experiment) if (language.tag, one, task) in scores.by_seed]
        if methods:
            best = [*scores.ranked(language.tag, task, methods), *methods][0]  # the first, if none converged
            keys[language.tag] = (language.tag, best, task)
    return Row(BASELINE, keys)


def _multi_task_row(scores: Scores, languages: Sequence[Language], task: str, method: Method) -> Row:
    """The row of a method; where its interleaving is the same as upsampling, the latter's scores count."""
    row = method_row(scores, languages, task, method)
    if method.prefinetuned or REGIMES[method.regime].mixing != "int":
        return row
    keys, instead = {}, {}
    for language in languages:
        key = (language.tag, method, task)
        if not language.has_regime(method.regime):
            key = (language.tag, replace(method, regime=_upsampled(method.regime)), task)
            if key in scores.by_seed:
                instead[language.tag] = AS_UPS
        if key in scores.by_seed:
            keys[language.tag] = key
    return replace(row, keys=keys, instead=instead)


def _upsampled(regime: str) -> str:
    """The regime that upsamples and is otherwise the same."""
    joint = REGIMES[regime].joint
    return next(name for name in MULTI_TASK_REGIMES if REGIMES[name].mixing == "ups" and REGIMES[name].joint == joint)
