"""What tests and intervals are worth at few seeds, in a small simulation of benchmarks/significance.py."""

import numpy
import pytest
from benchmarks.significance import VARIANCES, of_many, over_places, over_seeds, over_sentences
from scipy import stats

from specialize.tables.hierarchical import drawn_weights
from specialize.tables.statistics import percentile_coverage

REPEATS = 200
SENTENCES = 40


def below(share, expected, repeats=REPEATS):
    """Whether a share of repeats is below what is expected, beyond chance."""
    return stats.binomtest(round(share * repeats), repeats, expected, "less").pvalue < 1e-3


@pytest.mark.parametrize(
    ("variances", "seeds"), [("UD, tva and lapt", 3), ("UD, tva and lapt", 5), ("seeds alone", 3), ("seeds alone", 5)]
)
def test_the_hierarchical_bootstrap_covers_what_others_do_not(variances, seeds):
    generator = numpy.random.default_rng(1)
    weights = next(drawn_weights(SENTENCES))
    wrong = over_sentences(generator, REPEATS, seeds, VARIANCES[variances], weights)
    ours, percentiles, t_test = 1 - wrong
    print(f"{variances}, {seeds} seeds: {ours:.1%}, percentiles {percentiles:.1%}, t-test {t_test:.1%}")
    assert not below(ours, 0.95)
    if variances == "seeds alone":
        assert below(percentiles, 0.95)
    else:
        assert below(t_test, 0.93)


def test_over_seeds_figures_are_those_that_tables_print():
    generator = numpy.random.default_rng(1)
    covered, given, higher, _, ranks, order, order_of_higher, _ = over_seeds(generator, 150, 3)
    assert abs(covered - percentile_coverage(3) / 100) < 0.12
    assert not below(1 - given, 0.95, 150)
    assert 0.04 < higher < 0.18  # the direction of the higher mean doubles it
    assert ranks == 0  # three seeds cannot
    assert 0.1 < order < order_of_higher < 0.65  # a measure that is no test


def test_the_best_of_equal_methods_is_seldom_called_so_and_holm_over_all_pairs_twice_as_often():
    pairs, best = of_many(numpy.random.default_rng(1), 250, 5, 5)
    assert not below(1 - best, 0.95, 250)
    assert 0.04 < pairs < 0.15


def test_effects_over_places_are_covered_by_t_of_places_and_not_otherwise():
    for places in (2, 3, 6):
        own, normal, together = over_places(numpy.random.default_rng(1), 2000, places)
        assert 0.93 < own < 0.97
        assert normal < 0.92
        assert together < 0.92
