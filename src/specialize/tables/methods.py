"""What each method costs and gains, with the tests between them: of grids that go beyond the paper's methods."""

from __future__ import annotations

import math
from pathlib import Path

from specialize.bases.weights import WEIGHTS, stored_tensors
from specialize.experiment import Experiment, Language
from specialize.experiment.regimes import Method
from specialize.tables.best import Best, best_methods, comparisons_note
from specialize.tables.costs import covered, learned, taken
from specialize.tables.formats import NOTHING, Entry, Table, number
from specialize.tables.inputs import vocabulary_statistics
from specialize.tables.names import key_of_names
from specialize.tables.scores import TASK_TITLES, Scores, load_scores, mean_and_deviation
from specialize.tables.statistics import LEVEL
from specialize.tables.verdicts import PRETRAINED_ONCE

NOT_RUN = "not run"
SIZES = ("Parameters, millions", "Learned", "Pieces per word", "Pretraining, hours", "Finetuning, hours", "Memory, GB")


def methods_table(experiment: Experiment, run: Path) -> Table:
    """A row for each language and method: sizes, hours and memory, and of each task the score and its test."""
    scores = load_scores(experiment, run)
    vocabularies = vocabulary_statistics(experiment, run)
    tasks = list(dict.fromkeys(task for _, _, task in scores.by_seed))
    of_tasks = [title for task in tasks for title in (TASK_TITLES[task], f"{task.upper()}: behind the best (p)")]
    table = Table(
        "methods",
        "What each method costs and gains: its size, hours and memory beside its scores and their tests.",
        ["Language", "Method", *SIZES, *of_tasks],
    )
    found: list[Best] = []
    for language in experiment.grid_languages:
        best = {one.winner[2]: one for one in best_methods(experiment, scores, language)}
        found += best.values()
        known = [method for task in language.tasks for method in scores.methods(language.tag, task)]
        for method in dict.fromkeys([*map(Method, experiment.grid_representations), *known]):
            statistics = vocabularies.get((language.tag, method.representation))
            representation = experiment.representations[method.representation]
            own = representation.method == "scratch"
            cells = [cell for cell in experiment.cells if (cell.language, cell.method) == (language.tag, method)]
            texts = [language.name, method.title, _parameters(experiment, run, language, method)]
            texts += [learned(experiment, run, language, method)[0], covered(statistics, own)[0]]
            texts += taken(run, language, representation.of or representation.name, cells)
            row = [Entry(text) for text in texts]
            for task in tasks:
                row += _scored(scores, best.get(task), (language.tag, method, task))
            table.rows.append(row)
    table.notes = [
        "Parameters: of the pretrained model as it is kept, embeddings and the head that predicts masked pieces "
        "included. Learned: how many numbers learn in pretraining on the language; of low-rank updates those of the "
        "updates, which are merged into the model at the end. Hours: of pretraining on the language (of a trimmed "
        "model: that of the one it is of), and of all finetuning jobs together, as timed here. Memory: the most that "
        "one of these jobs took, without that of a GPU.",
        "Scores are of the test data, mean ± standard deviation over seeds. Bold: the best of the language and task by "
        "the scores on development data. Behind the best: by how many points that one scores higher over the seeds "
        "that both have, and p of a one-sided paired t-test of it, corrected as in table answers (Holm, and the number "
        f"of all that might have been named the best); significant below {LEVEL}. {NOT_RUN}: the grid does not have "
        "it.",
        comparisons_note(experiment, found),
        PRETRAINED_ONCE,
        key_of_names(experiment, multi_task=True),
    ]
    return table


def _parameters(experiment: Experiment, run: Path, language: Language, method: Method) -> str:
    """Millions of numbers in the weights of the pretrained model."""
    path = run / experiment.encoder_folder(language.tag, method.representation) / WEIGHTS
    if not path.is_file():
        return NOTHING
    return f"{sum(math.prod(stored.shape) for stored in stored_tensors([path]).values()) / 1e6:.2f}"


def _scored(scores: Scores, best: Best | None, key: tuple[str, Method, str]) -> list[Entry]:
    """The score, and how far it is behind the best, with p."""
    if key not in scores.by_seed:
        return [Entry(NOT_RUN), Entry(NOTHING)]
    if scores.converged(key) is None or best is None:
        return [Entry("did not converge"), Entry(NOTHING)]
    text = mean_and_deviation(scores, key)
    if key == best.winner:
        return [Entry(text, best=True), Entry(NOTHING)]
    (tested,) = (tested for tested in best.tests if tested.other == key)
    p = "not tested" if tested.untested else f"p {number(tested.corrected_p, '.2g')}"
    return [Entry(text), Entry(f"{number(tested.difference, '.2f')} ({p})")]
