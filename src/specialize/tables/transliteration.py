"""The paper's Table 4: scores before and after transliteration."""

from __future__ import annotations

from specialize.experiment import Experiment
from specialize.tables.folds import fold_notes
from specialize.tables.formats import Entry, Table
from specialize.tables.names import key_of_names
from specialize.tables.scores import NOT_CONVERGED, NOT_IN_GRID, TASK_TITLES, Key, Scores, single_task_methods
from specialize.tables.verdicts import tied


def transliteration_table(experiment: Experiment, scores: Scores) -> Table:
    """The paper's Table 4: each language before → after transliteration."""
    twins = [language for language in experiment.grid_languages if language.original is not None]
    table = Table(
        "transliteration",
        "Before → after transliteration to Latin letters (change in points), mean over seeds.",
        ["Language", "Task", *experiment.grid_representations],
    )
    for twin in twins:
        assert twin.original is not None
        for task in twin.tasks:
            methods = single_task_methods(experiment)
            halves = [((twin.original, method, task), (twin.tag, method, task)) for method in methods]
            if not any(after in scores.by_seed for _, after in halves):
                continue
            means = [scores.mean(key) for pair in halves for key in pair]
            best = max((mean for mean in means if mean is not None), default=None)
            cells = [_before_and_after(scores, *pair, best) for pair in halves]
            name = experiment.languages[twin.original].name
            table.rows.append([Entry(name), Entry(TASK_TITLES[task]), *cells])
    table.notes = [
        "Bold: holds the highest mean of its row, before or after; where the grid has only one of these, it competes.",
        key_of_names(experiment),
    ]
    if any(None in seeds.values() for seeds in scores.by_seed.values()):
        table.notes.append(f"{NOT_CONVERGED}: a seed did not converge.")
    table.notes += fold_notes(experiment, scores, scores.by_seed, tested=False)
    return table


def _before_and_after(scores: Scores, before: Key, after: Key, best: float | None) -> Entry:
    means = scores.mean(before), scores.mean(after)
    halves = [
        NOT_IN_GRID if key not in scores.by_seed else NOT_CONVERGED if mean is None else f"{mean:.2f}"
        for key, mean in zip((before, after), means, strict=True)
    ]
    text = halves[0] if means == (None, None) and halves[0] == halves[1] else " → ".join(halves)
    if means[0] is not None and means[1] is not None:
        text += f" ({means[1] - means[0]:+.2f})"
    return Entry(text, best=any(tied(mean, best) for mean in means))
