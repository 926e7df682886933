"""When differences of seeds are tested at all, and what tables say of tests that are worth little. Light."""

from __future__ import annotations

from collections.abc import Sequence

# metrics.json has six decimals of a share: in points, each score is off by up to half of this.
SCORE_ROUNDING = 1e-4
LAST_BITS = 1 + 1e-6  # of binary fractions
# How far apart equal differences can be, each of two scores.
DIFFERENCE_ROUNDING = 2 * SCORE_ROUNDING * LAST_BITS

FEW_SEEDS = "fewer than two shared seeds"
NO_VARIANCE = "no variance"
VARIANCE_NOTE = (
    "Not tested, no variance: the differences of all seeds are the same but for rounding, or but for one item of the "
    "test data (a word, or a named entity), which is the smallest step of a score; a t-test would call any such "
    "difference significant."
)
# t is the mean over half the range of two differences, and must be above 6.3 for p < 0.05, 19.1 for p < 0.05 / 3.
TWO_SEEDS = (
    "Two seeds only: such a test has one degree of freedom, and its verdict is worth little. It asks whether two "
    "differences are nearly alike (for significance, each within 5 to 16 % of their mean, by the correction), however "
    "small they are, and chance alone makes two numbers alike; run three seeds or more."
)
# What statistics on request are worth at few seeds: simulated by benchmarks/significance.py.
ORDER_BELOW_HALF = "20% have it below 0.5, and 40% if the direction is that of the higher mean, as here"
DIRECTION = (
    "One-sided tests go in the direction of the higher mean, which the same scores say: of equal methods the t-test "
    "has p below 0.05 in 10% before a correction, and Holm's correction calls some difference significant in up to 10% "
    "of such tables, not 5%. All but the interval over seeds and sentences speak of these test sentences (simulated: "
    "docs/statistics.md)."
)
TESTS_USED = "Tests used: "
NEW_SENTENCES = (
    " The t-test speaks of these test sentences: for new ones too, a 95% interval over seeds alone covers 26 to 93% in "
    "simulations with variances of runs on Uyghur, that over seeds and sentences 93% or more."
)
PRETRAINED_ONCE = (
    "Seeds are of finetuning. Each representation was pretrained once, and what that drew counts as the method's: more "
    "seeds do not make a difference between pretrained models surer."
)
COMPARISONS = "p of the best is corrected for so many comparisons: "
CROSS_VALIDATED = "Cross-validated: "
FOLDS_TEST = (
    "Their tests pair folds, not seeds, by each fold's mean over the seeds that both have: a one-sided paired t-test "
    "corrected for overlapping training sets (Nadeau and Bengio 2003)."
)
GUESSING_MARK = "‡"
GUESSING_NOTE = (
    f"{GUESSING_MARK}: at most 2 points above what guessing scores, which gives every word the most frequent tag, "
    "attachment (how far, by which relation) or entity label (none) of the training part."
)


def tied(first: float | None, second: float | None) -> bool:
    """Whether two means are the same, but for the decimals that metrics.json leaves out; not if one is missing."""
    return first is not None and second is not None and abs(first - second) <= SCORE_ROUNDING * LAST_BITS


def untested(differences: Sequence[float], step: float = 0.0) -> str:
    """Why differences of seeds are not tested, or nothing.

    Scores are shares of a number of items, so that few items, or little that differs between seeds, make differences
    that are equal or one item apart. Their variance is that of rounding to whole items, not that of training: t is as
    large as one likes, or infinite.

    Args:
        differences: in points.
        step: by how many points one item changes a score; 0 if that is not known.

    Returns:
        `FEW_SEEDS`, `NO_VARIANCE` (also of what is no number), or an empty text.
    """
    if len(differences) < 2:
        return FEW_SEEDS
    varied = max(differences) - min(differences) > step + DIFFERENCE_ROUNDING  # never true of NaN
    return "" if varied else NO_VARIANCE
