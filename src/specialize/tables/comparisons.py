"""All comparisons of two representations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from specialize.experiment import Experiment
from specialize.tables.folds import fold_notes
from specialize.tables.formats import NOTHING, Table, number
from specialize.tables.hierarchical import DRAWS, HierarchicalBootstrap
from specialize.tables.names import key_of_names
from specialize.tables.scores import TASK_TITLES, Scores
from specialize.tables.statistics import (
    LEVEL,
    Comparison,
    almost_stochastic_order,
    bootstrap_interval,
    comparisons,
    correction,
    effect_size,
    holm,
    percentile_coverage,
    scores_of,
    wilcoxon,
)
from specialize.tables.verdicts import DIRECTION, NO_VARIANCE, ORDER_BELOW_HALF, TWO_SEEDS, VARIANCE_NOTE

# On request (config tables.statistics): the columns that each adds to the comparisons.
REQUESTED = {
    "wilcoxon": ["Wilcoxon p"],
    "bootstrap": ["Bootstrap 95% interval (true coverage)"],
    "effect-size": ["Effect size d"],
    "holm": ["p after Holm"],
    "hierarchical-bootstrap": ["Seeds and sentences: 95% interval", "Seeds and sentences: p"],
    "aso": ["Almost stochastic order"],
    "mixed-model": [],  # a table of its own, `effects`
}
# What takes seeds for independent of each other, which folds are not.
INDEPENDENT = {
    "wilcoxon": "Wilcoxon test",
    "bootstrap": "bootstrap interval",
    "effect-size": "effect size",
    "hierarchical-bootstrap": "interval over seeds and sentences",
    "aso": "almost stochastic order",
}


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
    drawn = HierarchicalBootstrap(scores)
    for tested, after_holm in zip(found, stepwise, strict=True):
        texts = [experiment.languages[tested.language].name, TASK_TITLES[tested.task]]
        texts += [tested.better[1].title, tested.other[1].title]
        texts.append(number(tested.difference, ".2f"))
        texts += [number(tested.error_reduction, ".1%"), tested.counted, number(tested.t, ".2f")]
        texts += [number(tested.p, ".2g"), number(tested.corrected_p, ".2g")]
        texts.append(tested.verdict)
        texts += [text for name in requested for text in _statistic(name, tested, after_holm, scores, drawn)]
        table.add(*texts)
    table.notes = [
        "Higher: by the mean over its own seeds. Difference (in points), error reduction (the share of the lower's "
        "errors that the higher does not make) and test: over the seeds that both have, whose number stands in column "
        "Seeds; fewer than two give no test. "
        f"p corrected: Bonferroni, by {correction(experiment)}; significant below {LEVEL}."
    ]
    table.notes += [VARIANCE_NOTE] if any(tested.untested == NO_VARIANCE for tested in found) else []
    table.notes += [TWO_SEEDS] if any(tested.two_seeds for tested in found) else []
    table.notes += [_explained(name, found) for name in requested]
    table.notes += [DIRECTION] if requested else []
    table.notes += fold_notes(experiment, scores, (key for tested in found for key in (tested.better, tested.other)))
    left_out = [title for name, title in INDEPENDENT.items() if name in requested]
    if any(tested.folds for tested in found) and left_out:
        table.notes.append(
            f"Of cross-validated scores stand no {', no '.join(left_out)}: these take differences for independent of "
            "each other, which those of folds with common training sentences are not."
        )
    table.notes.append(key_of_names(experiment))
    return table


def _statistic(
    name: str, tested: Comparison, after_holm: float, scores: Scores, drawn: HierarchicalBootstrap
) -> list[str]:
    """What a comparison has in the columns of a statistic."""
    if tested.untested or (tested.folds and name in INDEPENDENT):
        return [NOTHING] * len(REQUESTED[name])
    if name == "wilcoxon":
        return [number(wilcoxon(tested.differences), ".2g")]
    if name == "bootstrap":
        low, high = bootstrap_interval(tested.differences)
        return [f"{low:.2f} to {high:.2f} ({percentile_coverage(tested.seeds)}%)"]
    if name == "effect-size":
        return [number(effect_size(tested.differences), ".2f")]
    if name == "holm":
        return [number(after_holm, ".2g")]
    if name == "hierarchical-bootstrap":
        interval = drawn.interval(tested.better, tested.other)
        ends = NOTHING if math.isnan(interval.p) else f"{interval.low:.2f} to {interval.high:.2f}"
        return [ends, number(interval.p, ".2g")]
    if name == "aso":
        return [number(almost_stochastic_order(*scores_of(tested, scores)), ".2f")]
    return []


def _explained(name: str, found: Sequence[Comparison]) -> str:
    """What the columns of a statistic are."""
    return {
        "wilcoxon": "Wilcoxon: one-sided signed-rank test, uncorrected; of n seeds it is never below 1/2^n.",
        "bootstrap": "Bootstrap: percentile interval of the difference, seeds drawn with replacement; of two seeds it "
        "goes from one difference to the other. In brackets: how many such intervals hold the true difference on these "
        "test sentences, of seeds whose differences are normal; it should be 95%.",
        "effect-size": "Effect size: Cohen's d of paired differences, their mean in standard deviations; of equal "
        "methods it is 0.8 on average with 3 seeds, 0.5 with 5, 0.3 with 10.",
        "holm": f"Holm: p corrected over all {sum(tested.tested for tested in found)} comparisons of this table.",
        "hierarchical-bootstrap": "Seeds and sentences: of new seeds and new test sentences, both of which vary. "
        f"{DRAWS:,} draws of sentences, the same ones for both and all seeds, and Student's t for seeds; p is "
        "two-sided and uncorrected.",
        "aso": "Almost stochastic order: a measure from 0 (the higher one is higher at every quantile of its seeds) to "
        f"1, the upper 95% bound of the violation ratio; no test: of equal methods, {ORDER_BELOW_HALF}.",
        "mixed-model": "Mixed model: see table and figure `effects`.",
    }[name]
