"""All comparisons of two representations."""

from __future__ import annotations

from specialize.experiment import Experiment
from specialize.tables.folds import fold_notes
from specialize.tables.formats import NOTHING, Table, number
from specialize.tables.names import key_of_names
from specialize.tables.scores import TASK_TITLES, Scores
from specialize.tables.statistics import (
    LEVEL,
    bootstrap_interval,
    comparisons,
    correction,
    effect_size,
    holm,
    wilcoxon,
)
from specialize.tables.verdicts import NO_VARIANCE, TWO_SEEDS, VARIANCE_NOTE

# On request (config tables.statistics): the columns that each adds to the comparisons.
REQUESTED = {
    "wilcoxon": ["Wilcoxon p"],
    "bootstrap": ["Bootstrap 95% interval"],
    "effect-size": ["Effect size d"],
    "holm": ["p after Holm"],
}
INDEPENDENT = ("wilcoxon", "bootstrap", "effect-size")  # take differences for independent of each other


def comparisons_table(experiment: Experiment, scores: Scores) -> Table:
    """Every two representations of a language and task against each other."""
    requested = experiment.config["tables"]["statistics"]
    table = Table(
        "comparisons",
        "One-sided paired t-tests: does the first representation score higher than the second?",
        ["Language", "Task", "Higher", "Lower", "Difference", "Error reduction", "Seeds", "t", "p", "p corrected"],
    )
    table.columns += ["Significant", *(title for name in requested for title in REQUESTED[name])]
    found = comparisons(experiment, scores)
    stepwise = holm([tested.p for tested in found])
    for tested, after_holm in zip(found, stepwise, strict=True):
        texts = [experiment.languages[tested.language].name, TASK_TITLES[tested.task]]
        texts += [tested.better[1].title, tested.other[1].title]
        texts.append(number(tested.difference, ".2f"))
        texts += [number(tested.error_reduction, ".1%"), tested.counted, number(tested.t, ".2f")]
        texts += [number(tested.p, ".2g"), number(tested.corrected_p, ".2g")]
        texts.append(tested.verdict)
        for name in requested:
            if tested.untested or (tested.folds and name in INDEPENDENT):
                texts.append(NOTHING)
            elif name == "wilcoxon":
                texts.append(number(wilcoxon(tested.differences), ".2g"))
            elif name == "bootstrap":
                low, high = bootstrap_interval(tested.differences)
                texts.append(f"{low:.2f} to {high:.2f}")
            elif name == "effect-size":
                texts.append(number(effect_size(tested.differences), ".2f"))
            else:
                texts.append(number(after_holm, ".2g"))
        table.add(*texts)
    table.notes = [
        "Higher: by the mean over its own seeds. Difference (in points), error reduction (the share of the lower's "
        "errors that the higher does not make) and test: over the seeds that both have, whose number stands in column "
        "Seeds; fewer than two give no test. "
        f"p corrected: Bonferroni, by {correction(experiment)}; significant below {LEVEL}."
    ]
    table.notes += [VARIANCE_NOTE] if any(tested.untested == NO_VARIANCE for tested in found) else []
    table.notes += [TWO_SEEDS] if any(tested.two_seeds for tested in found) else []
    explained = {
        "wilcoxon": "Wilcoxon: one-sided signed-rank test, uncorrected; of n seeds it is never below 1/2^n.",
        "bootstrap": "Bootstrap: percentile interval of the difference, seeds drawn with replacement; of two seeds it "
        "goes from one difference to the other.",
        "effect-size": "Effect size: Cohen's d of paired differences, their mean in standard deviations.",
        "holm": f"Holm: p corrected over all {sum(tested.tested for tested in found)} comparisons of this table.",
    }
    table.notes += [explained[name] for name in requested]
    table.notes += fold_notes(experiment, scores, (key for tested in found for key in (tested.better, tested.other)))
    if any(tested.folds for tested in found) and set(INDEPENDENT) & set(requested):
        table.notes.append(
            "Of cross-validated scores stand no Wilcoxon test, bootstrap interval or effect size: these take "
            "differences for independent of each other, which those of folds with common training sentences are not."
        )
    table.notes.append(key_of_names(experiment))
    return table
