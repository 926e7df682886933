"""Which method is better in general: a table of effects over all languages and tasks."""

from __future__ import annotations

import math

from specialize.experiment import Experiment
from specialize.experiment.regimes import Method
from specialize.tables.baselines import baseline
from specialize.tables.beyond_paper import effect_cells
from specialize.tables.fold_files import fold_cells
from specialize.tables.formats import NOTHING, Table, number
from specialize.tables.mixed_model import Effect, effect
from specialize.tables.names import bases_of, key_of_names
from specialize.tables.scores import NOT_CONVERGED, Scores
from specialize.tables.statistics import holm

NO_REFERENCE = "the grid has neither the base model as it is nor one that is pretrained further without new pieces"


def effects(experiment: Experiment, scores: Scores) -> tuple[Method | None, dict[Method, Effect]]:
    """The method that others are set against, None if the grid has none, and the effect of each other one."""
    name = baseline(experiment, effect_cells(experiment))
    if name is None:
        return None, {}
    reference = Method(name)
    places = list(dict.fromkeys((language, task) for language, _, task in scores.by_seed))
    methods = dict.fromkeys(method for _, method, _ in scores.by_seed if method != reference)
    return reference, {method: effect(scores, method, reference, places) for method in methods}


def effects_table(experiment: Experiment, scores: Scores) -> Table:
    """The effect of each method against the reference, with its interval; or why there is none."""
    reference, found = effects(experiment, scores)
    against = reference.title if reference else NOTHING
    table = Table(
        "effects",
        f"By how many points each method is better than {against} over languages and tasks, by mixed models.",
        ["Method", "Against", "Effect", "95% interval", "p", "p after Holm", "From place to place", "Places"],
    )
    stepwise = holm([one.p for one in found.values()])
    for (method, one), corrected in zip(found.items(), stepwise, strict=True):
        row = [method.title, against]
        if one.reason:
            table.add(*row, f"{NOTHING} ({one.reason})", *[NOTHING] * 4, str(len(one.by_place)))
            continue
        row += [f"{one.points:+.2f}", f"{one.low:.2f} to {one.high:.2f}", number(one.p, ".2g")]
        table.add(*row, number(corrected, ".2g"), number(one.between, ".2f"), str(len(one.by_place)))
    if reference is None:
        table.notes.append(f"No effects: {NO_REFERENCE}.")
    table.notes += [
        "Effect: in points, of a linear mixed model of the scores of two methods: the level of each place (a language "
        "and task) and the effect are fixed, what a method or a seed has at a place besides is random (REML). Interval "
        "and p (two-sided): of Student's t with places - 1 degrees of freedom, as normal quantiles cover 70 % for 95 % "
        "of two places and 81 % of three. From place to place: the standard deviation of the effect.",
        "What varies here is the place: the answer is for languages and tasks such as these, and more seeds do not "
        "make it surer. Tasks of one language are taken for independent of each other; points of accuracy, LAS and F1 "
        "count alike.",
    ]
    if len(bases_of(experiment)) > 1:
        table.notes.append(f"An effect of a method on another base model than {against} has that of the base in it.")
    if any(math.isnan(one.between) and not one.reason for one in found.values()):
        table.notes.append("–, from place to place: with one seed it cannot be told from what varies over seeds.")
    if any(scores.converged(key) is None for key in scores.by_seed):
        table.notes.append(f"{NOT_CONVERGED}: places where a seed of one of the two did not converge are left out.")
    if any(cell.language in {tag for tag, *_ in scores.by_seed} for cell in fold_cells(experiment)):
        table.notes.append("Of cross-validated data, a score is the mean of a seed over folds.")
    table.notes.append(key_of_names(experiment, multi_task=True))
    return table
