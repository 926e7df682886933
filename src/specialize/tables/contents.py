"""Every table and figure that there is, and what each is made of. Light: each start of the workflow reads it.

A new table or figure is a module of its own and an entry here; what makes it is imported when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from specialize.experiment import Cell, Experiment
from specialize.tables.baselines import baseline, is_beside_paper
from specialize.tables.beyond_paper import effect_cells, encoder_weights, method_cells
from specialize.tables.fold_files import fold_cells, fold_files, labeled_and_predicted
from specialize.tables.paper import TABLE_2, TABLE_3, TABLE_4, UPS_ALT

MULTI_TASK = UPS_ALT  # Table 3's, the best of the regimes before pre-finetuning (paper §3.3)


# -- which cells ---------------------------------------------------------------------------------------------


def is_printed(experiment: Experiment, cell: Cell) -> bool:
    """Whether the paper prints a score of this cell; of data that it divided otherwise, it does not."""
    if cell.split:
        return False
    tasks = experiment.languages[cell.language].tasks_of(cell.regime)
    keys = [(cell.language, cell.method, task) for task in tasks]
    return any(key in printed for key in keys for printed in (TABLE_2, TABLE_3, TABLE_4))


def _every_cell(experiment: Experiment) -> Sequence[Cell]:
    return experiment.cells


def _single_task(experiment: Experiment) -> Sequence[Cell]:
    return experiment.single_task_cells


def _without_twins(experiment: Experiment) -> Sequence[Cell]:
    return [cell for cell in experiment.single_task_cells if experiment.languages[cell.language].original is None]


def _multi_task(experiment: Experiment) -> Sequence[Cell]:
    return _after_single_task(experiment, [cell for cell in experiment.cells if cell.method.regime == MULTI_TASK])


def _all_multi_task(experiment: Experiment) -> Sequence[Cell]:
    return _after_single_task(experiment, [cell for cell in experiment.cells if not cell.method.single_task])


def _after_single_task(experiment: Experiment, cells: list[Cell]) -> list[Cell]:
    """Multi-task cells after the single-task ones of their languages, the best of which they are compared with."""
    languages = {cell.language for cell in cells}
    return [*(cell for cell in experiment.single_task_cells if cell.language in languages), *cells]


def transliterated_cells(experiment: Experiment) -> list[Cell]:
    """Single-task cells of transliterated twins, after those of their originals."""
    afterwards = [cell for cell in experiment.single_task_cells if experiment.languages[cell.language].original]
    pairs = {(experiment.languages[cell.language].original, cell.regime) for cell in afterwards}
    return [*(cell for cell in experiment.single_task_cells if (cell.language, cell.regime) in pairs), *afterwards]


def _in_paper(experiment: Experiment) -> Sequence[Cell]:
    return [cell for cell in experiment.cells if is_printed(experiment, cell)]


def replicated_cells(experiment: Experiment) -> list[Cell]:
    """The single-task cells that are set beside the score that the paper's Table 2 prints of them."""
    return [
        cell
        for cell in experiment.single_task_cells
        if not cell.split
        and (cell.language, cell.method, cell.regime) in TABLE_2
        and is_beside_paper(experiment, cell.representation)
    ]


# -- tables --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TableEntry:
    """A table of the registry.

    Attributes:
        function: what builds it, as module:name. It takes the experiment, and the scores of `cells`; without `cells`,
            or with `statistics` or `files`, the experiment and the run's folder.
        caption: for the report.
        cells: the cells of the grid whose scores it prints or compares; None: it is made without scores.
        statistics: whether it reads the statistics of texts and vocabularies.
        files: further files that it reads, relative to the run.
        sentences: whether it draws test sentences, if a statistic that does so is requested.
        category: of the report.
    """

    function: str
    caption: str
    cells: Callable[[Experiment], Iterable[Cell]] | None = None
    statistics: bool = False
    files: Callable[[Experiment], Iterable[str]] | None = None
    sentences: bool = False
    category: str = "Tables"

    @property
    def reads_run(self) -> bool:
        """Whether it is made from the run's folder, and not from scores alone."""
        return self.cells is None or self.statistics or self.files is not None


# The paper's 1 to 6, then what it does not have.
TABLES = {
    "corpora": TableEntry(
        "specialize.tables.inputs:corpora_table",
        "The paper's Table 1 beside this run: how much text there is, and how well each vocabulary covers it.",
        statistics=True,
    ),
    "single-task": TableEntry(
        "specialize.tables.single_task:single_task_table",
        "The paper's Table 2: test scores of each representation, mean and standard deviation over seeds.",
        _without_twins,
    ),
    "multi-task": TableEntry(
        "specialize.tables.multi_task:multi_task_table",
        "The paper's Table 3: multi-task models (UPS + ALT), and models finetuned from them, against the best "
        "single-task result.",
        _multi_task,
    ),
    "transliteration": TableEntry(
        "specialize.tables.transliteration:transliteration_table",
        "The paper's Table 4: test scores before and after transliteration to Latin letters.",
        transliterated_cells,
    ),
    "hyperparameters": TableEntry(
        "specialize.tables.inputs:hyperparameters_table",
        "The paper's Table 5: everything this run was configured with.",
    ),
    "multi-task-all": TableEntry(
        "specialize.tables.multi_task:multi_task_all_table",
        "The paper's Table 6: all multi-task regimes.",
        _all_multi_task,
    ),
    "comparisons": TableEntry(
        "specialize.tables.comparisons:comparisons_table",
        "Every two representations against each other, by paired t-tests over seeds.",
        _single_task,
        sentences=True,
    ),
    "folds": TableEntry(
        "specialize.tables.folds:folds_table",
        "Cross-validated scores: their spread over folds, and scores over all test sentences together.",
        fold_cells,
        files=fold_files,
    ),
    "replication": TableEntry(
        "specialize.tables.replication:replication_table",
        "The paper's Tables 2, 3 and 4 beside this run, where both have a cell.",
        _in_paper,
    ),
    "answers": TableEntry(
        "specialize.tables.answers:answers_table",
        "The best method for each language and task, and what this run says to the paper's four questions.",
        _every_cell,
        sentences=True,
        category="Answers",
    ),
    "effects": TableEntry(
        "specialize.tables.effects:effects_table",
        "By how many points each method is better than the base model over all languages and tasks, by mixed models.",
        effect_cells,
        category="Answers",
    ),
    "methods": TableEntry(
        "specialize.tables.methods:methods_table",
        "What each method costs and gains: its size, hours and memory beside its scores, and their tests against the "
        "best. Hours differ from run to run.",
        method_cells,
        statistics=True,
        files=encoder_weights,
        category="Answers",
    ),
    "costs": TableEntry(
        "specialize.tables.costs:costs_table",
        "What stands beside the answers: scores of each method on development and test data, its hours and memory, and "
        "how its vocabulary covers the language. Hours differ from run to run.",
        _every_cell,
        statistics=True,
        category="Answers",
    ),
}


def table_cells(experiment: Experiment, table: str) -> tuple[Cell, ...]:
    """The cells of the grid whose scores a table prints or compares."""
    cells = TABLES[table].cells
    return () if cells is None else tuple(cells(experiment))


def table_inputs(experiment: Experiment, table: str) -> list[str]:
    """The files that a table is made from, relative to the run."""
    statistics = statistics_files(experiment) if TABLES[table].statistics else []
    files = TABLES[table].files or (lambda experiment: [])
    cells = table_cells(experiment, table)
    return [*statistics, *(cell.metrics for cell in cells), *files(experiment), *sentence_files(experiment, table)]


def sentence_files(experiment: Experiment, table: str) -> list[str]:
    """The test sentences and predictions that a table draws from on request; none of folds, which are not drawn."""
    if not (TABLES[table].sentences and "hierarchical-bootstrap" in experiment.config["tables"]["statistics"]):
        return []
    cells = [cell for cell in table_cells(experiment, table) if not cell.fold]
    return list(dict.fromkeys(path for cell in cells for path in labeled_and_predicted(experiment, cell)))


def tables_of(experiment: Experiment) -> list[str]:
    """The tables that a run makes: all but those of scores that the grid has none of."""
    return [name for name, table in TABLES.items() if table.cells is None or table_cells(experiment, name)]


def statistics_files(experiment: Experiment) -> list[str]:
    """The statistics of the grid's texts and vocabularies, relative to the run."""
    corpora = [language.tag for language in experiment.grid_languages if language.has_corpus]
    return [
        *(f"results/corpora/{tag}/statistics.json" for tag in corpora),
        *(f"results/vocabularies/{tag}/{name}/statistics.json" for tag, name in experiment.vocabularies),
    ]


def diagnosis_inputs(experiment: Experiment) -> list[str]:
    """The statistics that a diagnosis is made from, also of treebanks, a twin's being its original's; and what new
    pieces are measured on."""
    tags = [language.original or language.tag for language in experiment.grid_languages if language.has_treebank]
    treebanks = [f"results/datasets/{tag}/statistics.json" for tag in dict.fromkeys(tags)]
    grown = [(tag, name) for tag, name in experiment.vocabularies if experiment.piece_choice(name)]
    measured = dict.fromkeys(path for tag, name in grown for path in new_pieces_inputs(experiment, tag, name))
    return statistics_files(experiment) + treebanks + list(measured)


def new_pieces_inputs(experiment: Experiment, tag: str, name: str) -> list[str]:
    """What the new pieces of a language's representation are measured with: its own held-out text, its vocabulary and
    its base's (which comes with the configuration), and words of other languages."""
    return [
        f"{experiment.base_folder(experiment.representations[name].base_model)}/config.json",
        f"results/corpora/{tag}/test.txt",
        f"results/vocabularies/{tag}/{name}/tokenizer.json",
        *(experiment.languages[other].held_out_treebank for other in experiment.other_languages(tag, name)),
    ]


# -- figures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FigureEntry:
    """A figure of the registry.

    Attributes:
        function: what draws it, as module:name; it takes the experiment and the run's folder, and returns the figure.
        inputs: the files that it is drawn from, relative to the run; none if the grid has nothing to draw.
        caption: for the report.
        category: of the report.
    """

    function: str
    inputs: Callable[[Experiment], list[str]]
    caption: str
    category: str = "Tables"


def _pretraining_inputs(experiment: Experiment) -> list[str]:
    return [f"{experiment.encoder_folder(tag, name)}/history.json" for tag, name in experiment.adaptations]


def _learning_curve_inputs(experiment: Experiment) -> list[str]:
    return [f"{cell.folder}/history.json" for cell in experiment.single_task_cells]


def _score_inputs(experiment: Experiment) -> list[str]:
    return [cell.metrics for cell in experiment.cells]


def _sweep_inputs(experiment: Experiment) -> list[str]:
    if not experiment.sweep:
        return []
    return [*(cell.metrics for cell in experiment.single_task_cells), *statistics_files(experiment)]


def _replication_inputs(experiment: Experiment) -> list[str]:
    return [cell.metrics for cell in replicated_cells(experiment)]


def _gain_inputs(experiment: Experiment) -> list[str]:
    measured = any(cell.representation == baseline(experiment) for cell in experiment.single_task_cells)
    comparable = _comparison_inputs(experiment)
    return [*comparable, *statistics_files(experiment)] if measured and comparable else []


def _comparison_inputs(experiment: Experiment) -> list[str]:
    cells = experiment.single_task_cells
    several = len({cell.representation for cell in cells}) > 1
    return [cell.metrics for cell in cells] if several else []


def _effect_inputs(experiment: Experiment) -> list[str]:
    return [cell.metrics for cell in effect_cells(experiment)]


def _transliteration_inputs(experiment: Experiment) -> list[str]:
    return [cell.metrics for cell in transliterated_cells(experiment)]


FIGURES = {
    "pretraining": FigureEntry(
        "specialize.tables.figures.pretraining:draw_pretraining",
        _pretraining_inputs,
        "The masked loss of each model by epoch: of the training text as it went, and of the validation text after "
        "each epoch. The epoch of the lowest validation loss is the one that is kept. Losses of different "
        "vocabularies do not compare.",
        category="Pretraining",
    ),
    "learning-curves": FigureEntry(
        "specialize.tables.figures.learning_curves:draw_learning_curves",
        _learning_curve_inputs,
        "Development scores of single-task finetuning by epoch: the mean over seeds, as far as all of them were "
        "trained, in a band from the lowest to the highest; a marker for each seed at the epoch that was kept and "
        "scored once on the test data. In the first epoch only the heads learn; in the two after it the rate rises.",
        category="Finetuning",
    ),
    "scores": FigureEntry(
        "specialize.tables.figures.scores:draw_scores",
        _score_inputs,
        "Test score of each method, mean and standard deviation over seeds. Hollow: significantly below the best of "
        "the language and task, by a one-sided paired t-test over seeds (p < 0.05, Bonferroni-corrected); of two seeds "
        "only, that is worth little. No variance: the differences of all seeds are alike, so that there is no test.",
    ),
    "sweep": FigureEntry(
        "specialize.tables.figures.sweep:draw_sweep",
        _sweep_inputs,
        "Test scores by the number n of new wordpieces, a line for each multiplier a of their learning rate; bars are "
        "standard deviations over seeds.",
    ),
    "replication": FigureEntry(
        "specialize.tables.figures.replication:draw_replication",
        _replication_inputs,
        "Test scores of this run (filled, with its standard deviation) beside the paper's (hollow, with two of its "
        "own), which are of five seeds and of Wikipedias of December 2020.",
    ),
    "gains": FigureEntry(
        "specialize.tables.figures.gains:draw_gains",
        _gain_inputs,
        "What each representation gains in single-task learning over the one named below the axis. Languages are "
        "ordered by what stands behind their names: the share of words that the base vocabulary cannot read, and the "
        "number of pieces it cuts a word into. ρ: Spearman's rank correlation over languages.",
    ),
    "transliteration": FigureEntry(
        "specialize.tables.figures.transliteration:draw_transliteration",
        _transliteration_inputs,
        "Single-task test scores before and after transliteration to Latin letters, mean over seeds.",
    ),
    "significance": FigureEntry(
        "specialize.tables.figures.significance:draw_significance",
        _comparison_inputs,
        "By how many points the row's representation scores higher than the column's in single-task learning, over the "
        "seeds that both have; the darker, the more. With a star: significantly, by a one-sided paired t-test over "
        "seeds (p < 0.05, Bonferroni-corrected); in brackets, of two seeds only, which is worth little. With a dagger: "
        "the differences of all seeds are alike, so that there is no test.",
    ),
    "effects": FigureEntry(
        "specialize.tables.figures.effects:draw_effects",
        _effect_inputs,
        "By how many points each method is better than the one named below the axis over all languages and tasks: the "
        "effect of a mixed model with its 95 % interval, and in grey the difference of means of each language and "
        "task. Hollow: the interval holds 0. No interval: there is no model, for the reason that stands there.",
    ),
}


def figure_inputs(experiment: Experiment) -> dict[str, list[str]]:
    """The figures that the grid has something to draw for, with the files that each is drawn from."""
    inputs = {name: figure.inputs(experiment) for name, figure in FIGURES.items()}
    return {name: files for name, files in inputs.items() if files}


def imported(function: str) -> Any:
    """The function of an entry, imported now."""
    return resolve_name(function)
